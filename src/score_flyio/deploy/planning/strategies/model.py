"""What a strategy gets and gives, and what it lets a run wait for."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping

from fly_machines import models
from score_flyio.base.record import field, frozen
from score_flyio.deploy.condition import is_well, rests
from score_flyio.deploy.desired.settings import DEFAULT_TIMEOUT, deploy_settings
from score_flyio.deploy.model import ObservedApp, Ref
from score_flyio.deploy.options import DeployOptions
from score_flyio.deploy.planning.model import GroupPlan
from score_flyio.deploy.step import (
    AwaitHealthy,
    CreateMachine,
    RunMachineCheck,
    Step,
    UpdateMachine,
    WatchForCrashes,
)
from score_flyio.deploy.verdict import count_checks
from score_flyio.errors import Problem
from score_flyio.flytoml.groups import flatten
from score_flyio.flytoml.spec import AppSpec
from score_flyio.state.deployments import Release


@frozen(kw_only=True)
class MachineTest:
    """A command that tests a machine, in a machine of its own."""

    command: str
    request: models.CreateMachineRequest
    launch_id: str


@frozen(kw_only=True)
class Waiting:
    """What is waited for after a machine got its config."""

    timeout: float
    """Seconds until started and healthy."""
    checks: bool
    """Whether the group has checks."""
    smoke_window: float
    """Seconds to watch for crashes; 0: not at all."""
    detach: bool = False
    tests: tuple[MachineTest, ...] = ()
    """What tests the first machine of a group."""

    def healthy(self, step: str, group: str | None, target: Ref, *needs: str) -> AwaitHealthy:
        """The step that waits until a machine is well."""
        return AwaitHealthy(
            id=step,
            group=group,
            target=target,
            timeout=self.timeout,
            wait_for_checks=self.checks,
            needs=needs,
        )

    def first(self, step: CreateMachine | UpdateMachine) -> tuple[Step, ...]:
        """The steps that wait for the first machine of a group, and test it; one after another."""
        waits = self.after(step)
        for number, test in enumerate(self.tests, start=1):
            check = RunMachineCheck(
                id=f"{step.id}:check:{number}",
                group=step.group,
                target=step.target,
                request=test.request,
                command=test.command,
                timeout=self.timeout,
                launch_id=test.launch_id,
                secrets_from=step.secrets_from,
                needs=(waits[-1].id,),
            )
            waits = (*waits, check)
        return waits

    def after(self, step: CreateMachine | UpdateMachine) -> tuple[Step, ...]:
        """The steps that wait for one machine: health, then the rest of its smoke window."""
        healthy = self.healthy(f"{step.id}:healthy", step.group, step.target, step.id)
        if not self.smoke_window:
            return (healthy,)
        watch = WatchForCrashes(
            id=f"{step.id}:smoke",
            group=step.group,
            target=step.target,
            needs=(healthy.id,),
            window=self.smoke_window,
        )
        return healthy, watch


def waiting_for(spec: AppSpec, group: str, options: DeployOptions) -> Waiting:
    """What a deploy waits for; options win over the file."""
    own = flatten(spec, group)
    checks = bool(own.checks) or bool(own.http_service and own.http_service.checks)
    checks = checks or any(service.tcp_checks or service.http_checks for service in own.services)
    return _waiting(options, spec, checks=checks)


def waiting_of(
    configs: Iterable[models.FlyMachineConfig], options: DeployOptions, spec: AppSpec | None = None
) -> Waiting:
    """The same for machine configs, of which the fly.toml may not be known."""
    checks = any(count_checks(models.Machine(config=config)).configured for config in configs)
    return _waiting(options, spec or AppSpec(), checks=checks)


def _waiting(options: DeployOptions, spec: AppSpec, *, checks: bool) -> Waiting:
    timeout = options.wait_timeout
    if timeout is None:
        timeout = deploy_settings(spec).wait_timeout.seconds
    return Waiting(
        timeout=timeout or DEFAULT_TIMEOUT.seconds,
        checks=checks,
        smoke_window=options.smoke_window if options.smoke_checks else 0.0,
        detach=options.detach,
    )


@frozen(kw_only=True)
class GroupUpdate:
    """New configs for machines of one group."""

    observed: ObservedApp
    group: str
    machines: Mapping[str, models.Machine]
    """All of the group, by id."""
    updates: tuple[UpdateMachine, ...]
    """Of each machine that is in reach, also where it already is as it should be; what a strategy
    puts in order are those that are carried out."""
    changing: frozenset[str]
    """Ids of the machines whose updates are carried out."""
    starting: frozenset[str] = frozenset()
    """Ids of machines at rest that are to run."""
    app_has_checks: bool
    """Whether a machine of any group has a check."""
    before: tuple[str, ...] = ()
    """Steps that come before any machine of the group changes."""
    max_unavailable: float = 0.33
    options: DeployOptions = field(factory=DeployOptions)
    waiting: Waiting
    release: Release
    new_id: Callable[[], str]
    one_more: Callable[[UpdateMachine], models.CreateMachineRequest]
    """Gives what a machine beside the others is made from, like the one of an update."""

    @property
    def steps(self) -> tuple[UpdateMachine, ...]:
        """The updates; of machines that do not serve anyway first, of standbys last."""

        def place(step: UpdateMachine) -> tuple[bool, bool]:
            return bool(step.standby_for), is_well(self.machines[step.machine], checks=True)

        return tuple(sorted(self.updates, key=place))

    @property
    def running(self) -> tuple[UpdateMachine, ...]:
        """Updates of machines that run."""
        return tuple(step for step in self.steps if not step.request.skip_launch)

    @property
    def resting(self) -> tuple[UpdateMachine, ...]:
        """Updates of machines that stay stopped or suspended."""
        return tuple(step for step in self.steps if step.request.skip_launch)

    @property
    def mounts(self) -> bool:
        """Whether machines that change have volumes."""
        return any(step.config.mounts for step in self.steps)

    @property
    def slots(self) -> int:
        """How many machines may be out at a time: a share is rounded up, as flyctl does."""
        if self.max_unavailable >= 1:
            return int(self.max_unavailable)
        size = sum(1 for machine in self.machines.values() if not rests(machine))
        return max(1, math.ceil(size * self.max_unavailable))


@frozen(kw_only=True)
class Strategy:
    """In which order the machines of a group get their new config."""

    order: Callable[[GroupUpdate], GroupPlan]
    impossible: Callable[[GroupUpdate], Problem | None] = lambda _update: None
    """Why it cannot be used for a group; the message goes on from `strategy NAME`."""
    no_volumes: Callable[[str], Problem] | None = None
    """Why it cannot be used for a group, by name, whose machines have volumes; None: it can."""
    no_checks: Callable[[str], Problem] | None = None
    """Why it cannot be used for an app without any check, told of a group; None: it can."""
    whole_group: bool = False
    """Whether all machines change as soon as one does."""
    waits: bool = True
    """Whether machines are waited for."""
