"""The release command: a one-off machine that runs before any other changes."""

from __future__ import annotations

from fly_machines import models
from score_flyio.base.record import evolve
from score_flyio.deploy.desired.guest import has_gpu
from score_flyio.deploy.desired.settings import DEFAULT_TIMEOUT, deploy_settings
from score_flyio.deploy.desired.special import release_command_input
from score_flyio.deploy.metadata import group_of
from score_flyio.deploy.model import DesiredApp, ObservedApp
from score_flyio.deploy.planning.model import PlanContext
from score_flyio.deploy.planning.new_machine import options_guest
from score_flyio.deploy.planning.secrets import SET_SECRETS
from score_flyio.deploy.step import DestroyMachine, RunReleaseCommand, Step
from score_flyio.flytoml.groups import default_group

LEFT = "a release command machine that an earlier run left behind"


def release_command_steps(context: PlanContext, *, needs: tuple[str, ...]) -> list[Step]:
    """A leftover of an earlier run goes first, then the command runs."""
    desired, observed = context.desired, context.observed
    section = desired.spec.deploy
    if section is None or not section.release_command:
        return []
    removals: list[Step] = [
        evolve(DestroyMachine.of(machine.id or "", app=desired.name, reason=LEFT), unless_held=True)
        for machine in observed.leftovers
    ]
    timeout = context.options.release_command_timeout
    if timeout is None:
        timeout = deploy_settings(desired.spec).release_command_timeout.seconds
    request = release_command_input(
        desired.spec,
        image=desired.image,
        release=context.release,
        files=desired.files,
        existing=_default_guests(desired, observed),
        guest=options_guest(context.options),
    )
    if request is None:
        return []
    run = RunReleaseCommand(
        id="release",
        app=desired.name,
        request=evolve(request, region=request.region or context.settings.default_region or None),
        command=section.release_command,
        timeout=timeout or DEFAULT_TIMEOUT.seconds,
        launch_id=context.settings.new_id(),
        secrets_from=SET_SECRETS if SET_SECRETS in needs else None,
        needs=(*needs, *(step.id for step in removals)),
    )
    return [*removals, run]


def _default_guests(desired: DesiredApp, observed: ObservedApp) -> list[models.FlyMachineGuest]:
    """Sizes of the machines of the default group, without those that Fly refuses."""
    group = default_group(desired.spec)
    return [
        machine.config.guest
        for machine in observed.machines
        if group_of(machine, group) == group
        and machine.config
        and machine.config.guest
        and not has_gpu(machine.config.guest)
    ]
