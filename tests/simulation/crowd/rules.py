"""What must be true in a crowd after each command of ours, and at the end."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection
from typing import TYPE_CHECKING

from fly_emulator.journal import JournalEntry
from fly_emulator.records import MachineRecord
from score_flyio.events import WarningRaised, to_json
from tests.emulator.invariants import violations
from tests.simulation.checks import is_lost
from tests.simulation.commands import (
    SECRET_PREFIX,
    ChangeSecrets,
    Deploy,
    DeploySecrets,
    Destroy,
    Scale,
)
from tests.simulation.crowd.apps import APP, CrowdApp, Stage
from tests.simulation.crowd.members import (
    TAG,
    is_member,
    members,
    metadata,
    serves,
    to_run,
    volume_of,
)
from tests.simulation.crowd.others import RESERVED, THEIRS
from tests.simulation.crowd.people import THEIR_SECRET
from tests.simulation.crowd.schedule import Platform, Round
from tests.simulation.platform import WatchedWorld, group_of, living

if TYPE_CHECKING:
    from tests.simulation.crowd.run import CrowdRun, Record

RESTED = 400.0
"""Seconds after which nobody holds a machine any more."""
HONEST = ("so is its volume", "groups exchange their mounts", "which no deploy made")
"""Why a deploy may fail although nothing is wrong with it."""


def after_run(run: CrowdRun, record: Record) -> list[str]:
    """Promises that hold after every command of ours."""
    found = [*_told(record), *_requests(run, record), *_ended(run, record)]
    found += [*_destroyed(run, record), *_volumes(run, record)]
    if not record.killed:
        found += _leases(run, record)
    if record.well and (record.round.alone or _only_reverts(record.round)):
        found += _reached(run, record)
    return found


def _only_reverts(each: Round) -> bool:
    """Whether nothing happens beside one command but that the platform gives updates up."""
    reverts = (isinstance(other, Platform) and other.does == "reverts" for other in each.others)
    return len(each.ours) == 1 and all(reverts)


def own_entries(run: CrowdRun, record: Record) -> list[JournalEntry]:
    """The requests during a command that others did not send."""
    entries = run.emulator.journal.entries[record.first_request :]
    return [entry for entry in entries if entry.seq not in run.known.others]


def stopped_by(run: CrowdRun, record: Record) -> set[str]:
    """The machines that a command stopped, to destroy them when they have ended."""
    entries = own_entries(run, record)
    return {e.machine for e in entries if e.machine and e.operation == "Machines_stop"}


def _told(record: Record) -> list[str]:
    texts = {"an event": json.dumps([to_json(event) for event in record.events])}
    texts["the output"] = "\n".join(record.told)
    if record.report is not None:
        texts["the report"] = record.report.to_text() + json.dumps(record.report.to_json())
    texts["an error"] = str(record.error)
    return [f"a secret stands in {place}" for place, text in texts.items() if SECRET_PREFIX in text]


def _requests(run: CrowdRun, record: Record) -> list[str]:
    if len(record.round.ours) > 1:
        return []
    found = []
    for text in violations(own_entries(run, record), run.emulator.world):
        shared = record.round.others or record.ours.faults or record.round.pause < 5
        if " over " in text and shared:
            continue
        if "without the nonce" in text and (run.known.hosts or record.round.others):
            continue
        found.append(text)
    return found


def _leases(run: CrowdRun, record: Record) -> list[str]:
    now = run.clock.time()
    if len(record.round.ours) > 1:
        return []
    entries = own_entries(run, record)
    lost = {
        e.machine
        for e in entries
        if e.operation == "Machines_create_lease" and e.executed and is_lost(e)
    }
    lost_create = any(
        e.operation == "Machines_create" and e.executed and is_lost(e) for e in entries
    )
    warned = {
        event.scope.machine
        for event in record.events
        if isinstance(event, WarningRaised) and event.code == "lease_not_released"
    }
    held = {e.machine for e in entries if e.operation == "Machines_create_lease"}
    found = []
    for machine in living(run.emulator.world):
        lease = machine.lease_at(now)
        new = machine.created_at >= record.began and not run.known.may_have_made(machine)
        if not (new or machine.id in held):
            continue
        if lease is None or lease.nonce in run.abandoned | run.known.leases:
            continue
        if machine.id in lost | warned | run.known.doubtful or (
            lost_create and machine.created_at >= record.began
        ):
            continue
        found.append(f"machine {machine.id} is still leased")
    return found


def _destroyed(run: CrowdRun, record: Record) -> list[str]:
    """Machines that a deploy of ours destroyed although they were not its to destroy."""
    if len(record.round.ours) > 1 or isinstance(record.ours.command, Destroy):
        return []
    world, found = run.emulator.world, []
    gone = {
        e.machine
        for e in own_entries(run, record)
        if e.operation == "Machines_delete" and e.executed and not 400 <= e.status < 500
    }
    for name in sorted(name for name in gone if name):
        machine = world.machines.get(name)
        if machine is None or machine.created_at >= record.began:
            continue
        if name in run.known.lost:
            continue
        if not is_member(machine) and group_of(machine.config) not in RESERVED:
            found.append(f"it destroyed machine {name}, which no deploy made")
        elif isinstance(record.ours.command, Deploy) and not _may_go(run, record, machine):
            whose = "of others" if name in run.known.made else "of ours"
            found.append(f"it destroyed machine {name} ({group_of(machine.config)}) {whose}")
    return found


def _may_go(run: CrowdRun, record: Record, machine: MachineRecord) -> bool:
    command = record.ours.command
    assert isinstance(command, Deploy)
    stage, marks = run.crowd.app.stages[command.stage], metadata(machine)
    group = stage.group(group_of(machine.config))
    if group is None or group_of(machine.config) in RESERVED:
        return True
    if (record.ours.options.strategy or stage.strategy) == "bluegreen":
        return True
    if marks.get("fly_canary") or TAG in marks or volume_of(machine) != group.volume:
        return True
    if machine.host in run.known.hosts or machine.config.get("standbys"):
        return True
    world = run.emulator.world
    if any(
        metadata(m).get("score_flyio_stands_for", "").partition(".")[0] == machine.id
        for m in world.machines.values()
    ):
        return True
    # what another run of ours left half-done, or what met it, may go
    return machine.id not in run.known.made and not all(r.well for r in run.records[:-1])


def _volumes(run: CrowdRun, record: Record) -> list[str]:
    """Volumes with data that are deleted, or left in no machine without a word."""
    if isinstance(record.ours.command, Destroy) or len(record.round.ours) > 1:
        return []
    world, entries = run.emulator.world, own_entries(run, record)
    found = [
        f"it deleted a volume that was in a machine: {entry.path}"
        for entry in entries
        if entry.operation == "Volume_delete"
        and entry.executed
        and entry.path.rpartition("/")[2] in record.attached
    ]
    if record.killed:
        return found
    gone = {entry.machine for entry in entries if entry.operation == "Machines_delete"}
    left = [
        world.volumes[name]
        for name, machine in record.attached.items()
        if machine in gone
        and world.volumes[name].attached_machine_id in {machine, None}
        and not world.volumes[name].deleted_at
    ]
    told = json.dumps([to_json(event) for event in record.events]) + "\n".join(record.told)
    told += record.report.to_text() if record.report else ""
    new = {(v.app, v.name) for v in world.volumes.values() if v.created_at >= record.began}
    if isinstance(record.ours.command, Deploy | Scale):
        found += [f"volume {v.id} was left behind without a word" for v in left if v.id not in told]
    if not record.round.others:
        found += [
            f"volume {v.id} was left behind for a new, empty one"
            for v in left
            if (v.app, v.name) in new
        ]
    return found


def _ended(run: CrowdRun, record: Record) -> list[str]:
    """The exit code says that something is wrong exactly when something is."""
    found = _failed(run, record)
    report = record.report
    if report is None or record.killed:
        return found
    if report.exit_code and not report.failures:
        found.append(f"exit code {report.exit_code}, but no failure is told")
    if report.outcome == "unchanged" and len(record.round.ours) == 1:
        found += [f"it says `unchanged`, but sent {e.operation}" for e in _lasting(run, record)]
    return found


def _lasting(run: CrowdRun, record: Record) -> list[JournalEntry]:
    """The changes of machines that a command did not undo itself.

    Of two first deploys, one takes back the machines that it made.
    """
    changing = {"Machines_create", "Machines_update", "Machines_delete"}
    entries = [e for e in own_entries(run, record) if e.executed and e.status < 300]
    there = record.before.machines
    lasting = [e for e in entries if e.operation in changing and e.machine in there]
    made = [e for e in entries if e.operation == "Machines_create"]
    undone = sum(e.operation == "Machines_delete" and e.machine not in there for e in entries)
    return lasting + made[undone:]


def _failed(run: CrowdRun, record: Record) -> list[str]:
    """A deploy of a good version fails, though nothing is wrong and nobody holds anything."""
    command, each = record.ours.command, record.round
    if not isinstance(command, Deploy) or record.well or run.events.down:
        return []
    calm = each.alone and record.ours.calm and each.pause >= RESTED
    if not calm or run.crowd.app.stages[command.stage].bad:
        return []
    told = record.report.to_text() if record.report else str(record.error)
    return [] if any(text in told for text in HONEST) else [f"exit {record.exit_code}: {told}"]


def _reached(run: CrowdRun, record: Record) -> list[str]:
    """After a deploy that says that it is done, all is as its file says."""
    command = record.ours.command
    if isinstance(command, Scale):
        return _scaled(run, record, command)
    if isinstance(command, ChangeSecrets | DeploySecrets):
        staged = isinstance(command, ChangeSecrets) and command.stage
        there = [] if staged else members(run.emulator.world)
        return [
            f"machine {m.id} has not seen all secrets"
            for m in there
            if not (_sees(run, m) or _put_back_unseen(run, m, record))
        ]
    if not isinstance(command, Deploy):
        return []
    app: CrowdApp = run.crowd.app
    stage = app.stages[command.stage]
    found = []
    there = members(run.emulator.world)
    for machine in there:
        if run.emulator.world.hosts[machine.host].status != "ok":
            continue
        found += [f"machine {machine.id} {text}" for text in _wrong(run, record, machine, stage)]
    groups = Counter(group_of(m.config) for m in there if to_run(m))
    found += [f"group {name} has no machine" for name in stage.names if not groups[name]]
    if record.before.tidy and all(r.well for r in run.records) and not run.events.down:
        found += [
            f"group {name} had {record.before.counts[name]} machines and has {groups[name]}"
            for name in stage.names
            if groups[name] < record.before.counts[name]
        ]
    return found


def _scaled(run: CrowdRun, record: Record, command: Scale) -> list[str]:
    groups = Counter(group_of(m.config) for m in members(run.emulator.world))
    if not record.before.tidy or run.events.down:
        return []
    return [
        f"group {group} has {groups[group]} machines, not {count}"
        for group, count in command.counts
        if groups[group] != count
    ]


def _wrong(run: CrowdRun, record: Record, machine: MachineRecord, stage: Stage) -> list[str]:
    config, now = machine.config, run.clock.time()
    group = stage.group(group_of(config))
    if group is None:
        return [f"is left of group {group_of(config)}"]
    if _put_back_unseen(run, machine, record):
        return []
    found = []
    if (config.get("env") or {}).get("VALUE") != str(stage.value):
        found.append(f"({machine.state}) has another env: {config.get('env')}")
    if not str(config.get("image")).startswith(f"registry/x:{stage.image}"):
        found.append(f"({machine.state}) has image {config.get('image')}")
    if volume_of(machine) != group.volume:
        found.append(f"has volume {volume_of(machine)}, not {group.volume}")
    if metadata(machine).get("fly_canary") or metadata(machine).get(TAG) == "safe_to_destroy":
        found.append("is left over")
    known = run.known
    rests = known.stopped | known.touched.keys() | known.made
    may_rest = (
        config.get("standbys")
        or machine.id in rests
        or config.get("schedule")
        or stage.autostop != "off"
        or not _waits(run, record)
        or not machine.launch
    )
    if not may_rest and stage.bad != "crash" and not serves(machine, now):
        found.append(f"is {machine.state}, not healthy")
    sent = {e.machine for e in own_entries(run, record) if e.operation == "Machines_update"}
    if not _sees(run, machine, untold=() if machine.id in sent else (THEIR_SECRET,)):
        found.append("has not seen all secrets")
    return found


def _waits(run: CrowdRun, record: Record) -> bool:
    """Whether a command looks what becomes of machines; operations do as the last version says."""
    command, stages = record.ours.command, run.crowd.app.stages
    said = [stages[command.stage]] if isinstance(command, Deploy) else stages
    chosen = record.ours.options.strategy
    return "immediate" not in ({chosen} if chosen else {stage.strategy for stage in said})


def _put_back_unseen(run: CrowdRun, machine: MachineRecord, record: Record) -> bool:
    """Whether the platform gave up what this command sent, and nobody looked.

    No deploy waits for machines at rest, and `immediate` for none, neither ours nor flyctl's: the
    next one sends it again.
    """
    newest = machine.events[-1]
    unseen = machine.state in {"stopped", "suspended"} or not _waits(run, record)
    return unseen and newest.type == "revert" and newest.at >= record.began


def _sees(run: CrowdRun, machine: MachineRecord, *, untold: Collection[str] = ()) -> bool:
    """Whether a machine that runs was started with the secrets of now.

    Of those that others removed, which are `untold`, nothing at Fly tells.
    """
    world = run.emulator.world
    assert isinstance(world, WatchedWorld)
    runs = machine.state == "started" and world.hosts[machine.host].status == "ok"
    saw, there = world.saw.get(machine.id, {}), world.secrets_of(APP)
    gone = {name for name in untold if name not in there}
    return not runs or {n: v for n, v in saw.items() if n not in gone} == there


def excused_at_the_end(told: str) -> bool:
    """Whether a failure of the last deploy is what it must be: the data is on a lost host, or two
    groups exchange theirs.
    """
    return any(text in told for text in HONEST)


def leftovers(run: CrowdRun) -> list[str]:
    """What a deploy in peace leaves although it belongs to nobody."""
    stage, found = run.crowd.app.stages[-1], []
    for machine in living(run.emulator.world, APP):
        group, marks = group_of(machine.config), metadata(machine)
        theirs = marks.get("fly_release_id", "").startswith(THEIRS)  # goes with their next one
        reserved = group in RESERVED and not theirs
        if reserved or (is_member(machine) and stage.group(group) is None):
            found.append(f"a machine of group {group} is left")
        if marks.get("fly_canary") or marks.get(TAG) == "safe_to_destroy":
            found.append(f"machine {machine.id} is left over")
        if machine.cordoned and not run.known.cordoned:
            found.append(f"machine {machine.id} ({group}) is out of routing")
    return found + _doubled(run, stage)


def _doubled(run: CrowdRun, stage: Stage) -> list[str]:
    """More machines of a group than a launch makes, and others added."""
    if any(
        len(s.groups) != len(stage.groups) or s.names != stage.names for s in run.crowd.app.stages
    ):
        return []
    most = max(
        [
            2,
            *(
                count
                for r in run.records
                if isinstance(r.ours.command, Scale)
                for _, count in r.ours.command.counts
            ),
        ]
    )
    groups = Counter(group_of(m.config) for m in members(run.emulator.world))
    most += len(run.known.made) + len(run.known.unheard)
    return [f"group {g} has {n} machines, not {most}" for g, n in groups.items() if n > most]


def sent_for_nothing(run: CrowdRun, record: Record) -> list[str]:
    """A deploy that has nothing to do reads, and says so."""
    found = [
        f"with nothing to do it sent {entry.operation} {entry.path}"
        for entry in own_entries(run, record)
        if entry.method != "GET"
    ]
    if record.report is None or record.report.outcome != "unchanged":
        found.append(f"it was not `unchanged`: {record.report and record.report.to_text()}")
    return found
