"""What must be true after each run, and at the end."""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING, Any

import anyio
from attrs import evolve

from score_flyio.emulator.invariants import violations
from score_flyio.emulator.journal import JournalEntry
from score_flyio.emulator.records import MachineRecord
from score_flyio.events import WarningRaised, to_json
from tests.simulation.capacity import CapacityWatch
from tests.simulation.platform import RELEASE_GROUP, group_of, healthy, living
from tests.simulation.provisioning import Account
from tests.simulation.scenario import RunPlan, Scenario

if TYPE_CHECKING:
    from tests.simulation.simulate import RunRecord, Simulation

PASSING_KEYS = {
    "fly_release_id",
    "fly_release_version",
    "fly_flyctl_version",
    "fly_bluegreen_deployment_tag",
    "fly_flyctl_bluegreen_launch_id",
}


def after_run(simulation: Simulation, record: RunRecord, capacity: CapacityWatch) -> list[str]:
    """Promises that hold after every single run."""
    found = [*_requests(simulation, record), *_told(simulation, record), *capacity.broken()]
    if not record.killed:
        found += [*_leases(simulation, record), *_honest(simulation, record)]
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


def _told(simulation: Simulation, record: RunRecord) -> list[str]:
    texts = {"an event": json.dumps([to_json(event) for event in record.events])}
    if record.report is not None:
        texts["the report"] = record.report.to_text() + json.dumps(record.report.to_json())
    if record.error is not None:
        texts["an error"] = f"{record.error} {getattr(record.error, 'hint', '')}"
    return [
        problem
        for place, text in texts.items()
        for problem in secrets_in(text, simulation.account, place)
    ]


def secrets_in(text: str, account: Account, place: str) -> list[str]:
    """Values of secrets that stand in a text."""
    del account
    return [f"a secret stands in {place}"] if "s3cr3t-" in text else []


def _leases(simulation: Simulation, record: RunRecord) -> list[str]:
    now = simulation.clock.time()
    excused = simulation.abandoned | simulation.disturber.foreign
    entries = simulation.emulator.journal.entries[record.first_request :]
    unanswered = {
        entry.machine
        for entry in entries
        if entry.operation == "Machines_create_lease" and entry.executed and _lost(entry)
    }
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
        found.append(f"machine {machine.id} of {machine.app} is still leased")
    simulation.abandon()
    return found


def _lost(entry: JournalEntry) -> bool:
    return entry.status == 0 or (entry.error or "").startswith("injected")


def _honest(simulation: Simulation, record: RunRecord) -> list[str]:
    """The exit code says that something is wrong exactly when something is."""
    scenario, stage = simulation.scenario, record.plan.stage
    found = []
    if record.exit_code and record.report is not None and not record.report.failures:
        found.append(f"exit code {record.exit_code}, but no failure is told")
    if record.exit_code == 0 and scenario.options.strategy != "immediate":
        found += [f"exit code 0, but {text}" for text in _unwell(simulation, stage)]
    return found


def _unwell(simulation: Simulation, stage: int) -> list[str]:
    now = simulation.clock.time()
    groups = {a.app: a.versions[stage].groups for a in simulation.scenario.apps}
    checked = {a.app: a.checked for a in simulation.scenario.apps}
    down = simulation.disturber.down
    unseen = set() if _sees_crashes(simulation.scenario) else _crashing(simulation.scenario, stage)
    found = []
    for machine in living(simulation.emulator.world):
        if machine.app in unseen:
            continue
        if group_of(machine.config) not in groups.get(machine.app, ()):
            continue
        if machine.config.get("standbys") or machine.host in down:
            continue
        well = healthy(machine, now) if checked[machine.app] else machine.state == "started"
        if not well and not _stopped_on_request(machine):
            found.append(f"machine {machine.id} of {machine.app} is {machine.state}, not healthy")
    return found


def _sees_crashes(scenario: Scenario) -> bool:
    """Whether machines are watched for long enough to see that they crash again and again."""
    return scenario.options.smoke_checks and scenario.options.smoke_window >= 10


def _crashing(scenario: Scenario, stage: int) -> set[str]:
    return {app.app for app in scenario.apps if app.versions[stage].bad == "crash"}


def _stopped_on_request(machine: MachineRecord) -> bool:
    return machine.state == "stopped" and not machine.launch


async def at_the_end(simulation: Simulation) -> None:
    """The last run was undisturbed: all is well, and doing it once more changes nothing."""
    last = simulation.records[-1]
    say = simulation.violations.append
    if last.exit_code != 0:
        say(f"the last run failed: {last.report.to_text() if last.report else last.error}")
        return
    await anyio.sleep(60)
    simulation.emulator.advance()
    for text in _unwell(simulation, last.plan.stage):
        say(f"at the end {text}")
    for text in _leftovers(simulation):
        say(f"at the end {text}")
    for text in _forgotten(simulation):
        say(text)
    again = await simulation.one(last.number + 1, evolve(last.plan, faults=(), kill=None))
    entries = simulation.emulator.journal.entries[again.first_request :]
    for entry in entries:
        if entry.method != "GET":
            say(f"a run with nothing to do sent {entry.operation} {entry.path}")
    if again.report is None or again.report.outcome != "unchanged":
        shown = again.report.to_text() if again.report else again.error
        say(f"a run with nothing to do was not `unchanged`: {shown}")


def _leftovers(simulation: Simulation) -> list[str]:
    scenario, stage = simulation.scenario, simulation.records[-1].plan.stage
    groups = {a.app: set(a.versions[stage].groups) for a in scenario.apps}
    found = [f"there is an app {n}" for n in simulation.emulator.world.apps if n not in groups]
    for machine in living(simulation.emulator.world):
        group, metadata = group_of(machine.config), machine.config.get("metadata") or {}
        where = f"of {machine.app} (group {group})"
        if group == RELEASE_GROUP:
            found.append(f"a release command machine {where} is left")
        elif group not in groups.get(machine.app, set()):
            found.append(f"a machine {where} is left of a group that is gone")
        if metadata.get("fly_canary"):
            found.append(f"a canary {where} is left")
        if machine.cordoned:
            found.append(f"a machine {where} is out of routing")
        if metadata.get("fly_bluegreen_deployment_tag") == "safe_to_destroy":
            found.append(f"a blue machine {where} is left")
    return found


def _forgotten(simulation: Simulation) -> list[str]:
    state = simulation.disk.read()
    assert state is not None
    known = {record.guid: record for record in state.resources.values()}
    found = []
    for guid, name in simulation.account.databases.items():
        record = known.get(guid)
        if record is None:
            found.append(f"database {name} is forgotten")
        elif record.state.get("name") != name:
            found.append(f"the state of database {name} is forgotten")
    return found


def fleet(simulation: Simulation) -> dict[str, list[str]]:
    """Everything of each app, in a form in which two worlds can be compared."""
    world = simulation.emulator.world
    found: dict[str, list[str]] = {}
    for app in world.apps.values():
        lines = [f"machine {_machine(m)}" for m in living(world, app.name)]
        lines += [f"address {ip.type}" for ip in app.ips]
        lines += [f"secret {s.name}={len(s.value)}" for s in app.secrets.values()]
        volumes = [v for v in world.volumes_of(app) if v.deleted_at is None]
        lines += [f"volume {v.name} {v.size_gb} {bool(v.attached_machine_id)}" for v in volumes]
        found[app.name] = sorted(lines)
    return found


def _machine(machine: MachineRecord) -> str:
    config: dict[str, Any] = _given(json.loads(json.dumps(machine.config)))
    metadata = config.get("metadata") or {}
    config["metadata"] = {
        k: v
        for k, v in metadata.items()
        if k not in PASSING_KEYS and not k.startswith("score_flyio_")
    }
    config["image"] = str(config.get("image")).partition("@")[0]  # held, after going back
    (config.get("env") or {}).pop("FLY_STANDBY_FOR", None)
    if config.get("standbys"):
        config["standbys"] = len(config["standbys"])
    mounts = config.get("mounts") or []
    config["mounts"] = [(m.get("name"), m.get("path"), bool(m.get("volume"))) for m in mounts]
    return f"{group_of(config)} {machine.state} {json.dumps(config, sort_keys=True)}"


def _given(value: Any) -> Any:
    """Without null: a member that is null says no more than one that is missing."""
    if isinstance(value, dict):
        return {name: _given(item) for name, item in value.items() if item is not None}
    return [_given(item) for item in value] if isinstance(value, list) else value


def different(found: dict[str, list[str]], wanted: dict[str, list[str]]) -> list[str]:
    """Where two fleets differ."""
    lines = []
    for app in sorted(found.keys() | wanted.keys()):
        have, want = Counter(found.get(app, [])), Counter(wanted.get(app, []))
        lines += [f"app {app} has besides: {line}" for line in (have - want).elements()]
        lines += [
            f"app {app} lacks: {line}"
            for line in (want - have).elements()
            if not _spare_volume(line)  # of a group that was never launched here
        ]
    return lines


def _spare_volume(line: str) -> bool:
    return line.startswith("volume ") and line.endswith(" False")


def undisturbed(scenario: Scenario) -> Scenario:
    """The same changes, each deployed once, with nothing going wrong."""
    plans = tuple(RunPlan(stage=stage, pause=60.0) for stage in range(scenario.stages))
    return evolve(scenario, runs=plans)
