"""Engines that are broken on purpose: the simulation has to notice."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import pytest

from fly_machines import FlyMachinesApi, models
from score_flyio.deploy.execution.steps import secrets as secret_steps
from score_flyio.deploy.step import SetSecrets
from score_flyio.events import WarningRaised
from score_flyio.fly import repeats
from score_flyio.fly.errors import is_doubtful
from score_flyio.fly.leases import LeaseBook
from score_flyio.resources.run import ResourceRun
from score_flyio.state.saving import Saver
from tests.simulation.soak import simulate_seed

ENOUGH_SEEDS = 60
"""Within so many seeds each defect must show."""


def first_violation(text: str) -> str | None:
    for seed in range(ENOUGH_SEEDS):
        for violation in simulate_seed(seed).violations:
            if text in violation:
                return violation
    return None


def test_leases_that_are_not_released(monkeypatch: pytest.MonkeyPatch) -> None:
    async def forget(_book: LeaseBook, _lease: object) -> None:
        """Goes away with the leases."""

    monkeypatch.setattr(LeaseBook, "_give_back", forget)
    assert first_violation("is still leased")


def test_machines_created_again_without_a_look(monkeypatch: pytest.MonkeyPatch) -> None:
    async def create_blindly(
        api: FlyMachinesApi, app: str, request: models.CreateMachineRequest, launch_id: str
    ) -> models.Machine:
        del launch_id
        for _ in range(3):
            try:
                return await api.machines_create(app, request)
            except Exception as error:
                if not is_doubtful(error):
                    raise
        return await api.machines_create(app, request)

    monkeypatch.setattr(repeats, "create_machine", create_blindly)
    assert first_violation("has besides: machine")


def test_state_saved_only_at_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    run, save = ResourceRun.run, Saver.save
    over: set[Saver] = set()

    async def run_then_save(self: ResourceRun) -> None:
        try:
            await run(self)
        finally:
            over.add(self._saver)
        await save(self._saver)

    async def save_late(self: Saver) -> None:
        if self in over:
            await save(self)

    monkeypatch.setattr(ResourceRun, "run", run_then_save)
    monkeypatch.setattr(Saver, "save", save_late)
    assert first_violation("is forgotten")


def test_a_secret_in_an_event(monkeypatch: pytest.MonkeyPatch) -> None:
    set_secrets: Callable[..., Awaitable[Any]] = secret_steps.set_secrets

    async def tell(step: SetSecrets, context: Any) -> Any:
        shown: Mapping[str, str] = {n: v.reveal() for n, v in step.values.items() if v is not None}
        context.emit(WarningRaised(message=f"setting {dict(shown)}"))
        return await set_secrets(step, context)

    from score_flyio.deploy.execution import steps

    monkeypatch.setattr(steps, "CARRY_OUT", {**steps.CARRY_OUT, SetSecrets: tell})
    assert first_violation("a secret stands in an event")
