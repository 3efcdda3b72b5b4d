"""A conversion while it is made: what it reads from, and what it has collected so far."""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Collection
from typing import Final

from score_flyio.base.place import Path
from score_flyio.base.record import define, field
from score_flyio.base.secret import Secret
from score_flyio.errors import (
    InputError,
    PlaceholderError,
    Problem,
    ScoreFileError,
    UnsupportedFeatureError,
)
from score_flyio.flytoml.names import Exposure
from score_flyio.score.model import ResourceRequest, Workload
from score_flyio.score.origin import Origin
from score_flyio.score.placeholders import Lookup, SubstitutedText, substitute

_ERRORS: Final[dict[str, type[InputError]]] = {
    "unsupported_feature": UnsupportedFeatureError,
    "placeholder_invalid": PlaceholderError,
}

PUBLIC_TYPES: Final = frozenset({"dns", "route"})
"""Types of resources under whose names a workload is reached from the internet."""


@define(kw_only=True, eq=False, repr=False)
class Draft:
    """Each aspect adds what it finds; problems are raised together at the end."""

    workload: Workload
    origin: Origin
    """The Score file, and where its values stand in it."""
    lookup: Lookup
    read_file: Callable[[str], bytes]
    """Gives the bytes of a file, by path relative to the working folder."""
    kept: Collection[str] = ()
    """Names of secrets that the app has: what is known later and was one before stays one."""
    elsewhere: Collection[str] = ()
    """Names of resources whose host names lead to other apps."""
    side_folder: str = ""
    """Where side files go, relative to the working folder."""
    findings: list[Problem] = field(factory=list)
    notices: list[Problem] = field(factory=list)
    secrets: dict[str, Secret] = field(factory=dict)
    exposures: set[Exposure] = field(factory=set)
    """What annotations of ports ask for."""
    side_files: dict[str, bytes] = field(factory=dict)

    @property
    def ways_in(self) -> tuple[ResourceRequest, ...]:
        """The resources under whose names the workload is reached from the internet."""
        return tuple(
            resource
            for resource in self.workload.resources.values()
            if resource.type in PUBLIC_TYPES and resource.name not in self.elsewhere
        )

    def fail(
        self, code: str, path: Path, message: str, hint: str | None = None, *, kind: str = ""
    ) -> None:
        """Notes a problem at a path of the Score file."""
        self.findings.append(Problem(code=code, path=path, message=message, hint=hint, kind=kind))

    def refuse_relative(self, target: str, path: Path) -> None:
        """Notes a problem where a path in the machine is not absolute: the platform takes none."""
        if not target.startswith("/"):
            message = f"{target!r} is not an absolute path in the machine"
            nearest = f"the nearest is /{target.removeprefix('./')}"
            self.fail("relative_path", path, message, nearest)

    def remark(self, code: str, message: str, *, subject: str | None = None) -> None:
        self.notices.append(Problem(code=code, subject=subject, message=message))

    def substituted(self, text: str, path: Path) -> SubstitutedText:
        """The text with its placeholders resolved, as far as they can be."""
        return substitute(text, self.lookup, path, self.findings)

    def beside(self, name: str) -> str:
        """A path given relative to the Score file, relative to the working folder."""
        return posixpath.normpath(posixpath.join(posixpath.dirname(self.origin.file), name))

    def raise_problems(self) -> None:
        """Raises all problems as one error, of the kind of the first."""
        if not self.findings:
            return
        problems = tuple(map(self.origin.located, self.findings))
        raise _ERRORS.get(problems[0].code, ScoreFileError)(problems=problems)


def digest(text: str) -> str:
    """SHA-256 of a text in hexadecimal: a name that no other text has."""
    import hashlib

    return hashlib.sha256(text.encode()).hexdigest()
