"""The first machines of a group: how many, in which order, with which volumes."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from attrs import evolve, field, frozen

from fly_machines import models
from score_flyio.deploy.desired.launch import LaunchPlan, launch_plan
from score_flyio.deploy.desired.volumes import volume_request
from score_flyio.deploy.metadata import Launch
from score_flyio.deploy.model import DesiredApp, ObservedApp, Ref
from score_flyio.deploy.planning.group_plan import GroupPlan, PlanSettings
from score_flyio.deploy.planning.secrets import SEEN_KEY, SecretsPlan
from score_flyio.deploy.planning.sizes import options_guest
from score_flyio.deploy.planning.strategies.model import Waiting, waiting_steps
from score_flyio.deploy.planning.waiting import waiting_for
from score_flyio.deploy.step import CreateMachine, CreateVolume, Step
from score_flyio.flytoml.groups import flatten
from score_flyio.state.deployments import Release


@frozen(kw_only=True)
class Missing:
    """What an interrupted launch still has to create."""

    launch: str
    numbers: tuple[int, ...]
    of: int
    first: str
    """Id of the machine that a standby stands by for."""


def missing_of_launch(machines: Iterable[models.Machine], done: Collection[str]) -> Missing | None:
    """Machines of a launch are created in order, so what an interruption left out is its tail.

    A gap before the last one was made by a person, and stays.
    """
    launches = [launch for m in machines if (launch := Launch.of_machine(m)) is not None]
    for launch in launches:
        present = {other.number for other in launches if other.id == launch.id}
        if launch.id in done or launch.of in present:
            continue
        first = min(
            (m for m in machines if (of := Launch.of_machine(m)) and of.id == launch.id),
            key=lambda m: getattr(Launch.of_machine(m), "number", 0),
        )
        numbers = tuple(range(max(present) + 1, launch.of + 1))
        return Missing(launch=launch.id, numbers=numbers, of=launch.of, first=first.id or "")
    return None


@frozen(kw_only=True)
class _Launching:
    """What all machines of one launch have in common."""

    desired: DesiredApp
    group: str
    plan: LaunchPlan
    secrets: SecretsPlan
    waiting: Waiting
    wait: bool
    fallback_regions: tuple[str, ...]
    launch: str
    of: int
    guest: models.FlyMachineGuest | None
    existing_first: str | None = None
    steps: list[Step] = field(factory=list)


def launch_steps(
    desired: DesiredApp,
    group: str,
    observed: ObservedApp,
    settings: PlanSettings,
    *,
    release: Release,
    secrets: SecretsPlan,
    taken: set[str],
    missing: Missing | None,
) -> GroupPlan:
    """The creates of a group and what waits for them.

    Creates go out one after another, each answered before the next, so that the platform puts them
    on different hosts; starting and health are waited for together.
    """
    options = settings.options
    plan = launch_plan(
        desired.spec,
        group,
        image=desired.image,
        release=release,
        files=desired.files,
        ha=options.ha,
        guest=options_guest(options),
    )
    of = missing.of if missing else {"single": 1, "pair": 2, "standby": 2}[plan.availability]
    launching = _Launching(
        desired=desired,
        group=group,
        plan=plan,
        secrets=secrets,
        waiting=waiting_for(desired.spec, group, options),
        wait=not options.detach and options.strategy != "immediate",
        fallback_regions=options.fallback_regions,
        launch=missing.launch if missing else settings.new_id(),
        of=of,
        guest=options_guest(options),
        existing_first=missing.first if missing else None,
    )
    previous: str | None = None
    for number in missing.numbers if missing else range(1, of + 1):
        previous = _create(launching, number, previous, observed, taken)
    return GroupPlan(steps=tuple(launching.steps), launches=(launching.launch,) if of > 1 else ())


def _create(
    launching: _Launching,
    number: int,
    previous: str | None,
    observed: ObservedApp,
    taken: set[str],
) -> str:
    standby = launching.plan.availability == "standby" and number > 1
    first = f"create:{launching.group}:1"
    ref = None
    if standby:
        found = launching.existing_first
        ref = Ref(machine=found) if found else Ref(step=first)
        request = launching.plan.standby(found or "")
    else:
        request = launching.plan.first
    request = evolve(request, lease_ttl=None)
    request, volume = _with_volume(launching, request, number, observed, taken)
    step = CreateMachine(
        id=f"create:{launching.group}:{number}",
        app=launching.desired.name,
        group=launching.group,
        request=with_secrets_seen(request, launching.secrets),
        launch_id=str(Launch(launching.launch, number, launching.of)),
        number=number,
        of=launching.of,
        role="standby" if standby else "",
        standby_for=ref,
        volume_from=volume,
        secrets_from="secrets" if launching.secrets.changes else None,
        fallback_regions=() if volume else launching.fallback_regions,
        needs=tuple(need for need in (previous, volume) if need),
    )
    launching.steps.append(step)
    if launching.wait and not standby:
        healthy, watch = waiting_steps(
            launching.waiting,
            app=step.app,
            group=launching.group,
            made_by=step,
            ref=step.ref,
        )
        launching.steps.extend(found for found in (healthy, watch) if found is not None)
    return step.id


def _with_volume(
    launching: _Launching,
    request: models.CreateMachineRequest,
    number: int,
    observed: ObservedApp,
    taken: set[str],
) -> tuple[models.CreateMachineRequest, str | None]:
    """Gives the first mount a volume: a free one that fits, or a step that makes one."""
    config = request.config or models.FlyMachineConfig()
    if not config.mounts:
        return request, None
    name = config.mounts[0].name
    for volume in sorted(observed.volumes, key=lambda v: v.id or ""):
        fits = volume.name == name and (not request.region or volume.region == request.region)
        if fits and not volume.attached_machine_id and volume.id not in taken:
            taken.add(volume.id or "")
            mounts = [evolve(config.mounts[0], volume=volume.id), *config.mounts[1:]]
            found = evolve(request, config=evolve(config, mounts=mounts))
            return (evolve(found, region=found.region or volume.region), None)
    made = CreateVolume(
        id=f"volume:{launching.group}:{number}",
        app=launching.desired.name,
        group=launching.group,
        request=volume_request(
            launching.desired.spec,
            launching.group,
            flatten(launching.desired.spec, launching.group).mounts[0],
            image=launching.desired.image,
            guest=launching.guest,
        ),
        number=number,
    )
    launching.steps.append(made)
    return request, made.id


def with_secrets_seen(
    request: models.CreateMachineRequest, secrets: SecretsPlan
) -> models.CreateMachineRequest:
    """The request with the mark of the secrets that the machine starts with, where it is known."""
    if secrets.seen is None or request.config is None:
        return request
    found = {**(request.config.metadata or {}), SEEN_KEY: secrets.seen}
    return evolve(request, config=evolve(request.config, metadata=found))
