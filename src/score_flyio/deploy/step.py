"""The units of change of a plan.

A step says what is done, to what, and which steps come before it; nothing here does anything.
`takes` names a pool of slots that bounds how many machines of a group are out at a time: a slot is
taken before the step starts, and is free again after the step that names the taker in `frees`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Self

from attrs import evolve, field, frozen

from fly_machines import models
from score_flyio.base.secret import Secret
from score_flyio.deploy.compare import Difference
from score_flyio.deploy.model import OwnCertificate, Ref


@frozen(kw_only=True)
class Step:
    """Base of all steps; `id` is unique within a plan."""

    verb: ClassVar[str] = ""
    id: str
    app: str
    group: str | None = None
    needs: tuple[str, ...] = ()
    takes: str | None = None
    frees: str | None = None

    def describe(self) -> str:
        """One line for a person."""
        return f"{self.verb} {self.app}"

    def after(self, *ids: str) -> Self:
        """The same step, with more steps before it."""
        return evolve(self, needs=tuple(dict.fromkeys((*self.needs, *ids))))


@frozen(kw_only=True)
class CreateApp(Step):
    """Makes the app, in the organization of slug `org`; its name is unique on the platform."""

    verb = "create app"
    org: str

    def describe(self) -> str:
        return f"create app {self.app} in organization {self.org}"


@frozen(kw_only=True)
class AllocateAddress(Step):
    """`kind` is `v4`, `v6`, `shared_v4` or `private_v6`."""

    verb = "allocate address"
    kind: str
    region: str | None = None
    """Where it leads to; None: to the machine that is nearest, wherever it is."""

    def describe(self) -> str:
        where = f" in {self.region}" if self.region else ""
        cost = ", 2 USD per month" if self.kind == "v4" else ""
        return f"allocate address {self.kind}{where}{cost}"


@frozen(kw_only=True)
class AddCertificate(Step):
    """Asks for a certificate for a host name that points at the app, or will; or gives one."""

    verb = "add certificate"
    hostname: str
    own: OwnCertificate | None = None

    def describe(self) -> str:
        whose = "a certificate" if self.own is None else "the given certificate"
        return f"add {whose} for {self.hostname}"


@frozen(kw_only=True)
class RemoveCertificate(Step):
    """Takes all certificates of a host name away."""

    verb = "remove certificate"
    hostname: str

    def describe(self) -> str:
        return f"remove the certificate of {self.hostname}"


@frozen(kw_only=True)
class SetSecrets(Step):
    """Sets the values of `values`; a None unsets."""

    verb = "set secrets"
    values: Mapping[str, Secret | None] = field(repr=False)
    changes: Mapping[str, str]
    """Name to what is known of the change: `new`, `changed`, `removed`, `absent` or `unknown`."""

    def describe(self) -> str:
        shown = ", ".join(f"{name} ({why})" for name, why in sorted(self.changes.items()))
        return f"set secrets {shown}"


@frozen(kw_only=True)
class CreateVolume(Step):
    """Makes volume `number` of those that the group's machines mount."""

    verb = "create volume"
    request: models.CreateVolumeRequest
    number: int = 1

    def describe(self) -> str:
        size = f", {self.request.size_gb} GB" if self.request.size_gb else ""
        return f"create volume {self.request.name} in {self.request.region or 'any region'}{size}"


@frozen(kw_only=True)
class RunReleaseCommand(Step):
    """Runs the release command in a machine of its own; nothing else is touched when it fails."""

    verb = "run release command"
    request: models.CreateMachineRequest
    command: str
    timeout: float
    launch_id: str
    secrets_from: str | None = None

    def describe(self) -> str:
        return f"run release command `{self.command}`"


@frozen(kw_only=True)
class RunMachineCheck(Step):
    """Tests a machine with a command that runs in a machine of its own, told where the other is."""

    verb = "run machine check"
    ref: Ref
    """The machine that is tested."""
    request: models.CreateMachineRequest
    command: str
    timeout: float
    launch_id: str
    secrets_from: str | None = None

    def describe(self) -> str:
        return f"test {self.ref} with `{self.command}`"


@frozen(kw_only=True)
class CreateMachine(Step):
    """`volume_from` and `standby_for` name the steps whose results the request still lacks."""

    verb = "create machine"
    request: models.CreateMachineRequest
    launch_id: str
    number: int
    of: int
    role: str = ""
    """`standby`, `canary`, `green`, `replacement` or nothing."""
    volume_from: str | None = None
    standby_for: Ref | None = None
    secrets_from: str | None = None
    fallback_regions: tuple[str, ...] = ()
    previous: str | None = None
    """Id of the machine that this one stands in for."""

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
    def ref(self) -> Ref:
        """The machine that this step makes."""
        return Ref(step=self.id, label=self.label)


@frozen(kw_only=True)
class UpdateMachine(Step):
    """Gives a machine its new config.

    With `only_if_secrets_differ`, nothing but secrets may have changed, and the step is skipped
    when setting them turns out to have changed nothing.
    """

    verb = "update machine"
    machine: str
    region: str | None = None
    request: models.UpdateMachineRequest
    previous: models.FlyMachineConfig
    instance_id: str
    """The version that the request was made from."""
    differences: tuple[Difference, ...] = ()
    secrets_from: str | None = None
    only_if_secrets_differ: bool = False
    starts: bool = False
    """Whether it is started, too: an update alone leaves a machine stopped that did not run."""

    def describe(self) -> str:
        if self.only_if_secrets_differ:
            return f"update machine {self.machine} of {self.group} if its secrets changed"
        return f"update machine {self.machine} of {self.group}"


@frozen(kw_only=True)
class RevertMachine(Step):
    """Gives a machine the config back that it had before the run."""

    verb = "revert machine"
    machine: str
    region: str | None = None
    config: models.FlyMachineConfig
    launch: bool = True
    """Whether it ran before."""

    def describe(self) -> str:
        return f"give machine {self.machine} of {self.group} its previous config back"


@frozen(kw_only=True)
class HoldMachines(Step):
    """Takes the leases of all machines that the plan changes, at once, before any of them does."""

    verb = "hold machines"
    machines: tuple[str, ...]

    def describe(self) -> str:
        return f"hold {len(self.machines)} machine(s)"


@frozen(kw_only=True)
class AwaitHealthy(Step):
    """Waits until a machine runs its new version and its checks pass."""

    verb = "wait for"
    ref: Ref
    timeout: float
    wait_for_checks: bool = True

    def describe(self) -> str:
        return f"wait until {self.ref} is healthy"


@frozen(kw_only=True)
class WatchForCrashes(Step):
    """Watches a started machine for a crash loop, for `window` seconds from its start."""

    verb = "watch"
    ref: Ref
    window: float

    def describe(self) -> str:
        return f"watch {self.ref} for {self.window:g} s"


@frozen(kw_only=True)
class DestroyMachine(Step):
    """Deletes a machine even while it runs; `reason` tells a person why it may go."""

    verb = "destroy machine"
    ref: Ref
    reason: str

    def describe(self) -> str:
        return f"destroy {self.ref}: {self.reason}"


@frozen(kw_only=True)
class CordonMachine(Step):
    """Takes a machine out of routing: the proxy sends it no new requests."""

    verb = "cordon machine"
    ref: Ref

    def describe(self) -> str:
        return f"take {self.ref} out of routing"


@frozen(kw_only=True)
class UncordonMachine(Step):
    """Lets the proxy send requests to a machine that was created or set out of routing."""

    verb = "uncordon machine"
    ref: Ref

    def describe(self) -> str:
        return f"put {self.ref} into routing"


@frozen(kw_only=True)
class SetMetadata(Step):
    """Sets one metadata key of a machine, without a restart of it."""

    verb = "mark machine"
    ref: Ref
    key: str
    value: str

    def describe(self) -> str:
        return f"mark {self.ref} with {self.key}={self.value}"


@frozen(kw_only=True)
class StopMachine(Step):
    """Asks the processes of a machine to end; the machine and its config stay."""

    verb = "stop machine"
    ref: Ref

    def describe(self) -> str:
        return f"stop {self.ref}"


@frozen(kw_only=True)
class StartMachine(Step):
    """Starts a machine that came to rest although it should run."""

    verb = "start machine"
    ref: Ref

    def describe(self) -> str:
        return f"start {self.ref}"


@frozen(kw_only=True)
class Pause(Step):
    """Time for the proxy to learn of a change; the platform gives no way to ask it."""

    verb = "pause"
    seconds: float
    reason: str

    def describe(self) -> str:
        return f"wait {self.seconds:g} s: {self.reason}"


@frozen(kw_only=True)
class DestroyVolume(Step):
    """Deletes a volume with all that is on it."""

    verb = "destroy volume"
    volume: str

    def describe(self) -> str:
        return f"destroy volume {self.volume}"


@frozen(kw_only=True)
class ReleaseAddress(Step):
    """Gives an address back; the app is not reached by it any more."""

    verb = "release address"
    address: str

    def describe(self) -> str:
        return f"release address {self.address}"


@frozen(kw_only=True)
class DestroyApp(Step):
    """Deletes the app, with everything that is still in it."""

    verb = "destroy app"

    def describe(self) -> str:
        return f"destroy app {self.app}"


MUTATING = (
    CreateApp,
    AllocateAddress,
    AddCertificate,
    RemoveCertificate,
    SetSecrets,
    CreateVolume,
    RunReleaseCommand,
    RunMachineCheck,
    CreateMachine,
    UpdateMachine,
    RevertMachine,
    DestroyMachine,
    CordonMachine,
    UncordonMachine,
    SetMetadata,
    StopMachine,
    StartMachine,
    DestroyVolume,
    ReleaseAddress,
    DestroyApp,
)
"""The kinds of step that change something at Fly."""
