"""After which commands two simulations of one scenario must have come to the same."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.simulation.commands import Command, Deploy, Destroy, Rollback, Scale, touches

if TYPE_CHECKING:
    from tests.simulation.scenario import Scenario


def uncertain(scenario: Scenario, place: int) -> frozenset[str]:
    """Apps of which nobody can say how they are after the command in a place.

    A bad version fails: what is there then depends on where it was interrupted. A good deploy
    settles it, but for sizes, counts and releases that others chose or looked for meanwhile.
    """
    return frozenset(app.app for app in scenario.apps if _is_uncertain(scenario, app.app, place))


def _is_uncertain(scenario: Scenario, app: str, place: int) -> bool:
    bad_now = bad_once = lost = False
    for command in scenario.commands[: place + 1]:
        match command:
            case Deploy():
                bad_now = is_bad(scenario, app, command)
                bad_once |= bad_now
            case Destroy() if app in command.apps:
                bad_now = lost = False
            case Rollback() if command.app == app:
                lost |= bad_once
            case Scale() if command.app == app:
                lost |= bad_now
    return bad_now or lost


def is_bad(scenario: Scenario, app: str, command: Deploy) -> bool:
    """Whether a deploy gives the app a version that must fail."""
    return any(a.app == app and a.versions[command.stage].bad for a in scenario.apps)


def must_end_well(scenario: Scenario, place: int, command: Command) -> bool:
    """Whether all apps that a command touches are as they must be, before and after it."""
    return not any(touches(command, app) for app in uncertain(scenario, place))
