"""The second set of machines of a bluegreen update. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from attrs import evolve

from fly_machines import models
from score_flyio.deploy.metadata import GREEN_LAUNCH, STANDS_FOR, TAG, take_over
from score_flyio.deploy.planning.strategies import GroupUpdate
from score_flyio.deploy.step import CreateMachine, UpdateMachine
from score_flyio.state.deployments import Release


def greens(
    update: GroupUpdate,
    steps: Iterable[UpdateMachine],
    *,
    machines: Iterable[models.Machine],
    release: Release,
    new_id: Callable[[], str],
) -> dict[str, CreateMachine]:
    """One green machine for each blue one, created in turn so that the platform spreads them."""
    known = {machine.id: machine for machine in machines}
    primaries_first = sorted(steps, key=lambda step: bool(_config(step).standbys))
    made: dict[str, CreateMachine] = {}
    previous: tuple[str, ...] = ()
    for number, step in enumerate(primaries_first, start=1):
        green = CreateMachine(
            id=f"green:{step.machine}",
            app=update.app,
            group=update.group,
            request=_request(step, release, new_id()),
            launch_id=take_over(known.get(step.machine), new_id()),
            number=number,
            of=len(primaries_first),
            role="green",
            secrets_from=step.secrets_from,
            previous=step.machine,
            needs=previous,
        )
        covered = next((made[b] for b in _config(step).standbys or () if b in made), None)
        green = evolve(green, standby_for=covered.ref) if covered else green
        previous = (green.id,)
        made[step.machine] = green
    return made


def _request(step: UpdateMachine, release: Release, launch_id: str) -> models.CreateMachineRequest:
    config = _config(step)
    marks = {
        TAG: release.id,
        GREEN_LAUNCH: launch_id,
        STANDS_FOR: step.machine,
    }
    return models.CreateMachineRequest(
        config=evolve(config, metadata={**(config.metadata or {}), **marks}),
        region=step.region,
        skip_launch=step.request.skip_launch,
        skip_service_registration=True,
        min_secrets_version=step.request.min_secrets_version,
    )


def _config(step: UpdateMachine) -> models.FlyMachineConfig:
    return step.request.config or models.FlyMachineConfig()
