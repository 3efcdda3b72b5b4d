"""The log of a CI job, folded by workload.

Groups can neither overlap nor nest at GitHub, and workloads go on at the same time: one of them is
shown as it goes, the lines of the others wait for its end.

- https://docs.github.com/actions/reference/workflow-commands-for-github-actions#grouping-log-lines
- https://docs.gitlab.com/ci/jobs/job_logs/#create-custom-collapsible-sections
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import tzinfo
from time import time
from typing import TypeAlias

from score_flyio.base.printable import one_line
from score_flyio.cli.render.plain import PlainRenderer
from score_flyio.cli.sink import Sink
from score_flyio.events import Event


class GitHubFold:
    """Groups as GitHub's runner takes them."""

    def begin(self, title: str, at: float) -> str:  # noqa: ARG002  # GitHub looks at the clock
        """The line before the group."""
        return f"::group::{title}\n"

    def end(self, title: str, at: float, now: float) -> str:  # noqa: ARG002  # as above
        """The line after a group that began `at`."""
        return "::endgroup::\n"


class GitLabFold:
    """Sections as GitLab's job logs have them; their names stand once in a job."""

    def begin(self, title: str, at: float) -> str:
        """The line before the section."""
        return f"\x1b[0Ksection_start:{at:.0f}:{self._name(title, at)}\r\x1b[0K{title}\n"

    def end(self, title: str, at: float, now: float) -> str:
        """The line after a section that began `at`."""
        return f"\x1b[0Ksection_end:{now:.0f}:{self._name(title, at)}\r\x1b[0K\n"

    def _name(self, title: str, at: float) -> str:
        return f"{re.sub(r'[^A-Za-z0-9_.-]', '_', title)}_{at * 1000:.0f}"


Fold: TypeAlias = GitHubFold | GitLabFold
"""How a CI system is told where a group of lines begins and ends."""


def fold_of(environ: Mapping[str, str]) -> Fold | None:
    """How the CI system that this runs in folds its log; None: not at all, or none is known."""
    if environ.get("GITHUB_ACTIONS") == "true":
        return GitHubFold()
    return GitLabFold() if environ.get("GITLAB_CI") == "true" else None


class GroupedRenderer(PlainRenderer):
    """Plain lines, those of each workload or app as one group, which the `fold` tells."""

    def __init__(
        self,
        stream: Sink,
        fold: Fold,
        *,
        now: Callable[[], float] = time,
        debug: bool = False,
        zone: tzinfo | None = None,
    ) -> None:
        super().__init__(stream, now=now, debug=debug, zone=zone)
        self._fold = fold
        self._open: tuple[str, float] | None = None
        self._kept: dict[str, list[str]] = {}
        self._done: set[str] = set()
        self._owners: dict[str, str] = {}

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
        self._open = (owner, self._now())
        self._stream.write_raw(self._fold.begin(*self._open))
        for line in lines:
            self._write(line)

    def _end(self) -> None:
        if self._open:
            self._stream.write_raw(self._fold.end(*self._open, self._now()))
            self._open = None
