"""Engines that are broken on purpose: the simulation has to notice."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping
from itertools import count, islice
from typing import Any

import pytest
from attrs import evolve

from fly_machines import FlyMachinesApi, models
from score_flyio.deploy.app_step import SetSecrets
from score_flyio.deploy.desired.requests import MachineUpdate, update_input
from score_flyio.deploy.execution.steps import app as app_steps
from score_flyio.deploy.metadata import Launch
from score_flyio.deploy.options import DeployOptions
from score_flyio.deploy.planning import departures, groups, notes, updates
from score_flyio.deploy.planning.counts import Missing
from score_flyio.deploy.planning.moves import Moves
from score_flyio.events import WarningRaised
from score_flyio.fly import creation
from score_flyio.fly.errors import is_doubtful
from score_flyio.fly.leases import LeaseBook
from score_flyio.resources.run import ResourceRun
from score_flyio.state.saving import Saver
from tests.simulation.commands import Deploy
from tests.simulation.inputs import SimApp, Version
from tests.simulation.scenario import RunPlan, scenario
from tests.simulation.simulate import on_mock_clock
from tests.simulation.soak import simulate_seed

AGREED = DeployOptions(strategy="rolling", allow_destructive=True)
ENOUGH_SEEDS = 60
"""Within so many seeds each defect must show."""


def first_violation(text: str, *, with_people: bool = False) -> str | None:
    """The first one of that text; `with_people`: where other people work on the apps."""
    seeds = (seed for seed in count() if scenario(seed).people or not with_people)
    for seed in islice(seeds, ENOUGH_SEEDS):
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
        api: FlyMachinesApi,
        app: str,
        request: models.CreateMachineRequest,
        _launch_id: str,
        made: Callable[[models.Machine], None] = lambda _: None,
    ) -> models.Machine:
        for _ in range(3):
            try:
                machine = await api.machines_create(app, request)
            except Exception as error:
                if not is_doubtful(error):
                    raise
            else:
                made(machine)
                return machine
        return await api.machines_create(app, request)

    monkeypatch.setattr(creation, "create_machine", create_blindly)
    assert first_violation("has besides: machine")


def test_state_saved_only_at_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    run, save = ResourceRun.run, Saver.save
    over: set[Saver] = set()

    async def run_then_save(self: ResourceRun, *admitted: Any) -> None:
        try:
            await run(self, *admitted)
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
    set_secrets: Callable[..., Awaitable[Any]] = app_steps.set_secrets

    async def tell(step: SetSecrets, context: Any) -> Any:
        shown: Mapping[str, str] = {n: v.reveal() for n, v in step.values.items() if v is not None}
        context.emit(WarningRaised(message=f"setting {dict(shown)}"))
        return await set_secrets(step, context)

    from score_flyio.deploy.execution import steps

    monkeypatch.setattr(steps, "CARRY_OUT", {**steps.CARRY_OUT, SetSecrets: tell})
    assert first_violation("a secret stands in an event")


def test_counts_that_are_ignored(monkeypatch: pytest.MonkeyPatch) -> None:
    def bring_back(machines: Iterable[models.Machine]) -> Missing | None:
        """Where one machine of a pair is left, the other comes back, whoever took it away."""
        places = [(m.id or "", Launch.of_machine(m)) for m in machines]
        alone = [(name, place) for name, place in places if place and place.of > len(places)]
        return next((Missing(launch=p.id, first=name) for name, p in alone), None)

    monkeypatch.setattr(groups, "missing_of_launch", bring_back)
    assert first_violation(", people want")
    assert first_violation(", people want", with_people=True)


def test_data_that_does_not_go_on_in_another_group(monkeypatch: pytest.MonkeyPatch) -> None:
    def none(*_: Any, **__: Any) -> Moves:
        """Groups end and begin, each with its own volumes."""
        return Moves()

    assert not regrouped(moving=True)
    monkeypatch.setattr(departures, "moves", none)
    assert any("left behind for a new, empty one" in text for text in regrouped(moving=True))


def test_a_volume_that_is_left_behind_without_a_word(monkeypatch: pytest.MonkeyPatch) -> None:
    assert not regrouped()
    monkeypatch.setattr(notes, "left_behind", lambda *_: ())
    assert any("was left behind without a word" in text for text in regrouped())


def regrouped(*, moving: bool = False) -> tuple[str, ...]:
    """Violations of deploys with a group that has a volume, without it, and with it once more.

    `moving`: its mount goes to another group meanwhile.
    """
    given = next(s for n in count() if len((s := scenario(n)).secret_generations) >= 3)
    both = Version(groups=("app", "worker"))
    app = SimApp(
        name="data", kind="toml", volume="worker", moving=moving, versions=(both, Version(), both)
    )
    runs = tuple(RunPlan(command=Deploy(stage=n), place=n, pause=60.0) for n in range(3))
    return on_mock_clock(evolve(given, apps=(app,), runs=runs, options=AGREED)).violations


def test_an_old_size_that_is_written_back(monkeypatch: pytest.MonkeyPatch) -> None:
    def shrink(*arguments: Any, **named: Any) -> MachineUpdate:
        """Writes the size of the first deploy into each update."""
        update = update_input(*arguments, **named)
        guest = models.FlyMachineGuest(cpu_kind="shared", cpus=1, memory_mb=256)
        config = evolve(update.request.config or models.FlyMachineConfig(), guest=guest)
        return evolve(update, request=evolve(update.request, config=config))

    monkeypatch.setattr(updates, "update_input", shrink)
    assert first_violation("people gave it", with_people=True)
