"""Remarks about a workload that stop nothing."""

from __future__ import annotations

from attrs import frozen

from score_flyio.base.record import Record


@frozen(kw_only=True, eq=False, repr=False)
class Notice(Record):
    """A remark: a stable code, what it is about, and a sentence for people."""

    code: str
    """`upgraded`, `secret_variable`, `secret_file`, `exec_probe_ignored`, …: an open set."""
    subject: str | None = None
    """A path, a variable's name or a file's target."""
    message: str

    @property
    def key(self) -> str:
        """Code and subject as one text, such as `secret_variable:DB_PASSWORD`."""
        return self.code if self.subject is None else f"{self.code}:{self.subject}"

    def __str__(self) -> str:
        return self.message
