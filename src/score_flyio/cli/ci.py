"""What CI systems show beside the log: annotations of files, and summaries in Markdown.

GitHub's runner takes a line `::error file=…,line=…::MESSAGE` of the log for an annotation, and
shows what a step appended to the file in GITHUB_STEP_SUMMARY:
https://docs.github.com/actions/reference/workflow-commands-for-github-actions
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Final

from score_flyio.base.counted import counted
from score_flyio.base.printable import one_line, printable, system_reason
from score_flyio.cli.options import STEP_SUMMARY

if TYPE_CHECKING:
    from score_flyio.cli.context import CliContext
    from score_flyio.deploy.execution.report import AppReport, Report
    from score_flyio.engine.plans import Plan
    from score_flyio.errors import Failure

_MARKDOWN: Final = re.compile(r"([\\`*_{}\[\]<>#|!~])")
_SIGNS: Final = {"done": "✅", "unchanged": "✅", "unhealthy": "⚠️"}


def annotate(failure: Failure, workspace: Path, label: str = "") -> Iterator[str]:
    """The lines that show a failure beside the files it is about; `workspace` is their root."""
    if failure.failures:
        for part in failure.failures:
            yield from annotate(part, workspace, label)
        return
    title = label or "score-flyio"
    placed = [problem for problem in failure.problems if problem.file]
    for problem in placed:
        where = {"file": os.path.relpath(problem.file or "", workspace), "line": problem.line}
        told = ": ".join(filter(None, (problem.place, problem.message)))
        yield _annotation({**where, "title": title}, told, problem.hint)
    if not placed:
        yield _annotation({"title": title}, failure.message, failure.hint)


def _annotation(members: Mapping[str, str | int | None], message: str, hint: str | None) -> str:
    named = ",".join(
        f"{name}={_escaped(str(value), ',:')}" for name, value in members.items() if value
    )
    text = f"{message} ({hint})" if hint else message
    return f"::error {named}::{_escaped(text)}"


def _escaped(text: str, more: str = "") -> str:
    for char in "%\r\n" + more:
        text = text.replace(char, f"%{ord(char):02X}")
    return printable(text)


def report_summary(report: Report) -> str:
    """How a run ended, in Markdown."""
    lines = [
        f"## {_sign(report.outcome)} {report.outcome} in {report.seconds:.1f} s",
        "",
        "| workload | app | outcome | seconds | |",
        "| --- | --- | --- | ---: | --- |",
        *map(_row, report.apps),
    ]
    for app in report.apps:
        for error in app.failures:
            lines += ["", f"**{_text(app.label)}**", *_fenced(error.message, error.hint)]
        changed = [step for step in app.steps if step.changes]
        if changed:
            lines += ["", "<details>", f"<summary>What changed in {_text(app.label)}</summary>", ""]
            for step in changed:
                lines.append(f"- {_text(step.description)}: {_text(step.outcome)}")
                lines += [f"  - {_text(difference)}" for difference in step.differences]
            lines += ["", "</details>"]
    return "\n".join(lines) + "\n"


def plan_summary(plan: Plan) -> str:
    """What a run would do, in Markdown."""
    changed = sum(not app.empty for app in plan.apps)
    head = f"{counted(changed, 'app')} would change" if changed else "no changes"
    if plan.failures:
        head = f"❌ {len(plan.failures)} cannot be planned, {head}"
    return "\n".join([f"## Plan: {head}", *_fenced(plan.describe(), None)]) + "\n"


def write_summary(cli: CliContext, text: str) -> None:
    """Write a summary to the file of `--summary`, and to that of the CI system."""
    step = cli.environ.get(STEP_SUMMARY)
    for name, file, mode in (("--summary", cli.summary, "w"), (STEP_SUMMARY, step, "a")):
        if file:
            path = cli.directory / file
            try:
                with path.open(mode, encoding="utf-8") as stream:
                    stream.write(text)
            except OSError as error:
                cli.output.warn(f"{name} {path}: it cannot be written: {system_reason(error)}")


def _row(app: AppReport) -> str:
    cells = (app.label, app.app or "", f"{_sign(app.outcome)} {app.outcome}", f"{app.seconds:.1f}")
    url = f"<{app.url}>" if app.url else ""
    return f"| {' | '.join([*map(_text, cells), url])} |"


def _fenced(message: str, hint: str | None) -> list[str]:
    text = printable(f"{message}\nHint: {hint}" if hint else message)
    longest = max((len(run) for run in re.findall("`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return ["", fence, text, fence]


def _text(text: str) -> str:
    return _MARKDOWN.sub(r"\\\1", one_line(text))


def _sign(outcome: str) -> str:
    return _SIGNS.get(outcome, "❌")
