"""Placeholders that lead nowhere: why, and what was probably meant instead."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from typing import Final

from score_flyio.base.misspelt import did_you_mean, nearest

_ROOTS: Final = ("metadata", "resources")
_ENVIRONMENT: Final = re.compile(r"[A-Z][A-Z0-9_]*")
"""Names that people give to variables of the environment."""
_AROUND: Final = " \t\r\n{}"
"""What other languages of templates have between the braces."""
MEANT: Final = frozenset({"unknown_key", "not_a_map", "output_key_required"})
"""Kinds of failures of references that name something which is there: no text of its own."""


_ONE_THING: Final = (
    ("host", "hostname", "server", "address", "endpoint", "domain"),
    ("port", "ports"),
    ("username", "user", "login", "usr"),
    ("password", "pass", "passwd", "pwd", "secret"),
    ("database", "name", "db", "dbname", "database_name", "db_name"),
    ("url", "uri", "connection", "connection_string", "dsn"),
    ("vhost", "virtual_host"),
    ("bucket", "bucket_name", "name"),
    ("access_key_id", "aws_access_key_id", "access_key"),
    ("secret_key", "aws_secret_key", "secret_access_key", "aws_secret_access_key"),
)
"""What provisioners call the same output; the spelling does not tell that they are."""


class LookupFailure(Exception):
    """A reference that leads nowhere; caught by whoever substitutes."""

    def __init__(
        self, kind: str, message: str, *, at: int = 0, known: Collection[str] = ()
    ) -> None:
        super().__init__(message)
        self.kind = kind
        """`unknown_root`, `metadata_key_required`, `resource_name_required`, `unknown_resource`,
        `output_key_required`, `not_a_map` or `unknown_key`; `unsupported_root` and `malformed` of
        what can be told before anything is looked up."""
        self.at = at
        """Which part of the reference it is about; the parts before it lead somewhere.

        0 where none is wrong, but one is missing.
        """
        self.known = tuple(sorted(known))
        """What there is in its place."""


def join_reference(parts: Sequence[str]) -> str:
    """The text of a reference of these parts."""
    return ".".join(part.replace(".", "\\.") for part in parts)


def hint(text: str, parts: Sequence[str], failure: LookupFailure) -> str:
    """What to write instead of a placeholder that leads nowhere."""
    if meant := _meant(text, parts, failure):
        return did_you_mean(f"${{{meant}}}")
    itself = f"$${{{text}}} stands for the text itself"
    here = join_reference(parts[: failure.at])
    match failure.kind:
        case "unknown_key" if failure.known:
            return "use one of these"
        case "unknown_key" if parts[0] == "resources" and failure.at == 2:
            return "its provisioner has to answer with it, among values or secrets"
        case "unknown_key" | "not_a_map":
            return f"${{{here}}} is all there is"
        case "metadata_key_required":
            return "name a key of the metadata: ${metadata.name}"
        case "resource_name_required":
            return "name a resource and its output: ${resources.NAME.OUTPUT}"
        case "output_key_required":
            output = failure.known[0] if failure.known else "OUTPUT"
            return f"name one of its outputs: ${{{join_reference((*parts[:2], output))}}}"
        case "unknown_resource":
            return f"add {parts[1]} to the resources of the workload; {itself}"
    if not _ENVIRONMENT.fullmatch(text):
        return itself
    return f"{itself}; ${{resources.NAME.{text}}} of a resource of type environment is the variable"


def _meant(text: str, parts: Sequence[str], failure: LookupFailure) -> str | None:
    """The reference that is most like this one, if one is like it."""
    bare = text.strip(_AROUND)
    if bare != text and bare.partition(".")[0] in _ROOTS and bare.partition(".")[2]:
        return bare
    if failure.at == 0:
        near = nearest(parts[0].lower(), _ROOTS) if len(parts) > 1 else ""
    else:
        wanted = parts[failure.at].lower()
        alike = {name.lower(): name for name in failure.known}
        is_output = parts[0] == "resources" and failure.at > 1
        same = _synonyms(wanted, alike) if is_output else []
        near = alike.get(same[0] if same else nearest(wanted, alike), "")
    if not near or near == parts[failure.at]:
        return None
    return join_reference((*parts[: failure.at], near, *parts[failure.at + 1 :]))


def _synonyms(wanted: str, known: Collection[str]) -> list[str]:
    """What is there for something that others call differently."""
    name = wanted.replace("-", "_")
    return [other for names in _ONE_THING if name in names for other in names if other in known]
