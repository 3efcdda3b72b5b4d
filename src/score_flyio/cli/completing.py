"""What values of options and arguments can be, for shells that complete them."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Final

import asyncclick as click
from asyncclick.shell_completion import CompletionItem

from score_flyio.base.event_loop import Begun, begin

if TYPE_CHECKING:
    from score_flyio.state.model import ProjectState

_KINDS: Final[dict[str, str]] = {
    "WORKLOAD": "workload",
    "UID": "uid",
    "fly": "target",
    "REGION": "region",
    "FILE": "file",
    "DIR": "dir",
    "URL": "file",
}
"""What a value is, by the first word of how help calls it."""
_NAMES: Final[dict[tuple[str | None, str | None], str]] = {
    ("remove", "name"): "workload",
    ("remove", "provisioner_id"): "provisioner",
    ("get-outputs", "uid"): "uid",
    ("deprovision", "uid"): "uid",
}
"""The same by command and name of the parameter."""
_OF_STATE: Final[dict[str, Callable[[ProjectState], Iterable[str]]]] = {
    "workload": lambda state: state.workloads,
    "uid": lambda state: map(str, state.resources),
    "provisioner": lambda state: (provisioner.id for provisioner in state.provisioners),
}


def kind_of(command: str | None, param: click.Parameter) -> str | None:
    """What kind of value it is; None: of none that can be completed."""
    named = (param.name or "").upper() if isinstance(param, click.Argument) else ""
    word = re.match(r"[^A-Za-z]*([A-Za-z]+)", param.metavar or named)
    return _NAMES.get((command, param.name)) or (_KINDS.get(word[1]) if word else None)


def complete(kind: str, ctx: click.Context, incomplete: str) -> list[CompletionItem[str]]:
    """The values of a kind that begin like that; files and folders are for the shell to find."""
    if kind in {"file", "dir"}:
        return [CompletionItem(incomplete, type=kind)]
    done, comma, begun = incomplete.rpartition(",")
    found = sorted(value for value in _values(kind, ctx) if value.startswith(begun))
    return [CompletionItem(f"{done}{comma}{value}") for value in found]


def _values(kind: str, ctx: click.Context) -> Iterable[str]:
    if kind == "target":
        return ("fly", "emulator")
    if kind == "region":
        from score_flyio.flytoml.regions import REGIONS

        return REGIONS
    state = _state(ctx)
    return () if state is None else _OF_STATE[kind](state)


def _state(ctx: click.Context) -> ProjectState | None:
    """The project's state, where it lies in this folder; no other is waited for."""
    from score_flyio.cli.context import CliContext
    from score_flyio.errors import ScoreFlyError

    try:
        found = begin(CliContext.build({**ctx.obj, "quiet": True}, os.environ).project().read())
    except (ScoreFlyError, OSError):
        return None
    return None if isinstance(found, Begun) else found
