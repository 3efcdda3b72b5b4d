"""The log of a CI job, folded by workload.

Groups can neither overlap nor nest at GitHub, and workloads go on at the same time: one of them is
shown as it goes, the lines of the others wait for its end.

- https://docs.github.com/actions/reference/workflow-commands-for-github-actions#grouping-log-lines
- https://docs.gitlab.com/ci/jobs/job_logs/#create-custom-collapsible-sections
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from score_flyio.base.printable import one_line
from score_flyio.base.record import define, field, frozen
from score_flyio.cli.render.plain import PlainRenderer
from score_flyio.events import Event


@frozen
class Fold:
    """How a CI system is told where a group of lines begins and ends.

    Both take `now` and the `name`, which stands once in a job, as GitLab wants it of sections.
    """

    begin: str
    end: str


GITHUB: Final = Fold("::group::{title}\n", "::endgroup::\n")
GITLAB: Final = Fold(
    "\x1b[0Ksection_start:{now:.0f}:{name}\r\x1b[0K{title}\n",
    "\x1b[0Ksection_end:{now:.0f}:{name}\r\x1b[0K\n",
)


def fold_of(environ: Mapping[str, str]) -> Fold | None:
    """How the CI system that this runs in folds its log; None: not at all, or none is known."""
    if environ.get("GITHUB_ACTIONS") == "true":
        return GITHUB
    return GITLAB if environ.get("GITLAB_CI") == "true" else None


@define(eq=False)
class GroupedRenderer(PlainRenderer):
    """Plain lines, those of each workload or app as one group, which the `fold` tells."""

    _fold: Fold
    _open: tuple[str, str] | None = field(default=None, init=False)
    """The owner of the group that is open, and its name."""
    _kept: dict[str, list[str]] = field(factory=dict, init=False)
    _done: set[str] = field(factory=set, init=False)
    _owners: dict[str, str] = field(factory=dict, init=False)

    def handle(self, event: Event) -> None:
        """Write the event's line, or keep it until the group before is over."""
        owner = self._owner(event)
        words = self.words(event)
        if words is not None:
            self._tell(owner, self.line(event, words))
        if event.kind == "workload_finished" and owner is not None:
            self._done.add(owner)
            if self._open and self._open[0] == owner:
                self._next()

    def close(self) -> None:
        """The run is over: all that was kept is written."""
        self._done |= self._kept.keys()
        self._next()

    def _owner(self, event: Event) -> str | None:
        """Whose group it belongs to: some events name the app alone, others its workload too."""
        workload, app = event.scope.workload, event.scope.app
        if workload and app:
            self._owners[app] = workload
        owner = workload or self._owners.get(app or "", app)
        return one_line(owner) if owner else None

    def _tell(self, owner: str | None, line: str) -> None:
        if owner is None or (self._open and self._open[0] == owner):
            self._write(line)
        elif self._open:
            self._kept.setdefault(owner, []).append(line)
        else:
            self._begin(owner, [line])

    def _next(self) -> None:
        """End the group that is open, write those that are over, and begin the next one."""
        self._end()
        for owner in [owner for owner in self._kept if owner in self._done]:
            self._begin(owner, self._kept.pop(owner))
            self._end()
        if self._kept:
            owner = next(iter(self._kept))
            self._begin(owner, self._kept.pop(owner))

    def _begin(self, owner: str, lines: list[str]) -> None:
        now = self._now()
        name = f"{re.sub(r'[^A-Za-z0-9_.-]', '_', owner)}_{now * 1000:.0f}"
        self._open = (owner, name)
        self._stream.write_raw(self._fold.begin.format(title=owner, name=name, now=now))
        for line in lines:
            self._write(line)

    def _end(self) -> None:
        if self._open:
            self._stream.write_raw(self._fold.end.format(name=self._open[1], now=self._now()))
            self._open = None
