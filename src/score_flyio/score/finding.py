"""What a check finds in a document, before file and line are known."""

from __future__ import annotations

from attrs import frozen

from score_flyio.base.place import Path
from score_flyio.base.record import Record


@frozen(kw_only=True, eq=False, repr=False)
class Finding(Record):
    """One thing wrong at one place of a document."""

    kind: str
    """Which rule was broken, such as `required`, `malformed` or `before_cycle`."""
    path: Path
    message: str
    hint: str | None = None
    code: str = "schema_invalid"
    """Stable name of the kind of error for the user, as in `errors.Problem`."""
    subject: str | None = None
    """The key, placeholder or name that is wrong, where the path does not say it."""
