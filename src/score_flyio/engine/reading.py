"""Whether the Score file of a workload still says what was read from it."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from score_flyio.base.record import evolve
from score_flyio.engine.inputs import ScoreApp
from score_flyio.errors import Problem, UsageError
from score_flyio.score.load import LoadedWorkload


def mark_of(loaded: LoadedWorkload) -> str:
    """What tells the text of a Score file from a changed one."""
    source = loaded.origin.source
    text = json.dumps(source and source.value, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()


def changed(kept: ScoreApp, now: ScoreApp, mark: str | None) -> tuple[Problem, ...]:
    """The remark on a file that says something else than what is kept of it.

    `mark` is that of a file which was read with overrides: only the text can be compared then.
    """
    if mark is None:
        same = not now.loaded.problems and _as_kept(now, kept) == kept.loaded.document
    else:
        same = mark_of(now.loaded) == mark
    if same:
        return ()
    remark = Problem(
        file=now.loaded.file,
        message=f"has changed since it was read; workload '{kept.workload}' is as it was then",
        hint="give --refresh" if mark is None else "give it as FILE, with its overrides",
        code="score_file_changed",
    )
    return (remark,)


def refreshed(kept: ScoreApp, now: ScoreApp, mark: str | None) -> ScoreApp:
    """The workload as its file has it now.

    Raises UsageError: it was read with overrides, which nobody keeps, or is another workload now.
    """
    if mark is not None:
        raise UsageError(
            f"{now.loaded.file}: workload '{kept.workload}' was read from it with overrides, which "
            "--refresh does not have",
            hint="give it as FILE, with its overrides",
        )
    if not now.loaded.problems and now.workload != kept.workload:
        raise UsageError(
            f"{now.loaded.file}: it has workload '{now.workload}' now, no longer '{kept.workload}'",
            hint=f"give it as FILE, or forget the old one: workloads remove {kept.workload}",
        )
    return (
        now
        if now.loaded.problems
        else evolve(now, loaded=now.loaded.with_document(_as_kept(now, kept)))
    )


def _as_kept(now: ScoreApp, kept: ScoreApp) -> dict[str, Any]:
    """The document as it is now, with images in place of `.` as they were given before."""
    before = kept.loaded.document["containers"]
    containers = {
        name: {**each, "image": before[name]["image"]}
        if each["image"] == "." and name in before
        else each
        for name, each in now.loaded.document["containers"].items()
    }
    return {**now.loaded.document, "containers": containers}
