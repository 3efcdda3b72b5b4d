"""What is read in a Dockerfile before a builder gets it: its stages, and images it begins with."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from score_flyio.base.record import frozen
from score_flyio.errors import InputError, Problem
from score_flyio.images.reference import ImageReference

_FROM: Final = re.compile(
    r"\s*FROM\s+(?:--\S+\s+)*(?P<image>\S+)(?:\s+AS\s+(?P<stage>\S+))?\s*", re.IGNORECASE
)
_COPY: Final = re.compile(r"\s*COPY\s+(?:--\S+\s+)*?--from=(?P<image>\S+)\s", re.IGNORECASE)


_SECRET: Final = re.compile(r"--mount=(?=\S*\btype=secret\b)\S*?\bid=(?P<id>[^\s,]+)")


@frozen(kw_only=True)
class Dockerfile:
    """The parts that matter here."""

    stages: tuple[str, ...]
    """Their names in lower case, empty where a stage has none."""
    hosts: frozenset[str]
    """Registries of the images that it names."""
    secrets: tuple[str, ...] = ()
    """Ids of the secrets that its steps ask for."""

    def has_stage(self, target: str) -> bool:
        """Whether there is a stage of that name or number."""
        numbered = target.isdigit() and int(target) < len(self.stages)
        return numbered or target.lower() in self.stages


def read_dockerfile(text: str, *, file: str) -> Dockerfile:
    """Look through a Dockerfile. Raises InputError when nothing can be built from it."""
    stages: list[str] = []
    hosts: set[str] = set()
    secrets: list[str] = []
    for line in _instructions(text):
        secrets += _SECRET.findall(line)
        found = _FROM.fullmatch(line) or _COPY.match(line)
        if found is None:
            continue
        hosts |= _hosts(found["image"], stages)
        if found.re is _FROM:
            stages.append((found["stage"] or "").lower())
    if not stages:
        problem = Problem(
            message="there is no FROM in it",
            file=file,
            hint="a Dockerfile begins with FROM and an image",
            code="dockerfile_invalid",
        )
        raise InputError(problems=[problem])
    return Dockerfile(
        stages=tuple(stages), hosts=frozenset(hosts), secrets=tuple(dict.fromkeys(secrets))
    )


def _instructions(text: str) -> Iterator[str]:
    """Lines that go together as one, without comments."""
    whole = ""
    for line in text.splitlines():
        if line.lstrip().startswith("#"):
            continue
        whole += line
        if whole.rstrip().endswith("\\"):
            whole = whole.rstrip()[:-1] + " "
            continue
        yield whole
        whole = ""
    yield whole


def _hosts(image: str, stages: list[str]) -> set[str]:
    """The registry of an image; none for stages, `scratch` and what has a variable in it."""
    if image.lower() in stages or image.isdigit() or image == "scratch":
        return set()
    try:
        return {ImageReference.parse(image).host}
    except InputError:
        return set()
