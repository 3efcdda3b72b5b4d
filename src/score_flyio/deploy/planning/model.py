"""What is done to apps and their groups, and what that depends on. Pure data."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping

from fly_machines import models
from score_flyio.base.record import evolve, field, frozen, values
from score_flyio.deploy.desired.mounts import volume_request
from score_flyio.deploy.desired.requests import launch_request
from score_flyio.deploy.model import DesiredApp, KnownApp, ObservedApp
from score_flyio.deploy.options import DeployOptions
from score_flyio.deploy.planning.new_machine import Volumes, options_guest
from score_flyio.deploy.planning.secrets import SecretsPlan
from score_flyio.deploy.step import CreateMachine, Step, UpdateMachine
from score_flyio.flytoml.groups import flatten
from score_flyio.state.deployments import Release


@frozen(kw_only=True)
class PlanSettings:
    """What a plan depends on beside the app itself."""

    options: DeployOptions
    known: KnownApp
    new_id: Callable[[], str]
    """Gives a new unique text (ULID form) at each call."""
    tool_version: str
    default_region: str = ""
    """Of what is new, where neither the app nor an option names one."""


@frozen(kw_only=True)
class PlanContext:
    """What the plan of one app depends on."""

    desired: DesiredApp
    observed: ObservedApp
    settings: PlanSettings
    release: Release
    secrets: SecretsPlan
    taken: set[str] = field(factory=set)
    """Free volumes that new machines get, of whichever group."""

    @property
    def app(self) -> str:
        return self.desired.name

    @property
    def options(self) -> DeployOptions:
        return self.settings.options

    def of(self, group: str) -> GroupContext:
        """The same for one process group."""
        return GroupContext(**values(self), group=group)


@frozen(kw_only=True)
class GroupContext(PlanContext):
    """What the plan of one process group depends on."""

    group: str

    @property
    def launch(self) -> models.CreateMachineRequest:
        """What the running machines of the group are created from, where it has none.

        Raises ConversionError where its config cannot be made.
        """
        desired = self.desired
        return launch_request(
            desired.spec,
            self.group,
            image=desired.image,
            images=desired.images,
            release=self.release,
            files=desired.files,
            guest=options_guest(self.options),
        )

    @property
    def volumes(self) -> Volumes:
        """Those of the app, and how the group gets more of them."""
        return Volumes(
            present=self.observed.volumes,
            taken=self.taken,
            new=self._new_volume,
            default_region=self.settings.default_region,
            fallback_regions=self.options.fallback_regions,
        )

    def _new_volume(self, _config: models.FlyMachineConfig) -> models.CreateVolumeRequest:
        spec = self.desired.spec
        return volume_request(
            spec,
            self.group,
            flatten(spec, self.group).mounts[0],
            image=self.desired.image,
            guest=options_guest(self.options),
            initial_size_gb=self.options.volume_initial_size,
        )


@frozen(kw_only=True)
class GroupPlan:
    """Steps on machines and volumes; the same for one group and for all together."""

    steps: tuple[Step, ...] = ()
    pools: Mapping[str, int] = field(factory=dict)
    unchanged: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def uses_secrets(self) -> bool:
        """Whether any step waits for secrets to be set."""
        return any(step.secrets_from for step in self.steps)

    @property
    def certain(self) -> bool:
        """Whether a machine certainly gets a config, whatever setting secrets brings."""
        return any(
            isinstance(step, CreateMachine)
            or (isinstance(step, UpdateMachine) and not step.only_if_secrets_differ)
            for step in self.steps
        )


@frozen(kw_only=True)
class AppPlan:
    """What is done to one app."""

    app: str
    """Its name."""
    label: str
    """The workload, or the app where there is none."""
    steps: tuple[Step, ...]
    """What is done, each with what it needs."""
    pools: Mapping[str, int] = field(factory=dict)
    """How many slots each pool has."""
    unchanged: tuple[str, ...] = ()
    """Machines that already are as they should be."""
    machines: tuple[models.Machine, ...] = field(default=(), repr=False)
    """Those of the app as they were when the plan was made."""
    notes: tuple[str, ...] = ()
    """What a person should know beside the steps."""
    release: Release
    """What the app has afterwards."""
    secret_names: tuple[str, ...] = ()
    """The secrets that the workload has, set now or before."""
    fingerprint: str = ""
    """Of what was observed; another one at execution means that the plan is stale."""
    seen: Mapping[str, str] = field(factory=dict, repr=False)
    """What was observed, thing by thing: see `facts`."""
    url: str | None = None
    """Where the app is reached once the steps are done; None: by nobody on the internet."""

    @classmethod
    def of_nothing(cls, app: str, label: str, machines: Iterable[models.Machine] = ()) -> AppPlan:
        """The plan of an app for which nothing is planned yet."""
        release = Release(version=0)
        return cls(app=app, label=label, steps=(), machines=tuple(machines), release=release)

    @property
    def empty(self) -> bool:
        """Nothing at Fly would change; there may still be machines to wait for."""
        return not any(step.mutates for step in self.steps)


def update_of(machine: str) -> str:
    """Id of the step that updates a machine."""
    return f"update:{machine}"


def replacement_of(machine: str | None) -> str:
    """Id of the step that makes what takes the place of a machine."""
    return f"replace:{machine}"


def join(plans: Iterable[GroupPlan]) -> GroupPlan:
    """The plans of several groups as one."""
    plans = tuple(plans)
    return GroupPlan(
        steps=tuple(step for plan in plans for step in plan.steps),
        pools={name: size for plan in plans for name, size in plan.pools.items()},
        unchanged=tuple(machine for plan in plans for machine in plan.unchanged),
        notes=tuple(note for plan in plans for note in plan.notes),
    )


def behind(plan: GroupPlan, first: Iterable[Step]) -> GroupPlan:
    """The plan, once other steps are done."""
    before = tuple(step.id for step in first)
    return evolve(plan, steps=tuple(step.after(*before) for step in plan.steps))


def facts(observed: ObservedApp) -> dict[str, str]:
    """What an app has at Fly, and which version of it; not whether machines run just now."""
    found = {f"app {observed.name}": ""} if observed.exists else {}
    found |= {f"machine {m.id}": m.instance_id or "" for m in observed.machines}
    found |= {f"volume {v.id}": v.attached_machine_id or "" for v in observed.volumes}
    found |= {f"address {a.ip}": "" for a in observed.addresses}
    return found | {f"secret {name}": digest for name, digest in observed.secrets.items()}


def fingerprint(observed: ObservedApp) -> str:
    """A short text that changes when anything changes that a plan depends on."""
    states = [(machine.id, machine.state) for machine in observed.machines]
    parts = (observed.name, sorted(facts(observed).items()), states)
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:16]
