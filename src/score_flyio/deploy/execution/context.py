"""What the steps of one app's plan share while they are carried out."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final, TypeVar

import anyio
import anyio.abc

from fly_machines import models
from score_flyio.base.record import define, evolve, field, frozen, values
from score_flyio.base.secret import Secret, masked
from score_flyio.deploy.execution.health import HealthWatch
from score_flyio.deploy.execution.scouts import Scouts
from score_flyio.deploy.metadata import Marks
from score_flyio.deploy.model import ObservedApp, Ref
from score_flyio.deploy.options import DeployOptions
from score_flyio.deploy.releases.announce import Announcement
from score_flyio.deploy.releases.images import digest_of
from score_flyio.deploy.step import Step, UpdateMachine
from score_flyio.errors import DeployError, ScoreFlyError
from score_flyio.events import Listener, Scope, WarningRaised
from score_flyio.fly import creation, repeats
from score_flyio.fly.client import FlyClient
from score_flyio.fly.leases import LeaseBook
from score_flyio.fly.present import leads_in
from score_flyio.state.deployments import SecretRecord

T = TypeVar("T")
Request = TypeVar("Request", models.CreateMachineRequest, models.UpdateMachineRequest)

NEW_APP_SECONDS: Final = 30.0
"""How long an app made in this run may be missing from answers."""


class Unchanged(Exception):
    """A step found, as it was to act, that there is nothing to do; the text is the machine's id.

    What waits for the machine is skipped.
    """


class Outdated(Exception):
    """The app is not as it was when the plan was made; the text says what is different."""


@frozen(kw_only=True)
class MadeMachine:
    """A machine as a step left it."""

    id: str
    instance_id: str | None = None
    since: float = field(factory=anyio.current_time)
    """When it got its config, on the event loop's clock."""
    launched: bool = True
    digest: str | None = None
    """Of the image that it runs, as far as the platform tells."""
    left: str | None = None
    """The machine that this one took over from, and that is still there."""
    left_updated: bool = False
    """Whether that one has the new config, too: it was its start that found no room."""


@frozen(kw_only=True)
class SecretsSet:
    """What setting secrets brought."""

    version: int | None
    seen: str
    """What machines that see these secrets carry in their metadata."""
    changed: bool
    """Whether any digest is another one than before."""


@define(kw_only=True)
class ContextSettings:
    """What the execution of one app's plan is given."""

    client: FlyClient
    app: str
    label: str
    options: DeployOptions
    secrets_set: Callable[[str, Mapping[str, SecretRecord]], Awaitable[None]]
    """Keeps what must survive the run of an app's secrets; returns when it is on disk."""
    emit: Listener
    scouts: Scouts = field(factory=Scouts)
    """Shared by all apps of a run."""
    salt: str = field(default="", repr=False)
    """Key of the fingerprints of secrets."""

    def scope(self, **parts: str | None) -> Scope:
        """The scope of an event of this app: its workload too, where it has one."""
        return Scope.of_app(self.app, self.label, **parts)

    def warn(self, message: str, code: str) -> None:
        """Tells people what they should know of the app."""
        self.emit(WarningRaised(scope=self.scope(), message=message, code=code))


@define(kw_only=True)
class Context(ContextSettings):
    """Results of steps by id, and the tools that steps use."""

    release: Announcement
    leases: LeaseBook
    health: HealthWatch
    secret_names: tuple[str, ...] = ()
    """All secrets of the workload, set in this run or before."""
    secret_values: tuple[Secret, ...] = field(default=(), repr=False)
    """What must not show, whatever machines print."""
    secrets_before: Mapping[str, str] = field(factory=dict)
    """Digests by name, as observed."""
    known_volumes: set[str] = field(factory=set)
    """Ids of volumes that were there before, so that a new one can be told from them."""
    known_addresses: set[str] = field(factory=set)
    volume_turn: anyio.Lock = field(factory=anyio.Lock)
    """Volumes are made one after another, so that a lost answer can be told from another's."""
    app_is_new: bool = False
    history_refused: bool = False
    """Whether the platform has refused the history of releases in metadata."""
    results: dict[str, Any] = field(factory=dict)
    updated: dict[str, MadeMachine] = field(factory=dict)
    """What updates left of machines, by the id of each."""

    def saw(self, observed: ObservedApp) -> None:
        """Notes what is there before a plan is carried out."""
        self.health.whole = not observed.machines  # others may launch the app, too
        self.secrets_before = observed.secrets
        self.known_volumes.update(volume.id or "" for volume in observed.volumes)
        self.known_addresses.update(a.ip or "" for a in observed.addresses if leads_in(a))

    async def about_app(self, call: Callable[[], Awaitable[T]]) -> T:
        """Makes a call about the app, which may be too new to be seen everywhere."""
        within = NEW_APP_SECONDS if self.app_is_new else 0.0
        return await repeats.once_visible(call, within=within)

    async def add_last_lines(self, failure: ScoreFlyError) -> None:
        """Gives a failure of a machine what the machine said last, without secrets."""
        logs = self.client.logs
        if logs is not None and isinstance(failure, DeployError) and failure.machine:
            lines = await logs.last_lines(self.app, failure.machine)
            failure.logs = tuple(masked(line, self.secret_values) for line in lines)

    def machine(self, ref: Ref) -> MadeMachine:
        """The machine that a step is about."""
        if ref.step is not None:
            made: MadeMachine = self.results[ref.step]
            return made
        name = ref.machine or ""
        return self.updated.get(name, MadeMachine(id=name))

    def done(self, step: Step, value: Any) -> None:
        """Keeps what a step brought, for those that need it."""
        self.results[step.id] = value
        if isinstance(step, UpdateMachine) and isinstance(value, MadeMachine):
            self.updated[step.machine] = value

    async def bound(
        self, request: Request, config: models.FlyMachineConfig, secrets_from: str | None
    ) -> Request:
        """The request with a config that tells of the secrets that were set, and of the release."""
        secrets = self.secrets(secrets_from)
        if secrets is not None:
            config = Marks(secrets_seen=secrets.seen).stamp(config)
            request = evolve(request, min_secrets_version=secrets.version)
        return evolve(request, config=await self.release.stamped(config))

    async def create(self, request: models.CreateMachineRequest, launch_id: str) -> models.Machine:
        """Creates a machine, which is held from its beginning."""
        wanted = self.under_lease(request)
        return await self.about_app(
            lambda: creation.create_machine(
                self.client.api, self.app, wanted, launch_id, made=self.leases.adopt
            )
        )

    def under_lease(self, request: models.CreateMachineRequest) -> models.CreateMachineRequest:
        """The request for a machine that others can tell from what a dead run left."""
        return evolve(request, lease_ttl=self.leases.seconds)

    async def nonce(self, machine: str) -> str | None:
        """The proof that the run holds a machine, where it does. Raises LeaseLost."""
        await self.leases.settled(machine)
        return self.leases.nonce(machine)

    def made(self, machine: models.Machine, *, launched: bool) -> MadeMachine:
        """Notes that a machine got its config just now."""
        return MadeMachine(
            id=machine.id or "",
            instance_id=machine.instance_id,
            launched=launched,
            digest=digest_of(machine),
        )

    def secrets(self, step_id: str | None) -> SecretsSet | None:
        """What the step that sets secrets brought; None where nothing waits for one."""
        found = self.results.get(step_id or "")
        return found if isinstance(found, SecretsSet) else None


def new_context(settings: ContextSettings, tasks: anyio.abc.TaskGroup) -> Context:
    """A fresh context; leases are held, and Fly is told of the release, by tasks of `tasks`."""
    client, app, emit, scope = settings.client, settings.app, settings.emit, settings.scope()
    health = HealthWatch(client=client, app=app, emit=emit, scope=scope, scouts=settings.scouts)
    return Context(
        **values(settings),
        release=Announcement(
            api=client.releases if settings.options.release_record else None,
            tasks=tasks,
            warn=lambda message: settings.warn(message, "release_record"),
        ),
        leases=LeaseBook(
            api=client.api,
            app=app,
            tasks=tasks,
            ttl=settings.options.lease_ttl,
            wait=settings.options.lease_wait,
            emit=emit,
            on_lost=health.give_up,
            scope=scope,
        ),
        health=health,
    )
