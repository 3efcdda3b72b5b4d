"""What runs: apps, machines, volumes, addresses and resources, from a fresh reading."""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Iterator, Sequence

from fly_machines import models
from score_flyio.base.document import Document
from score_flyio.base.record import frozen
from score_flyio.deploy.metadata import (
    RELEASE_VERSION,
    SAFE_TO_DESTROY,
    Marks,
    by_group,
    group_of,
    is_own,
    is_release_machine,
    is_stray,
)
from score_flyio.deploy.model import ObservedApp
from score_flyio.deploy.observe import Wanted, observe_app
from score_flyio.deploy.planning.counts import missing_of_launch
from score_flyio.deploy.planning.secrets import waiting_secrets
from score_flyio.deploy.verdict import count_checks
from score_flyio.engine.operations.addresses import Address, addresses_of
from score_flyio.engine.operations.apps import AppRef
from score_flyio.engine.session import Session
from score_flyio.errors import FlyError
from score_flyio.errors.unwrap import at_once, unwrapped
from score_flyio.fly.present import metadata, shown_config
from score_flyio.state.model import ProjectState


@frozen(kw_only=True)
class MachineStatus(Document):
    """One machine."""

    id: str
    group: str
    region: str
    state: str
    checks_passing: int
    checks_total: int
    image: str
    release: str
    note: str = ""
    """What is remarkable: a standby, out of routing, a host that does not answer."""

    @property
    def checks(self) -> str:
        """Such as `1/2`; nothing where there are none."""
        return f"{self.checks_passing}/{self.checks_total}" if self.checks_total else "-"


@frozen(kw_only=True)
class VolumeStatus(Document):
    """One volume."""

    id: str
    name: str
    region: str
    size_gb: int
    state: str
    machine: str


@frozen(kw_only=True)
class AppStatus(Document):
    """One app; `error` when it could not be read."""

    app: str
    """Its name."""
    workload: str | None = None
    """The one that it belongs to."""
    exists: bool = False
    """Whether there is such an app."""
    status: str = ""
    """What the platform says of it."""
    machines: tuple[MachineStatus, ...] = ()
    """All that live."""
    volumes: tuple[VolumeStatus, ...] = ()
    """All of it."""
    addresses: tuple[Address, ...] = ()
    """All of it."""
    notes: tuple[str, ...] = ()
    """What is remarkable of it: several releases in a group, secrets that wait."""
    error: str | None = None
    """Why it could not be read."""
    hint: str | None = None
    """What to do about the error."""

    @property
    def label(self) -> str:
        """The workload and its app."""
        return f"{self.workload} (app {self.app})" if self.workload else self.app


@frozen(kw_only=True)
class ResourceStatus(Document):
    """One resource of the project."""

    uid: str
    provisioner: str
    provisioned: bool
    workloads: tuple[str, ...]


@frozen(kw_only=True)
class Status(Document):
    """Everything that was asked for."""

    apps: tuple[AppStatus, ...]
    """In the order in which they were asked for."""
    resources: tuple[ResourceStatus, ...] = ()
    """Those of the workloads."""


async def read_status(session: Session, refs: Sequence[AppRef]) -> Status:
    """Reads all apps at once; one that cannot be read does not keep the others from it."""
    apps, wanted = session.apps(len(refs)), Wanted(volumes=True, addresses=True, secrets=True)
    async with session.memory("status", to_look=True) as recorder:
        state = recorder.state

    async def read(ref: AppRef) -> AppStatus:
        try:
            with unwrapped():
                observed = await observe_app(session.client, ref.app, wanted, apps)
        except FlyError as error:
            hint = error.hint
            return AppStatus(app=ref.app, workload=ref.workload, error=error.message, hint=hint)
        return app_status(observed, ref)

    resources = _resources(state, [ref.workload for ref in refs])
    return Status(apps=tuple(await at_once(read, refs)), resources=resources)


def app_status(observed: ObservedApp, ref: AppRef) -> AppStatus:
    """One app as it was observed."""
    machines = (*observed.machines, *observed.others, *observed.leftovers)
    present = {machine.id for machine in machines}
    shown = [_machine(machine, present) for machine in machines]
    return AppStatus(
        app=ref.app,
        workload=ref.workload,
        exists=observed.exists,
        status=(observed.app.status or "") if observed.app else "",
        machines=tuple(sorted(shown, key=lambda m: (m.group, m.region, m.id))),
        volumes=tuple(
            VolumeStatus(
                id=volume.id or "",
                name=volume.name or "",
                region=volume.region or "",
                size_gb=volume.size_gb or 0,
                state=volume.state or "",
                machine=volume.attached_machine_id or "",
            )
            for volume in sorted(observed.volumes, key=lambda v: v.id or "")
        ),
        addresses=addresses_of(observed),
        notes=tuple(_notes(observed)),
    )


def _notes(observed: ObservedApp) -> Iterator[str]:
    """Deploys that came to no end or are under way, and what waits for one."""
    if observed.exists and not observed.machines:
        yield "it has no machine: its first deploy is under way or was interrupted; deploy goes on"
    groups = by_group(observed.machines)
    for group, machines in groups.items():
        if missing_of_launch(machines):
            yield (
                f"group {group} has {len(machines)} of the machines of its first deploy, which is "
                "under way or was interrupted; deploy goes on"
            )
    for group, machines in groups.items():
        count = Counter(metadata(machine).get(RELEASE_VERSION, "-") for machine in machines)
        if len(count) > 1:
            shares = ", ".join(f"{number} on {n}" for number, n in sorted(count.items()))
            yield (
                f"group {group} runs several releases ({shares}): a deploy is under way, was "
                "interrupted, or had no need to change all; deploy again goes on"
            )
    names = {name for m in observed.machines for name in waiting_secrets(m, observed)}
    if names:
        yield f"staged secrets wait for the next deploy: {', '.join(sorted(names))}"


def _machine(machine: models.Machine, present: Container[str | None]) -> MachineStatus:
    checks, config, marks = count_checks(machine), shown_config(machine), Marks.of(machine)
    host, stray = machine.host_status or "ok", is_stray(machine)
    notes = {
        f"standby for {', '.join(config.standbys or ())}": bool(config.standbys),
        # Which part it has in a deploy that is under way or was interrupted, or that it has none.
        "no deploy made it": stray,
        "release command": is_release_machine(machine),
        "canary": not stray and bool(marks.canary),
        "replaced, to be destroyed": not stray and marks.tag == SAFE_TO_DESTROY,
        f"takes over from {marks.stands_for}": not stray and marks.stands_for in present,
        "of no release": is_own(machine) and marks.release_id is None,
        "out of routing": bool(machine.cordoned),
        f"host {host}": host != "ok",
    }
    return MachineStatus(
        id=machine.id or "",
        group=group_of(machine),
        region=machine.region or "",
        state=machine.state or "",
        checks_passing=checks.passing,
        checks_total=max(checks.configured, checks.reported),
        image=config.image or "",
        release=metadata(machine).get(RELEASE_VERSION, ""),
        note=", ".join(text for text, holds in notes.items() if holds),
    )


def _resources(state: ProjectState, workloads: Sequence[str | None]) -> tuple[ResourceStatus, ...]:
    every = [
        ResourceStatus(
            uid=str(uid),
            provisioner=record.provisioner,
            provisioned=record.provisioned,
            workloads=state.users(uid),
        )
        for uid, record in sorted(state.resources.items())
    ]
    wanted = {name for name in workloads if name}
    everything = wanted == set(state.workloads)
    return tuple(one for one in every if everything or wanted & set(one.workloads))
