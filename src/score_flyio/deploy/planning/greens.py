"""The second set of machines of a bluegreen update. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from attrs import evolve

from fly_machines import models
from score_flyio.deploy.metadata import STANDS_FOR, TAG, take_over
from score_flyio.deploy.model import DesiredApp, Release
from score_flyio.deploy.planning.group_plan import PlanSettings
from score_flyio.deploy.planning.strategies import GroupUpdate
from score_flyio.deploy.step import CreateMachine, UpdateMachine
from score_flyio.errors import ConfigError


def greens(
    desired: DesiredApp,
    steps: Iterable[UpdateMachine],
    update: GroupUpdate,
    *,
    machines: Iterable[models.Machine],
    settings: PlanSettings,
    release: Release,
) -> dict[str, CreateMachine]:
    """One green machine for each blue one, created in turn so that the platform spreads them.

    Raises:
        ConfigError: the group has no check that tells when to switch, or has volumes.
    """
    _check_possible(desired, update)
    known = {machine.id: machine for machine in machines}
    primaries_first = sorted(steps, key=lambda step: bool(_config(step).standbys))
    made: dict[str, CreateMachine] = {}
    previous: tuple[str, ...] = ()
    for number, step in enumerate(primaries_first, start=1):
        green = CreateMachine(
            id=f"green:{step.machine}",
            app=desired.name,
            group=update.group,
            request=_request(desired, step, release, settings),
            launch_id=take_over(known.get(step.machine), settings.new_id()),
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


def _check_possible(desired: DesiredApp, update: GroupUpdate) -> None:
    if not update.waiting.checks:
        raise ConfigError(
            f"app {desired.name}: strategy bluegreen needs a check in group {update.group}, "
            "to know when the new machines can take over",
            hint="add a check to fly.toml or a probe to the Score file, or use --strategy rolling",
        )


def _request(
    desired: DesiredApp, step: UpdateMachine, release: Release, settings: PlanSettings
) -> models.CreateMachineRequest:
    config = _config(step)
    if config.mounts:
        raise ConfigError(
            f"app {desired.name}: strategy bluegreen cannot be used for group {step.group}, "
            "whose machines have volumes: a volume cannot be in two machines",
            hint="use --strategy rolling",
        )
    marks = {
        TAG: release.id,
        "fly_flyctl_bluegreen_launch_id": settings.new_id(),
        STANDS_FOR: step.machine,
    }
    return models.CreateMachineRequest(
        config=evolve(config, metadata={**(config.metadata or {}), **marks}),
        region=step.region,
        skip_launch=step.request.skip_launch,
        skip_service_registration=True,
    )


def _config(step: UpdateMachine) -> models.FlyMachineConfig:
    return step.request.config or models.FlyMachineConfig()
