"""Whatever is called in whatever order: the world stays sound and says what it did."""

from __future__ import annotations

import json
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, rule

from fly_emulator import EmulatorSettings, World, lifecycle
from fly_emulator.calls import Call
from fly_emulator.handlers import HANDLERS
from fly_emulator.settings import Principal
from fly_emulator.wire import (
    NONCE_HEADER,
    ApiRequest,
    ApiResponse,
    Execution,
    Refusal,
    Waiting,
    answered,
)
from fly_emulator.world_file import WorldFile, dump
from fly_machines.operations import OPERATIONS
from tests.emulator.invariants import violations

BY_ID = {operation.id: operation for operation in OPERATIONS}
KNOWN_STATES = lifecycle.TRANSIENT | {
    "created",
    "started",
    "stopped",
    "suspended",
    "failed",
    "destroyed",
}
ACTIONS = ["start", "stop", "suspend", "restart", "cordon", "uncordon"]
SETTINGS = EmulatorSettings(
    hosts_per_region=1, host_memory_mb=1024, visibility_delay=0.2, forget_destroyed=20
)


class Platform(RuleBasedStateMachine):
    """Calls handlers directly, on a clock that the rules move."""

    machines = Bundle("machines")
    leases = Bundle("leases")

    def __init__(self) -> None:
        super().__init__()
        self.world = World(settings=SETTINGS)
        self.now = 1_700_000_000.0
        self.seen_versions: dict[str, str] = {}
        self.folder = TemporaryDirectory()
        self.file = WorldFile(Path(self.folder.name) / "world.json")
        self.call("Apps_create", body={"name": "shop"})

    def teardown(self) -> None:
        self.folder.cleanup()

    def call(
        self, operation: str, *, nonce: str | None = None, body: Any = None, **path: str
    ) -> ApiResponse:
        lifecycle.advance(self.world, self.now)
        query = tuple((k, v) for k, v in path.items() if k in {"force", "state", "timeout"})
        request = ApiRequest(
            method=BY_ID[operation].method,
            path="/",
            query=query,
            headers={NONCE_HEADER: nonce} if nonce else {},
            body=b"" if body is None else json.dumps(body).encode(),
        )
        call = Call(
            world=self.world,
            request=request,
            operation=operation,
            path={"app_name": "shop", **path},
            principal=Principal(),
            now=self.now,
            seen=self.world.sequence,
        )
        try:
            outcome = HANDLERS[operation](call)
            if isinstance(outcome, Waiting):
                outcome = outcome.poll(self.now) or ApiResponse(status=100)
        except Refusal as refusal:
            return refusal.response()
        assert not isinstance(outcome, Execution)
        return answered(outcome)

    @rule(
        target=machines,
        memory=st.sampled_from([256, 512]),
        skip=st.booleans(),
        code=st.sampled_from([None, "0", "1"]),
        policy=st.sampled_from(["no", "on-failure", "always"]),
        auto_destroy=st.booleans(),
    )
    def create(
        self, memory: int, skip: bool, code: str | None, policy: str, auto_destroy: bool
    ) -> str:
        config = {
            "image": "a",
            "guest": {"cpu_kind": "shared", "cpus": 1, "memory_mb": memory},
            "restart": {"policy": policy},
            "auto_destroy": auto_destroy,
            "env": {} if code is None else {"EMULATE_EXIT": code},
        }
        answer = self.call(
            "Machines_create", body={"config": config, "skip_launch": skip, "region": "iad"}
        )
        assert answer.status in {200, 412}
        return str(answer.document["id"]) if answer.status == 200 else "none"

    @rule(machine=machines, memory=st.sampled_from([256, 512]), skip=st.booleans())
    def update(self, machine: str, memory: int, skip: bool) -> None:
        config = {"image": "b", "guest": {"cpu_kind": "shared", "cpus": 1, "memory_mb": memory}}
        body = {"config": config, "skip_launch": skip}
        answer = self.call("Machines_update", machine_id=machine, body=body)
        assert answer.status in {200, 404, 409}

    @rule(machine=machines, action=st.sampled_from(ACTIONS))
    def act(self, machine: str, action: str) -> None:
        assert self.call(f"Machines_{action}", machine_id=machine).status in {200, 404, 409, 412}

    @rule(machine=machines, force=st.sampled_from(["true", "false"]))
    def delete(self, machine: str, force: str) -> None:
        answer = self.call("Machines_delete", machine_id=machine, force=force)
        assert answer.status in {200, 404, 409, 412}
        if answer.status == 200:
            assert self.world.machines[machine].state == "destroying"

    @rule(target=leases, machine=machines, ttl=st.integers(1, 20))
    def lease(self, machine: str, ttl: int) -> tuple[str, str]:
        answer = self.call("Machines_create_lease", machine_id=machine, body={"ttl": ttl})
        assert answer.status in {201, 404, 409}
        return machine, answer.document["data"]["nonce"] if answer.status == 201 else "none"

    @rule(lease=consumes(leases))
    def release(self, lease: tuple[str, str]) -> None:
        machine, nonce = lease
        record = self.world.machines.get(machine)
        held = record.lease_at(self.now) if record is not None else None
        answer = self.call("Machines_release_lease", machine_id=machine, nonce=nonce)
        mine = held is not None and held.nonce == nonce
        assert (answer.status == 200) == mine or answer.status == 404

    @rule(machine=machines, state=st.sampled_from(["started", "stopped", "destroyed", "settled"]))
    def wait(self, machine: str, state: str) -> None:
        answer = self.call("Machines_wait", machine_id=machine, state=state, timeout="5")
        assert answer.status in {100, 200, 400, 404}
        if answer.status == 200 and state != "settled":
            assert answer.document["state"] == state

    @rule(seconds=st.sampled_from([0.01, 0.1, 0.5, 1.0, 7.0, 100.0]))
    def time_passes(self, seconds: float) -> None:
        self.now += seconds
        lifecycle.advance(self.world, self.now)

    @invariant()
    def a_file_keeps_all_of_it(self) -> None:
        with self.file.changing(self.world):
            pass
        self.world.changed.clear()
        read = WorldFile(self.file.path).load(SETTINGS, self.world.model)
        assert read is not None
        assert dump(read) == dump(self.world)

    @invariant()
    def nothing_contradicts(self) -> None:
        assert violations([], self.world) == []
        for machine in self.world.machines.values():
            assert machine.state in KNOWN_STATES
            stuck = machine.state in lifecycle.TRANSIENT and machine.pending is None
            assert not stuck, machine

    @invariant()
    def room_is_never_exceeded(self) -> None:
        assert all(0 <= host.used_mb <= host.memory_mb for host in self.world.hosts.values())


TestPlatform = Platform.TestCase
TestPlatform.settings = hypothesis_settings(max_examples=40, stateful_step_count=30, deadline=None)
