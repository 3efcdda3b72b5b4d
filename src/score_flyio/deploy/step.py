"""The units of change of a plan.

A step says what is done, to what, and which steps come before it; nothing here does anything.
`takes` names a pool of slots that bounds how many machines of a group are out at a time: a slot is
taken before the step starts, and is free again after the step that names the taker in `frees`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Final, Literal, Self, TypeAlias
from urllib.parse import quote

from fly_machines import models
from fly_machines import operations as api
from score_flyio.base.counted import counted
from score_flyio.base.record import evolve, field, frozen
from score_flyio.deploy.compare import Difference
from score_flyio.deploy.metadata import COUNTED, TAG
from score_flyio.deploy.model import Ref, Undo

Sign: TypeAlias = Literal["+", "~", "-", " "]
_MEANINGS: Final = {
    COUNTED: "its group is complete: no deploy adds a machine to it unasked",
    TAG: "its time is over: a deploy that finds it may destroy it",
}
"""What people are told of a key of metadata."""
_PARAMETERS: Final = {"hostname": "hostname", "volume_id": "volume", "ip": "address", "key": "key"}
"""Which attribute of a step stands for a parameter of a path."""


@frozen(kw_only=True)
class Step:
    """Base of all steps; `id` is unique within a plan."""

    verb: ClassVar[str] = ""
    says: ClassVar[str] = ""
    """One line for a person, where the step needs no other words than its own."""
    sign: ClassVar[Sign] = " "
    """For people: what it makes, changes or takes away."""
    lasting: ClassVar[bool] = False
    """Whether it stays done when a run plans anew."""
    id: str
    group: str | None = None
    needs: tuple[str, ...] = ()
    takes: str | None = None
    frees: str | None = None
    secrets_from: str | None = None
    """Id of the step that sets the secrets that it gives to a machine."""

    @property
    def target(self) -> Ref | None:
        """The machine that it is about, where it is about one."""
        return None

    @property
    def _called(self) -> tuple[str, ...]:
        """Ids of the machines that its calls are about."""
        return (self.target.machine,) if self.target and self.target.machine else ()

    @property
    def lasts(self) -> float:
        """Seconds that it takes, whatever Fly does; 0 where Fly decides."""
        return 0.0

    @property
    def operations(self) -> tuple[api.Operation, ...]:
        """What it calls, in order.

        Looks and lease renewals may be repeated, and go out for several machines together.
        """
        return ()

    @property
    def mutates(self) -> bool:
        """Whether it changes something at Fly."""
        return any(operation.method != "GET" for operation in self.operations)

    def describe(self) -> str:
        """One line for a person."""
        return self.says.format(step=self)

    def after(self, *ids: str) -> Self:
        """The same step, with more steps before it."""
        needs = tuple(dict.fromkeys((*self.needs, *ids)))
        return self if needs == self.needs else evolve(self, needs=needs)

    def calls(self, app: str) -> tuple[str, ...]:
        """Each once, as `METHOD /path`; `{machine_id}` stands for a machine that has no id yet."""
        own = {p: getattr(self, name) for p, name in _PARAMETERS.items() if hasattr(self, name)}
        names = {p: quote(name, safe="") for p, name in {"app_name": app, **own}.items()}
        machines = [quote(machine, safe="") for machine in self._called] or ["{machine_id}"]
        calls = (
            f"{operation.method} {operation.path.format(machine_id=machine, **names)}"
            for operation in self.operations
            for machine in machines
        )
        return tuple(dict.fromkeys(calls))


@frozen(kw_only=True)
class RunCommand(Step):
    """Base of what runs a command in a machine of its own."""

    request: models.CreateMachineRequest
    command: str
    timeout: float
    launch_id: str


@frozen(kw_only=True)
class RunReleaseCommand(RunCommand):
    """Runs the release command; nothing else is touched when it fails."""

    verb = "run release command"
    says = "run release command `{step.command}`"
    lasting = True
    operations = (api.MACHINES_CREATE, api.MACHINES_WAIT, api.MACHINES_SHOW)


@frozen(kw_only=True)
class RunMachineCheck(RunCommand):
    """Tests a machine with a command that runs in a machine of its own, told where the other is."""

    verb = "run machine check"
    says = "test {step.target} with `{step.command}`"
    operations = (api.MACHINES_SHOW, api.MACHINES_CREATE, api.MACHINES_WAIT, api.MACHINES_SHOW)
    target: Ref
    """The machine that is tested."""


@frozen(kw_only=True)
class CreateMachine(Step):
    """`volume_from` and `standby_for` name the steps whose results the request still lacks."""

    verb = "create machine"
    sign = "+"
    operations = (api.MACHINES_CREATE,)
    request: models.CreateMachineRequest
    launch_id: str
    number: int = 1
    of: int = 1
    role: str = ""
    """`standby`, `canary`, `green`, `replacement` or nothing."""
    volume_from: str | None = None
    standby_for: tuple[Ref, ...] = ()
    previous: str | None = None
    """Id of the machine that this one stands in for."""
    undo: Undo | None = None

    @property
    def config(self) -> models.FlyMachineConfig:
        """What the machine is given."""
        return self.request.config or models.FlyMachineConfig()

    def describe(self) -> str:
        where = f" in {self.request.region}" if self.request.region else ""
        return f"create {self.label}{where}"

    @property
    def label(self) -> str:
        """How the machine is called before it has an id."""
        role = f"{self.role} " if self.role else ""
        count = f" {self.number} of {self.of}" if self.of > 1 else ""
        return f"{role}machine{count} of group {self.group}"

    @property
    def target(self) -> Ref:
        """The machine that this step makes."""
        return Ref(step=self.id, label=self.label)


@frozen(kw_only=True)
class _Reconfigure(Step):
    """A machine that there is gets another config."""

    operations = (api.MACHINES_UPDATE,)
    machine: str
    region: str | None = None

    @property
    def target(self) -> Ref:
        """The machine that it changes."""
        return Ref(machine=self.machine)


@frozen(kw_only=True)
class UpdateMachine(_Reconfigure):
    """Gives a machine its new config.

    With `only_if_secrets_differ`, nothing but secrets may have changed, and the step is skipped
    when setting them turns out to have changed nothing.
    """

    verb = "update machine"
    sign = "~"
    request: models.UpdateMachineRequest
    previous: models.FlyMachineConfig
    instance_id: str
    """The version that the request was made from."""
    differences: tuple[Difference, ...] = ()
    only_if_secrets_differ: bool = False
    starts: bool = False
    """Whether it is started, too: an update alone leaves a machine stopped that did not run."""
    standby_for: tuple[Ref, ...] = ()
    """What it stands by for from then on; empty: it is no standby."""

    @property
    def config(self) -> models.FlyMachineConfig:
        """What the machine is given."""
        return self.request.config or models.FlyMachineConfig()

    def describe(self) -> str:
        condition = " if its secrets changed" if self.only_if_secrets_differ else ""
        return f"update machine {self.machine} of {self.group}{condition}"


@frozen(kw_only=True)
class RevertMachine(_Reconfigure):
    """Gives a machine the config back that it had before the run."""

    verb = "revert machine"
    says = "give machine {step.machine} of {step.group} its previous config back"
    sign = "~"
    config: models.FlyMachineConfig
    launch: bool = True
    """Whether it ran before."""


@frozen(kw_only=True)
class HoldMachines(Step):
    """Takes the leases of all machines that the plan changes, before any of them does.

    Then it looks once more: an app that changed since it was seen has to be planned anew.
    """

    verb = "hold machines"
    operations = (
        api.MACHINES_CREATE_LEASE,
        api.MACHINES_LIST,
        api.MACHINES_SHOW,
        api.MACHINES_RELEASE_LEASE,
    )
    """One machine is read only where the list lacks it."""
    mutates = False
    machines: tuple[str, ...]
    """In the order in which every run takes them."""
    in_the_making: tuple[str, ...] = ()
    """Machines that another run may be making; they are held last, when that has ended."""
    seen: Mapping[str, str] = field(factory=dict, repr=False)
    """How each machine was that the plan depends on, by id: see `as_seen`."""
    everything: bool = False
    """Whether it depends on machines that belong to no process group, too."""

    def describe(self) -> str:
        return f"hold {counted(len(self._called), 'machine')}"

    @property
    def _called(self) -> tuple[str, ...]:
        return (*self.machines, *self.in_the_making)


@frozen(kw_only=True)
class AwaitHealthy(Step):
    """Waits until a machine runs its new version and its checks pass."""

    verb = "wait for"
    says = "wait until {step.target} is healthy"
    operations = (api.MACHINES_SHOW,)
    target: Ref
    timeout: float
    wait_for_checks: bool = True


@frozen(kw_only=True)
class WatchForCrashes(Step):
    """Watches a started machine for a crash loop, for `window` seconds from its start."""

    verb = "watch"
    says = "watch {step.target} for {step.window:g} s"
    operations = (api.MACHINES_SHOW,)
    target: Ref
    window: float

    @property
    def lasts(self) -> float:
        """The window, which begins a little before the step does."""
        return self.window


@frozen(kw_only=True)
class DestroyMachine(Step):
    """Deletes a machine even while it runs; `reason` tells a person why it may go."""

    verb = "destroy machine"
    says = "destroy {step.target}: {step.reason}"
    sign = "-"
    target: Ref
    reason: str
    serves: bool = False
    """It may have requests under way: it is stopped first, and what it has begun is waited for."""
    unless_held: bool = False
    """It stays where someone else holds its lease: then the run that made it lives."""

    @classmethod
    def of(cls, machine: str, *, group: str | None = None, reason: str) -> Self:
        """The end of a machine that is there."""
        target = Ref(machine=machine)
        return cls(id=f"destroy:{machine}", group=group, target=target, reason=reason)

    @property
    def operations(self) -> tuple[api.Operation, ...]:
        before = (api.MACHINES_STOP, api.MACHINES_WAIT) if self.serves else ()
        return (*before, api.MACHINES_DELETE)


@frozen(kw_only=True)
class CordonMachine(Step):
    """Takes a machine out of routing: the proxy sends it no new requests."""

    verb = "cordon machine"
    says = "take {step.target} out of routing"
    operations = (api.MACHINES_CORDON,)
    target: Ref


@frozen(kw_only=True)
class UncordonMachine(Step):
    """Lets the proxy send requests to a machine that was created or set out of routing."""

    verb = "uncordon machine"
    says = "put {step.target} into routing"
    operations = (api.MACHINES_UNCORDON,)
    target: Ref


@frozen(kw_only=True)
class SetMetadata(Step):
    """Sets one metadata key of a machine, without a restart of it."""

    verb = "mark machine"
    operations = (api.MACHINES_UPSERT_METADATA,)
    target: Ref
    key: str
    value: str

    def describe(self) -> str:
        meaning = _MEANINGS.get(self.key, f"{self.key} is {self.value}")
        return f"note on {self.target} that {meaning}"


@frozen(kw_only=True)
class StopMachine(Step):
    """Asks the processes of a machine to end; the machine and its config stay."""

    verb = "stop machine"
    says = "stop {step.target}"
    operations = (api.MACHINES_STOP,)
    target: Ref


@frozen(kw_only=True)
class StartMachine(Step):
    """Starts a machine that came to rest although it should run."""

    verb = "start machine"
    says = "start {step.target}"
    operations = (api.MACHINES_START,)
    target: Ref


@frozen(kw_only=True)
class Pause(Step):
    """Time for the proxy to learn of a change; the platform gives no way to ask it."""

    verb = "pause"
    says = "wait {step.seconds:g} s: {step.reason}"
    seconds: float
    reason: str

    @property
    def lasts(self) -> float:
        """All of it."""
        return self.seconds
