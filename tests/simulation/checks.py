"""What must be true after each run."""

from __future__ import annotations

import json
from math import inf
from typing import TYPE_CHECKING

from fly_emulator.journal import JournalEntry
from fly_emulator.records import MachineRecord
from score_flyio.engine.operations.status import Status
from score_flyio.events import WarningRaised, to_json
from tests.emulator.invariants import MUTATIONS, violations
from tests.simulation.capacity import CapacityWatch
from tests.simulation.certainty import uncertain
from tests.simulation.commands import (
    SECRET_PREFIX,
    AddCertificate,
    ChangeSecrets,
    Command,
    Deploy,
    DeploySecrets,
    RemoveCertificate,
    reads_only,
    touches,
    waits,
)
from tests.simulation.data import left_behind
from tests.simulation.people import THEIR_SECRET
from tests.simulation.platform import WatchedWorld, group_of, healthy, living
from tests.simulation.scenario import Scenario

if TYPE_CHECKING:
    from tests.simulation.simulate import RunRecord, Simulation


def after_run(simulation: Simulation, record: RunRecord, capacity: CapacityWatch) -> list[str]:
    """Promises that hold after every single run."""
    found = [*_requests(simulation, record), *_told(record), *capacity.broken()]
    found += [*_out_of_bounds(simulation, record), *left_behind(simulation, record)]
    if not record.killed:
        found += [*_leases(simulation, record), *_honest(simulation, record)]
    if record.status is not None and record.plan.calm and record.exit_code == 0:
        found += _untrue(simulation, record.status)
    if record.plan.idle:
        found += _sent_for_nothing(simulation, record)
    return found


def _requests(simulation: Simulation, record: RunRecord) -> list[str]:
    entries = simulation.emulator.journal.entries[record.first_request :]
    late = simulation.scenario.late_requests
    found = []
    for text in violations(entries, simulation.emulator.world):
        seq = int(text.split()[1]) if text.startswith("request ") else 0
        entry = next((e for e in entries if e.seq == seq), None)
        if (
            "without the nonce" in text
            and entry is not None
            and _excused(simulation, record, entry)
        ):
            continue
        if " over " in text and late:
            continue  # requests that were held up arrive closer together than they were sent
        found.append(text)
    return found


def _excused(simulation: Simulation, record: RunRecord, entry: JournalEntry) -> bool:
    """The lease was taken away from the run, or the machine cannot be held: it is on a lost host,
    or somebody took the lease of a machine that the run has just made.
    """
    machine = simulation.emulator.world.machines.get(entry.machine or "")
    if entry.nonce or machine is None or machine.host in simulation.disturber.lost:
        return True
    return machine.created_at >= record.began


def _out_of_bounds(simulation: Simulation, record: RunRecord) -> list[str]:
    """Changes by a command that changes nothing, and of machines that it is not about."""
    command = record.plan.command
    entries = simulation.emulator.journal.entries[record.first_request :]
    found = [
        f"it changed a machine of another app: {entry.operation} {entry.path}"
        for entry in entries
        if entry.operation in MUTATIONS | {"Machines_create"}
        and not touches(command, entry.app or "")
    ]
    if reads_only(command):
        found += [
            f"it only reads, but sent {entry.operation} {entry.path}"
            for entry in entries
            if entry.method != "GET"
        ]
        if simulation.disk.texts != record.state_before:
            found.append("it only reads, but changed the state")
    return found


def _untrue(simulation: Simulation, status: Status) -> list[str]:
    """What `status` tells of machines, while nothing happens to them."""
    shown = {machine.id for app in status.apps for machine in app.machines}
    there = {machine.id for machine in living(simulation.emulator.world)}
    return [f"status and the world differ in machine {name}" for name in sorted(shown ^ there)]


def _told(record: RunRecord) -> list[str]:
    texts = {"an event": json.dumps([to_json(event) for event in record.events])}
    texts["the output"] = "\n".join(record.told)
    if record.report is not None:
        texts["the report"] = record.report.to_text() + json.dumps(record.report.to_json())
    if record.error is not None:
        texts["an error"] = f"{record.error} {getattr(record.error, 'hint', '')}"
    return [problem for place, text in texts.items() for problem in secrets_in(text, place)]


def secrets_in(text: str, place: str) -> list[str]:
    """Values of secrets that stand in a text."""
    return [f"a secret stands in {place}"] if SECRET_PREFIX in text else []


def _leases(simulation: Simulation, record: RunRecord) -> list[str]:
    now = simulation.clock.time()
    excused = simulation.abandoned | set(simulation.disturber.foreign)
    entries = simulation.emulator.journal.entries[record.first_request :]
    unanswered = {
        entry.machine
        for entry in entries
        if entry.operation == "Machines_create_lease" and entry.executed and is_lost(entry)
    }
    lost_create = any(
        e.operation == "Machines_create" and e.executed and is_lost(e) for e in entries
    )
    warned = {
        event.scope.machine
        for event in record.events
        if isinstance(event, WarningRaised) and event.code == "lease_not_released"
    }
    found = []
    for machine in living(simulation.emulator.world):
        lease = machine.lease_at(now)
        if lease is None or lease.nonce in excused or machine.id in unanswered | warned:
            continue
        if lost_create and machine.created_at >= record.began:
            continue  # made under a lease whose nonce was in the answer that was lost
        found.append(f"machine {machine.id} of {machine.app} is still leased")
    simulation.abandon()
    return found


def is_lost(entry: JournalEntry) -> bool:
    """Whether the answer to a request never came."""
    return entry.status == 0 or (entry.error or "").startswith("injected")


def _honest(simulation: Simulation, record: RunRecord) -> list[str]:
    """The exit code says that something is wrong exactly when something is."""
    command = record.plan.command
    found = []
    if record.exit_code and record.report is not None and not record.report.failures:
        found.append(f"exit code {record.exit_code}, but no failure is told")
    if record.exit_code:
        return found
    if simulation.scenario.options.strategy != "immediate":
        apps = {app.app for app in simulation.scenario.apps if waits(command, app.app)}
        if not isinstance(command, Deploy):  # what was bad before, it does not wait for
            apps -= uncertain(simulation.scenario, record.plan.place)
        found += [
            f"exit code 0, but {text}" for text in unwell(simulation, apps, since=record.began)
        ]
    return found + [f"exit code 0, but {text}" for text in _unseen_secrets(simulation, command)]


def _unseen_secrets(simulation: Simulation, command: Command) -> list[str]:
    """Machines that run with older secrets than those that were to be handed out."""
    match command:
        case ChangeSecrets(stage=False) | DeploySecrets():
            apps = [command.app]
        case Deploy():
            apps = [app.app for app in simulation.scenario.apps if touches(command, app.app)]
        case _:
            return []
    world = simulation.emulator.world
    assert isinstance(world, WatchedWorld)
    return [
        f"machine {machine.id} of {machine.app} has not seen all secrets"
        for app in apps
        for machine in living(world, app)
        if machine.state == "started"
        and world.saw.get(machine.id, {}) | {THEIR_SECRET: ""}
        != world.secrets_of(app) | {THEIR_SECRET: ""}
    ]


def _sent_for_nothing(simulation: Simulation, record: RunRecord) -> list[str]:
    """The command was done already. Some calls have to be sent to know: a secret's value cannot be
    read, and asking for a certificate that is there answers how it is.
    """
    allowed: set[str] = set()
    match record.plan.command:
        case ChangeSecrets():
            allowed = {"Secrets_update"}
        case AddCertificate():
            allowed = {"App_Certificates_acme_create"}
        case RemoveCertificate():
            allowed = {"App_Certificates_delete"}
    entries = simulation.emulator.journal.entries[record.first_request :]
    found = [
        f"a run with nothing to do sent {entry.operation} {entry.path}"
        for entry in entries
        if entry.method != "GET" and entry.operation not in allowed
    ]
    if record.report is not None and record.report.outcome != "unchanged":
        found.append(f"a run with nothing to do was not `unchanged`: {record.report.to_text()}")
    if record.report is None and record.error is not None and not record.refused:
        found.append(f"a run with nothing to do failed: {record.error}")
    return found


def unwell(simulation: Simulation, apps: set[str], *, since: float = inf) -> list[str]:
    """Machines of these apps that should be well, but are not, unless people stopped them, or made
    them start anew meanwhile.
    """
    now, stage = simulation.clock.time(), simulation.stage
    groups = {a.app: a.versions[stage].groups for a in simulation.scenario.apps}
    checked = {a.app: a.checked for a in simulation.scenario.apps}
    down, people = simulation.disturber.down, simulation.people
    unseen = set() if _sees_crashes(simulation.scenario) else _crashing(simulation.scenario, stage)
    found = []
    for machine in living(simulation.emulator.world):
        if machine.app in unseen or machine.app not in apps:
            continue
        if group_of(machine.config) not in groups.get(machine.app, ()):
            continue
        if machine.config.get("standbys") or machine.host in down:
            continue
        well = healthy(machine, now) if checked[machine.app] else machine.state == "started"
        theirs = machine.id in people.stopped or people.resized.get(machine.id, 0.0) >= since
        if not well and not theirs and not _stopped_on_request(machine):
            found.append(f"machine {machine.id} of {machine.app} is {machine.state}, not healthy")
    return found


def _sees_crashes(scenario: Scenario) -> bool:
    """Whether machines are watched for long enough to see that they crash again and again."""
    return scenario.options.smoke_checks and scenario.options.smoke_window >= 10


def _crashing(scenario: Scenario, stage: int) -> set[str]:
    """Apps that have, or may have gone back to, a version that crashes."""
    first = 0 if scenario.operations else stage
    return {
        app.app
        for app in scenario.apps
        if any(version.bad == "crash" for version in app.versions[first : stage + 1])
    }


def _stopped_on_request(machine: MachineRecord) -> bool:
    return machine.state == "stopped" and not machine.launch
