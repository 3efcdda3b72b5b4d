"""The frame of an operation: its beginning, where it goes, and its end, told as a deploy does."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from functools import update_wrapper
from typing import Concatenate, ParamSpec, Protocol, TypeVar

import anyio

from score_flyio.deploy.execution.report import Report
from score_flyio.engine.operations.apps import AppRef
from score_flyio.engine.session import Session
from score_flyio.events.run import run_frame


class Ended(Protocol):
    """What an operation gives."""

    @property
    def report(self) -> Report | None:
        """How it went; None where it was only looked at."""
        ...


_P = ParamSpec("_P")
_Refs = TypeVar("_Refs", AppRef, Sequence[AppRef])
_Done = TypeVar("_Done", bound=Ended)
_Operation = Callable[Concatenate[Session, _Refs, _P], Awaitable[_Done]]


def framed(command: str) -> Callable[[_Operation[_Refs, _P, _Done]], _Operation[_Refs, _P, _Done]]:
    """Has an operation on one app or several begin with `run_started` and end with `run_finished`.

    The target is told between them; the command is what a person runs.
    """

    def decorate(operation: _Operation[_Refs, _P, _Done]) -> _Operation[_Refs, _P, _Done]:
        async def run(
            session: Session, refs: _Refs, /, *args: _P.args, **kwargs: _P.kwargs
        ) -> _Done:
            apps = (refs,) if isinstance(refs, AppRef) else refs
            labels = [app.label for app in apps]
            with run_frame(session.emit, command, labels, now=anyio.current_time) as frame:
                session.tell_target()
                done = await operation(session, refs, *args, **kwargs)
                frame.outcome = "unchanged" if done.report is None else done.report.outcome
            return done

        update_wrapper(run, operation)
        return run

    return decorate
