"""The built-in Postgres provisioners, with a real server behind the emulated platform."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import anyio
import psycopg
import pytest
from attrs import asdict, define, evolve, field

from fly_emulator import ExecRunner, Faults, parse_faults
from fly_emulator.records import Json
from fly_emulator.wire import Execution
from score_flyio.errors import ProvisionFailed
from score_flyio.resources.provisioner import (
    Provisioner,
    ProvisionIncomplete,
    ProvisionRequest,
    ProvisionResult,
)
from score_flyio.resources.servers.access import FlyAccess
from score_flyio.resources.sharing import merge_patch
from score_flyio.score.resources import ResourceUid
from tests.integration.conftest import (
    QUICK,
    Killer,
    Platform,
    PostgresServer,
    provision_at_once,
    refused,
    served,
)

NewPlatform = Callable[..., Platform]
SHARED_KEY = "builtin-provisioners-postgres"


def databases(access: FlyAccess) -> Provisioner:
    return served("postgres", access)


def own_server(access: FlyAccess) -> Provisioner:
    return served("postgres-instance", access)


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@define
class Caller:
    """What keeps state and shared state between calls, as the project does."""

    shared: dict[str, Any] = field(factory=lambda: {"score-flyio-app-prefix": "pfx-"})
    states: dict[str, dict[str, Any]] = field(factory=dict)

    def request(self, name: str, type_: str = "postgres") -> ProvisionRequest:
        return ProvisionRequest(
            uid=ResourceUid(type_, "default", f"shop.{name}"),
            guid=f"guid-of-{name}",
            state=self.states.get(name, {}),
            shared=self.shared,
        )

    def keep(self, name: str, result: ProvisionResult) -> None:
        if result.state is not None:
            self.states[name] = result.state
        self.shared = merge_patch(self.shared, result.shared or {})

    async def provision(self, provisioner: Provisioner, name: str) -> ProvisionResult:
        type_ = "postgres" if provisioner.uses_shared else "postgres-instance"
        try:
            result = await provisioner.provision(self.request(name, type_))
        except ProvisionIncomplete as error:
            self.keep(name, error.result)
            raise
        self.keep(name, result)
        return result

    async def deprovision(self, provisioner: Provisioner, name: str) -> ProvisionResult:
        result = await provisioner.deprovision(self.request(name))
        self.keep(name, result)
        return result

    @property
    def entry(self) -> dict[str, Any]:
        entry: dict[str, Any] = self.shared[SHARED_KEY]
        return entry


def login(
    server: PostgresServer, result: ProvisionResult, *, database: str | None = None
) -> psycopg.Connection[Any]:
    values, secrets = result.values or {}, result.secrets or {}
    return server.connect(values["username"], secrets["password"], database or values["name"])


def use(server: PostgresServer, result: ProvisionResult) -> None:
    """The credentials serve: tables can be made and read."""
    with login(server, result) as connection:
        connection.execute("CREATE TABLE t (n int)")
        connection.execute("INSERT INTO t VALUES (7)")
        assert connection.execute("SELECT n FROM t").fetchall() == [(7,)]
        connection.execute("DROP TABLE t")


def assert_nothing_doubled(platform: Platform, databases: int, server: PostgresServer) -> None:
    assert len(platform.apps) == 1
    assert [platform.living(kind) for kind in ("machines", "volumes", "addresses")] == [1, 1, 1]
    assert len(server.databases()) == databases
    assert len(server.roles()) == databases


async def test_two_databases_share_one_server_and_nothing_else(
    platform: Platform, postgres: PostgresServer
) -> None:
    caller, provisioner = Caller(), databases(platform.access())
    first = await caller.provision(provisioner, "db")
    second = await caller.provision(provisioner, "db2")

    use(postgres, first)
    use(postgres, second)
    assert first.values is not None
    assert second.values is not None
    with refused():
        login(postgres, first, database=second.values["name"])
    with refused():
        postgres.connect(first.values["username"], "wrong", first.values["name"])
    assert_nothing_doubled(platform, 2, postgres)


async def test_answers_have_the_form_of_the_go_tool(platform: Platform) -> None:
    caller, provisioner = Caller(), databases(platform.access())
    result = await caller.provision(provisioner, "db")
    (app,) = platform.apps
    state, secrets = caller.states["db"], result.secrets or {}
    database = state["database"]
    assert state == {
        "database": database,
        "username": f"{database}-user",
        "password": secrets["password"],
    }
    assert result.values == {
        "host": f"{app}.flycast",
        "port": "5432",
        "username": f"{database}-user",
        "name": database,
        "database": database,
    }
    operator = caller.entry["password"]
    assert caller.entry == {"app": app, "password": operator, "dbNames": [database]}
    assert operator != secrets["password"]


async def test_provisioning_again_reads_the_app_and_does_nothing(platform: Platform) -> None:
    caller, provisioner = Caller(), databases(platform.access())
    first = await caller.provision(provisioner, "db")
    seen = len(platform.emulator.journal.entries)
    again = await caller.provision(provisioner, "db")
    assert (again.values, again.secrets, again.state) == (first.values, first.secrets, None)
    later = platform.emulator.journal.entries[seen:]
    assert [entry.operation for entry in later] == ["Apps_show"]


async def test_the_last_database_takes_the_server_with_it(
    platform: Platform, postgres: PostgresServer
) -> None:
    caller, provisioner = Caller(), databases(platform.access())
    await caller.provision(provisioner, "db")
    second = await caller.provision(provisioner, "db2")
    await caller.deprovision(provisioner, "db")
    assert postgres.databases() == {(second.values or {})["name"]}
    assert postgres.roles() == {(second.values or {})["username"]}
    use(postgres, second)
    await caller.deprovision(provisioner, "db2")
    assert platform.apps == []
    assert SHARED_KEY not in caller.shared


async def test_a_role_that_owns_things_elsewhere_can_be_dropped(
    platform: Platform, postgres: PostgresServer
) -> None:
    caller, provisioner = Caller(), databases(platform.access())
    first = await caller.provision(provisioner, "db")
    await caller.provision(provisioner, "db2")
    with login(postgres, first, database="postgres") as connection:
        connection.execute("CREATE TEMPORARY TABLE t (n int)")
        postgres.admin.execute(
            f'CREATE SCHEMA s AUTHORIZATION "{(first.values or {})["username"]}"'
        )
    await caller.deprovision(provisioner, "db")
    assert len(postgres.roles()) == 1


async def test_a_server_of_its_own(platform: Platform, postgres: PostgresServer) -> None:
    caller, provisioner = Caller(), own_server(platform.access())
    result = await caller.provision(provisioner, "db")
    (app,) = platform.apps
    assert result.state == {"app": app, "password": (result.secrets or {})["password"]}
    assert result.values == {
        "host": f"{app}.flycast",
        "port": "5432",
        "username": "postgres",
        "name": "postgres",
        "database": "postgres",
    }
    again = await caller.provision(provisioner, "db")
    assert (again.values, again.secrets) == (result.values, result.secrets)
    await caller.deprovision(provisioner, "db")
    assert platform.apps == []


async def test_two_servers_made_at_once_are_two(platform: Platform) -> None:
    caller, provisioner = Caller(), own_server(platform.access())
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(caller.provision, provisioner, "db")
        tasks.start_soon(caller.provision, provisioner, "db2")
    assert platform.apps == sorted(state["app"] for state in caller.states.values())
    assert len(platform.apps) == 2


async def test_databases_made_at_once_are_on_one_server(
    platform: Platform, postgres: PostgresServer
) -> None:
    names = ["one", "two", "three", "four", "five"]
    state, found = await provision_at_once(databases(platform.access()), "postgres", names)
    for result in found.values():
        use(postgres, result)
    assert_nothing_doubled(platform, len(names), postgres)
    assert sorted(state.shared[SHARED_KEY]["dbNames"]) == sorted(postgres.databases())


async def test_no_password_is_in_any_request_but_the_one_that_sets_secrets(
    platform: Platform,
) -> None:
    caller, provisioner = Caller(), databases(platform.access())
    result = await caller.provision(provisioner, "db")
    await caller.provision(provisioner, "db2")
    await caller.deprovision(provisioner, "db")
    entries = platform.emulator.journal.entries
    shown = json.dumps([asdict(entry) for entry in entries])
    assert (result.secrets or {})["password"] not in shown
    assert caller.entry["password"] not in shown
    assert not any(entry.leaks for entry in entries)
    assert not any(caller.entry["password"] in note for note in platform.notes)


async def test_no_region_leaves_the_names_for_the_next_run(platform: Platform) -> None:
    caller = Caller()
    with pytest.raises(ProvisionIncomplete, match="FLY_REGION_NAME") as caught:
        await caller.provision(databases(platform.access(region=None)), "db")
    assert caught.value.code == "environment_missing"
    assert set(caller.entry) == {"app", "password"}
    assert caller.states == {}
    assert platform.apps == []
    noted = caller.entry
    await caller.provision(databases(platform.access()), "db")
    assert platform.apps == [noted["app"]]
    assert caller.entry["password"] == noted["password"]


async def test_sql_that_fails_is_kept_and_finished_by_the_next_run(
    new_platform: NewPlatform, postgres: PostgresServer
) -> None:
    platform = new_platform(parse_faults("Machines_exec: 400 times=1"))
    caller, provisioner = Caller(), databases(platform.access())
    with pytest.raises(ProvisionIncomplete):
        await caller.provision(provisioner, "db")
    assert caller.states["db"]["incomplete"] is True
    assert caller.entry["dbNames"] == [caller.states["db"]["database"]]
    result = await caller.provision(provisioner, "db")
    assert "incomplete" not in caller.states["db"]
    assert "incomplete" not in caller.entry
    use(postgres, result)
    assert_nothing_doubled(platform, 1, postgres)


async def test_what_a_failed_run_made_can_be_taken_away(new_platform: NewPlatform) -> None:
    platform = new_platform(parse_faults("Machines_create: 422 times=9"))
    caller, provisioner = Caller(), databases(platform.access())
    with pytest.raises(ProvisionIncomplete):
        await caller.provision(provisioner, "db")
    assert len(platform.apps) == 1
    await caller.deprovision(provisioner, "db")
    assert platform.apps == []
    assert SHARED_KEY not in caller.shared


async def test_a_server_that_was_deleted_by_hand_is_made_again_with_all_databases(
    platform: Platform, postgres: PostgresServer
) -> None:
    caller, provisioner = Caller(), databases(platform.access())
    await caller.provision(provisioner, "db")
    await caller.provision(provisioner, "db2")
    async with platform.access().connect() as client:
        await client.api.apps_delete(platform.apps[0])
    postgres.clear()
    use(postgres, await caller.provision(provisioner, "db"))
    use(postgres, await caller.provision(provisioner, "db2"))
    assert_nothing_doubled(platform, 2, postgres)


async def test_nothing_to_deprovision_needs_no_platform(platform: Platform) -> None:
    request = ProvisionRequest(uid=ResourceUid("postgres", "default", "shop.db"), guid="u")
    for provisioner in (
        databases(platform.access()),
        own_server(platform.access()),
    ):
        assert await provisioner.deprovision(request) == ProvisionResult()
    assert platform.emulator.journal.entries == []


# --- runs that end anywhere


async def killed_run(platform: Platform, caller: Caller, number: int) -> bool:
    """Provision two databases, killed at a request; whether it came to that."""
    with anyio.CancelScope() as scope:
        killer = Killer(platform.emulator.transport(), scope, number)
        platform.transport = lambda: killer
        provisioner = databases(platform.access())
        await caller.provision(provisioner, "db")
        await caller.provision(provisioner, "db2")
    platform.transport = None
    return scope.cancelled_caught


REQUESTS = 22
"""That a run makes for two databases, at most."""


@pytest.mark.parametrize("anyio_backend", ["asyncio"])
@pytest.mark.parametrize("number", range(1, REQUESTS + 1))
async def test_a_run_killed_at_any_request_is_carried_on(
    new_platform: NewPlatform, postgres: PostgresServer, number: int
) -> None:
    platform, caller = new_platform(), Caller()
    killed = await killed_run(platform, caller, number)
    assert killed or number > REQUESTS - 6
    provisioner = databases(platform.access())
    first = await caller.provision(provisioner, "db")
    second = await caller.provision(provisioner, "db2")
    assert_nothing_doubled(platform, 2, postgres)
    use(postgres, first)
    use(postgres, second)
    assert set(caller.entry) == {"app", "password", "dbNames"}
    with postgres.connect("postgres", caller.entry["password"], "postgres"):
        pass


async def test_no_run_makes_more_requests_than_are_killed_above(platform: Platform) -> None:
    assert not await killed_run(platform, Caller(), REQUESTS + 1)


@pytest.mark.parametrize(("number", "operation"), [(3, "Apps_create"), (11, "Machines_create")])
async def test_what_reads_do_not_show_yet_is_waited_for(
    new_platform: NewPlatform, postgres: PostgresServer, number: int, operation: str
) -> None:
    """Reads lag behind changes: an empty list is not believed when the app counts a machine."""
    platform = new_platform(settings=evolve(QUICK, visibility_delay=0.3))
    caller = Caller()
    await killed_run(platform, caller, number)
    assert platform.emulator.journal.entries[-1].operation == operation
    await caller.provision(databases(platform.access()), "db")
    assert_nothing_doubled(platform, 1, postgres)


async def test_a_server_that_rests_is_started(platform: Platform, postgres: PostgresServer) -> None:
    caller, provisioner = Caller(), databases(platform.access())
    await caller.provision(provisioner, "db")
    (machine,) = platform.emulator.world.machines
    async with platform.access().connect() as client:
        await client.api.machines_stop(platform.apps[0], machine)
        await client.api.machines_wait(platform.apps[0], machine, state=["stopped"])
    use(postgres, await caller.provision(provisioner, "db2"))
    assert_nothing_doubled(platform, 2, postgres)


async def test_a_server_that_lost_its_machine_is_told(platform: Platform) -> None:
    caller, provisioner = Caller(), databases(platform.access())
    await caller.provision(provisioner, "db")
    (machine,) = platform.emulator.world.machines
    async with platform.access().connect() as client:
        await client.api.machines_delete(platform.apps[0], machine, force=True)
    with pytest.raises(ProvisionIncomplete, match="has no machine"):
        await caller.provision(provisioner, "db2")


@define
class NotListening:
    """psql cannot connect the first times."""

    inner: ExecRunner
    times: int

    async def run(self, execution: Execution) -> Json:
        self.times -= 1
        if self.times >= 0:
            return {"exit_code": 2, "stdout": "", "stderr": "connection refused"}
        return await self.inner.run(execution)


async def test_a_server_that_does_not_listen_yet_is_waited_for(
    platform: Platform, postgres: PostgresServer
) -> None:
    assert platform.emulator.exec_runner is not None
    platform.emulator.exec_runner = NotListening(platform.emulator.exec_runner, 2)
    caller, provisioner = Caller(), databases(platform.access())
    use(postgres, await caller.provision(provisioner, "db"))


async def test_a_server_that_never_listens_is_told(platform: Platform) -> None:
    assert platform.emulator.exec_runner is not None
    platform.emulator.exec_runner = NotListening(platform.emulator.exec_runner, 99)
    caller, provisioner = Caller(), databases(platform.access())
    with pytest.raises(ProvisionIncomplete, match="exit code 2: connection refused"):
        await caller.provision(provisioner, "db")


CHANGES = (
    "Apps_create",
    "App_IPAssignments_create",
    "Secrets_update",
    "Volumes_create",
    "Machines_create",
    "Machines_exec",
)


@pytest.mark.parametrize("anyio_backend", ["asyncio"])
@pytest.mark.parametrize("operation", CHANGES)
@pytest.mark.parametrize("action", ["lost times=1", "503 after times=1", "reset before times=1"])
async def test_a_lost_answer_makes_nothing_twice(
    new_platform: NewPlatform, postgres: PostgresServer, operation: str, action: str
) -> None:
    platform = new_platform(parse_faults(f"{operation}: {action}"))
    caller, provisioner = Caller(), databases(platform.access())
    use(postgres, await caller.provision(provisioner, "db"))
    assert_nothing_doubled(platform, 1, postgres)


@pytest.mark.parametrize("anyio_backend", ["asyncio"])
@pytest.mark.parametrize("operation", CHANGES)
async def test_a_refused_call_is_carried_on_by_the_next_run(
    new_platform: NewPlatform, postgres: PostgresServer, operation: str
) -> None:
    platform = new_platform(parse_faults(f"{operation}: 400 times=1"))
    caller, provisioner = Caller(), databases(platform.access())
    with pytest.raises(ProvisionIncomplete):
        await caller.provision(provisioner, "db")
    use(postgres, await caller.provision(provisioner, "db"))
    assert_nothing_doubled(platform, 1, postgres)


async def test_a_name_that_someone_else_has_is_passed_over(new_platform: NewPlatform) -> None:
    platform = new_platform(parse_faults("Apps_show: 403 times=1"))
    caller = Caller()
    await caller.provision(databases(platform.access()), "db")
    assert platform.apps == [caller.entry["app"]]
    asked = [e.app for e in platform.emulator.journal.entries if e.operation == "Apps_show"]
    assert asked[0] != caller.entry["app"]


async def test_an_error_of_psql_is_told_without_secrets(
    platform: Platform, postgres: PostgresServer
) -> None:
    caller, provisioner = Caller(), databases(platform.access())
    await caller.provision(provisioner, "db")
    caller.states["db2"] = {"database": "other", "username": "pg_not_allowed", "password": "p" * 20}
    with pytest.raises(ProvisionFailed, match=r"psql in machine .* exit code 3") as caught:
        await caller.provision(provisioner, "db2")
    assert "p" * 20 not in str(caught.value)
    assert "SCRAM" not in str(caught.value)
    assert postgres.databases() == {caller.states["db"]["database"]}


async def test_faults_can_be_many(new_platform: NewPlatform, postgres: PostgresServer) -> None:
    """A run that fails again and again comes to the same end as one that does not."""
    faults: Faults = parse_faults("changes: 400 p=0.4 times=6; seed=3")
    platform = new_platform(faults)
    caller, provisioner = Caller(), databases(platform.access())
    for _ in range(12):
        try:
            result = await caller.provision(provisioner, "db")
        except ProvisionFailed:
            continue
        break
    use(postgres, result)
    assert_nothing_doubled(platform, 1, postgres)
