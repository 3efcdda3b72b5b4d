"""The project state in a bucket and on a web server: the stores, and the command line over them."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any, TypeAlias

import anyio
import pytest
from attrs import frozen

from score_flyio.base.clock import Clock
from score_flyio.errors import (
    ConfigError,
    StateConflict,
    StateCorrupt,
    StateError,
    StateLocked,
    StateTooNew,
)
from score_flyio.state import blobs as blobs_module
from score_flyio.state.blobs import Blobs
from score_flyio.state.encrypted import MAGIC
from score_flyio.state.locate import open_store
from score_flyio.state.model import ProjectState
from score_flyio.state.remote import RemoteStore
from score_flyio.state.remote_lock import LASTS, MARGIN
from score_flyio.state.store import StateStore, Unlockable, Versioned
from tests.cli.conftest import Cli
from tests.cli.platform import TOKEN as FLY_TOKEN
from tests.cli.platform import platform, use
from tests.integration.state_servers import BUCKET, S3Server, WebServer, s3_server, web_server

KEY = "correct horse battery staple"
TOKEN = "token-of-the-tests"
SCORE = """\
apiVersion: score.dev/v1b1
metadata: {name: web}
containers: {main: {image: "nginx:1"}}
service: {ports: {web: {port: 8080}}}
"""

NewStore: TypeAlias = Callable[..., StateStore]


@frozen
class Later(Clock):
    """A clock that is ahead, by default so far that the lock of a dead run has ended."""

    seconds: float = LASTS + MARGIN + 5

    def time(self) -> float:
        import time

        return time.time() + self.seconds


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blobs_module, "PAUSES", (0.0, 0.0))


@pytest.fixture(scope="session")
def running_s3() -> Iterator[S3Server]:
    with s3_server() as server:
        yield server


@pytest.fixture
def s3(running_s3: S3Server) -> Iterator[S3Server]:
    yield running_s3
    for key in running_s3.keys("shop"):
        import obstore

        obstore.delete(running_s3.store, f"shop/{key}")


@pytest.fixture
def web() -> Iterator[WebServer]:
    with web_server() as server:
        yield server


@pytest.fixture(params=["s3", "https"])
def new_store(request: pytest.FixtureRequest, tmp_path: Path) -> NewStore:
    """Makes stores of one place, each as another run would have it."""
    environ: dict[str, str] = {}
    if request.param == "s3":
        server: S3Server = request.getfixturevalue("s3")
        url = f"s3://{BUCKET}/shop/state.yaml"
        environ = server.environ
    else:
        url = f"{request.getfixturevalue('web').url}/shop/state.yaml?x=1"
    return lambda **more: open_store(url, tmp_path, environ | more)


def blobs_of(store: StateStore) -> Blobs:
    assert isinstance(store, RemoteStore)
    return store._blobs


async def started(store: StateStore) -> ProjectState:
    await store.save(ProjectState.new("x-"))
    state = await store.load()
    assert state is not None
    return state


class TestBothPlaces:
    async def test_what_was_saved_is_loaded(self, new_store: NewStore) -> None:
        assert await new_store().load() is None
        store = new_store()
        state = await started(store)
        for value in ("one", "two"):
            state.shared["value"] = value
            await store.save(state)
        loaded = await new_store().load()
        assert loaded is not None
        assert loaded.shared["value"] == "two"

    async def test_nobody_overwrites_what_another_saved(self, new_store: NewStore) -> None:
        one, other = new_store(), new_store()
        mine = await started(one)
        theirs = await other.load()
        assert theirs is not None
        theirs.shared["from"] = "theirs"
        await other.save(theirs)
        mine.shared["from"] = "mine"
        with pytest.raises(StateConflict):
            await one.save(mine)
        kept = await new_store().load()
        assert kept is not None
        assert kept.shared["from"] == "theirs"

    async def test_two_first_saves(self, new_store: NewStore) -> None:
        one, other = new_store(), new_store()
        assert await one.load() is await other.load() is None
        await one.save(ProjectState.new("x-"))
        with pytest.raises(StateConflict):
            await other.save(ProjectState.new("y-"))

    async def test_of_runs_at_once_one_gets_the_lock(self, new_store: NewStore) -> None:
        ends: list[str] = []
        all_tried = anyio.Event()

        async def run(place: int) -> None:
            try:
                async with new_store().lock(f"run {place}"):
                    ends.append("held")
                    await all_tried.wait()
            except StateLocked:
                ends.append("locked")
                if ends.count("locked") == 2:
                    all_tried.set()

        async with anyio.create_task_group() as tasks:
            for place in range(3):
                tasks.start_soon(run, place)
        assert sorted(ends) == ["held", "locked", "locked"]
        async with new_store().lock("next"):
            """It is free again."""

    async def test_the_lock_of_a_dead_run_ends(self, new_store: NewStore) -> None:
        dead, later = new_store(), new_store()
        assert isinstance(later, RemoteStore)
        later._clock = Later()
        async with dead.lock("dead"):
            with pytest.raises(StateLocked, match="dead"):
                async with new_store().lock("next"):
                    pytest.fail("it was locked")
            async with later.lock("later"):
                with pytest.raises(StateLocked, match="later"):
                    async with new_store().lock("next"):
                        pytest.fail("it was locked")

    async def test_unlock(self, new_store: NewStore) -> None:
        store = new_store()
        assert isinstance(store, Unlockable)
        assert await store.unlock() is None
        async with new_store().lock("stuck"):
            assert str(await store.unlock()).startswith("stuck (process")
            async with new_store().lock("next"):
                """It is free."""

    async def test_encrypted_and_back(self, new_store: NewStore) -> None:
        store = new_store(SCORE_FLYIO_STATE_KEY=KEY)
        state = await started(store)
        state.shared["password"] = "in-the-clear"
        await store.save(state)
        loaded = await new_store(SCORE_FLYIO_STATE_KEY=KEY).load()
        assert loaded is not None
        assert loaded.shared == state.shared

    @pytest.mark.parametrize(
        ("environ", "hint"),
        [
            ({"SCORE_FLYIO_STATE_KEY": "not " + KEY}, "another key"),
            ({}, "set SCORE_FLYIO_STATE_KEY"),
        ],
    )
    async def test_without_the_right_key(
        self, new_store: NewStore, environ: dict[str, str], hint: str
    ) -> None:
        await started(new_store(SCORE_FLYIO_STATE_KEY=KEY))
        with pytest.raises(StateCorrupt) as raised:
            await new_store(**environ).load()
        assert hint in str(raised.value.hint)
        assert KEY not in f"{raised.value}{raised.value.hint}"

    async def test_an_encrypted_state_is_read_at_its_own_address_only(
        self, new_store: NewStore, tmp_path: Path, web: WebServer
    ) -> None:
        await started(new_store(SCORE_FLYIO_STATE_KEY=KEY))
        sealed = await blobs_of(new_store()).read("")
        assert sealed is not None
        web.documents["/other.yaml"] = sealed.data
        other = open_store(f"{web.url}/other.yaml", tmp_path, {"SCORE_FLYIO_STATE_KEY": KEY})
        with pytest.raises(StateCorrupt, match="cannot be decrypted") as raised:
            await other.load()
        assert "copied from another address" in str(raised.value.hint)

    async def test_plain_text_is_not_taken_for_encrypted(self, new_store: NewStore) -> None:
        await started(new_store())
        with pytest.raises(StateCorrupt, match="not encrypted"):
            await new_store(SCORE_FLYIO_STATE_KEY=KEY).load()


class TestBucket:
    @pytest.fixture
    def new_store(self, s3: S3Server, tmp_path: Path) -> NewStore:
        url = f"s3://{BUCKET}/shop/state.yaml"
        return lambda **more: open_store(url, tmp_path, s3.environ | more)

    async def test_no_plain_text_of_an_encrypted_state(
        self, s3: S3Server, new_store: NewStore
    ) -> None:
        for value in ("first-value", "second-value"):
            store = new_store(SCORE_FLYIO_STATE_KEY=KEY)
            state = await store.load() or ProjectState.new("x-")
            state.shared["note"] = value
            async with store.lock("deploy"):
                await store.save(state)
        keys = s3.keys("shop")
        assert len(keys) == 2
        for key in keys:
            content = s3.content(f"shop/{key}")
            assert content.startswith(MAGIC)
            assert b"-value" not in content

    @pytest.mark.parametrize("place", [0, len(MAGIC), len(MAGIC) + 4, 80, -1])
    async def test_a_changed_byte_is_noticed(
        self, s3: S3Server, new_store: NewStore, place: int
    ) -> None:
        await started(new_store(SCORE_FLYIO_STATE_KEY=KEY))
        content = bytearray(s3.content("shop/state.yaml"))
        content[place] ^= 1
        s3.put("shop/state.yaml", bytes(content))
        with pytest.raises((StateCorrupt, StateTooNew), match=r"shop/state\.yaml"):
            await new_store(SCORE_FLYIO_STATE_KEY=KEY).load()

    async def test_history(self, new_store: NewStore) -> None:
        for value in ("one", "two", "three"):
            store = new_store()
            state = await store.load() or ProjectState.new("x-")
            state.shared["value"] = value
            await store.save(state)
        assert isinstance(store, Versioned)
        versions = await store.history()
        assert [version.current for version in versions] == [True, False, False]
        assert all(version.size and version.at for version in versions)
        states = [await store.earlier(version.id) for version in versions]
        assert [state and state.shared["value"] for state in states] == ["three", "two", "one"]

    async def test_no_bucket(self, s3: S3Server, tmp_path: Path) -> None:
        store = open_store("s3://no-such-bucket/key", tmp_path, s3.environ)
        with pytest.raises(StateError, match="no bucket 'no-such-bucket'"):
            await store.load()

    async def test_no_answer(self, tmp_path: Path, s3: S3Server) -> None:
        environ = s3.environ | {"AWS_ENDPOINT_URL_S3": "http://127.0.0.1:1"}
        with pytest.raises(StateError, match="s3://b/key") as raised:
            await open_store("s3://b/key", tmp_path, environ).load()
        assert "\n" not in raised.value.message

    @pytest.mark.parametrize("url", ["s3://", "s3://bucket", "s3://bucket/", "s3:///key"])
    def test_wrong_urls(self, url: str, tmp_path: Path) -> None:
        with pytest.raises(ConfigError, match="does not name an object"):
            open_store(url, tmp_path, {})

    def test_no_plain_http_to_other_hosts(self, tmp_path: Path) -> None:
        environ = {"AWS_ENDPOINT_URL": "http://s3.example.com"}
        with pytest.raises(ConfigError, match="AWS_ENDPOINT_URL"):
            open_store("s3://bucket/key", tmp_path, environ)

    @pytest.mark.parametrize(
        ("package", "extra"), [("obstore", "s3"), ("cryptography", "encryption")]
    )
    def test_without_the_extra(
        self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, package: str, extra: str
    ) -> None:
        for name in [*sys.modules, package]:
            if name.split(".")[0] == package:
                monkeypatch.setitem(sys.modules, name, None)
        monkeypatch.delitem(sys.modules, "score_flyio.state.s3", raising=False)
        with pytest.raises(ConfigError) as raised:
            open_store("s3://bucket/key", tmp_path, {"SCORE_FLYIO_STATE_KEY": KEY})
        assert f"pip install 'score-flyio[{extra}]'" in str(raised.value.hint)

    def test_a_short_key_is_refused(self, tmp_path: Path) -> None:
        with pytest.raises(ConfigError, match="shorter") as raised:
            open_store("s3://bucket/key", tmp_path, {"SCORE_FLYIO_STATE_KEY": "hunter2"})
        assert "hunter2" not in f"{raised.value}{raised.value.hint}"


class TestWebServer:
    async def test_the_token_is_sent_and_never_shown(self, web: WebServer, tmp_path: Path) -> None:
        web.token = TOKEN
        url = f"{web.url}/state.yaml"
        await started(open_store(url, tmp_path, {"SCORE_FLYIO_STATE_TOKEN": TOKEN}))
        assert web.authorizations == {f"Bearer {TOKEN}"}
        with pytest.raises(StateError, match="401") as raised:
            await open_store(url, tmp_path, {"SCORE_FLYIO_STATE_TOKEN": "other-token"}).load()
        assert "other-token" not in f"{raised.value}{raised.value.hint}"
        assert "SCORE_FLYIO_STATE_TOKEN" in str(raised.value.hint)

    async def test_user_and_password_of_the_url(self, web: WebServer, tmp_path: Path) -> None:
        url = web.url.replace("//", "//joe:p%40ss@") + "/state.yaml"
        await started(open_store(url, tmp_path, {}))
        assert web.authorizations == {"Basic am9lOnBAc3M="}
        web.answers = [403]
        with pytest.raises(StateError) as raised:
            await open_store(url, tmp_path, {}).load()
        assert "ss@" not in f"{raised.value}{raised.value.hint}"

    async def test_faults_of_the_server_are_outlasted(self, web: WebServer, tmp_path: Path) -> None:
        store = open_store(f"{web.url}/state.yaml", tmp_path, {})
        web.answers = [503, 429]
        await started(store)
        web.answers = [500, 502, 503]
        with pytest.raises(StateError, match="503"):
            await store.load()

    async def test_versions_that_only_get_names(self, web: WebServer, tmp_path: Path) -> None:
        web.names_versions = False
        store = open_store(f"{web.url}/state.yaml", tmp_path, {})
        state = await started(store)
        state.shared["value"] = "one"
        async with store.lock("deploy"):
            await store.save(state)
        assert set(web.documents) == {"/state.yaml"}

    @pytest.mark.parametrize("status", [204, 301, 400, 405])
    async def test_other_answers_are_told(
        self, web: WebServer, tmp_path: Path, status: int
    ) -> None:
        web.answers = [status]
        with pytest.raises(StateError, match=rf"state\.yaml: GET answered {status}"):
            await open_store(f"{web.url}/state.yaml", tmp_path, {}).load()

    @pytest.mark.parametrize(
        "url", ["https://", "https://host", "https://host/", "http://example.com/state.yaml"]
    )
    def test_wrong_urls(self, url: str, tmp_path: Path) -> None:
        with pytest.raises(ConfigError, match=r"^state: "):
            open_store(url, tmp_path, {})


ONE_NAME = '"one-name-for-all"'


def weak(content: bytes) -> str:
    return f'W/"{sha256(content).hexdigest()}"'


class TestConditions:
    """Places that tell versions apart in their own ways, as web server and as bucket."""

    @pytest.fixture(params=["https", "s3"])
    def new_store(self, request: pytest.FixtureRequest, web: WebServer, tmp_path: Path) -> NewStore:
        if request.param == "https":
            return lambda: open_store(f"{web.url}/states/shop.yaml", tmp_path, {})
        login = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}
        environ = {"AWS_REGION": "us-east-1", "AWS_ENDPOINT_URL": web.url, **login}
        return lambda: open_store("s3://states/shop.yaml", tmp_path, environ)

    @pytest.mark.parametrize(
        ("server", "why"),
        [
            ({"ignores": frozenset({"If-None-Match", "If-Match"})}, "If-None-Match"),
            ({"ignores": frozenset({"If-None-Match"})}, "If-None-Match"),
            ({"ignores": frozenset({"If-Match"})}, "If-Match"),
            ({"etag": weak, "strong": True}, "refuses the version that it names itself"),
            ({"etag": lambda _content: ONE_NAME}, "one name"),
        ],
        ids=["none", "no creation", "no replacement", "weak, matching nothing", "one name"],
    )
    async def test_refused_before_anything_is_done(
        self, web: WebServer, new_store: NewStore, server: dict[str, Any], why: str
    ) -> None:
        for name, value in server.items():
            setattr(web, name, value)
        with pytest.raises(StateError, match=why) as raised:
            async with new_store().lock("deploy"):
                pytest.fail("it is not safe")
        assert raised.value.code == "state_unconditional"
        assert web.documents == {}

    async def test_a_bucket_that_knows_no_conditions(self, web: WebServer, tmp_path: Path) -> None:
        login = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}
        environ = {"AWS_REGION": "us-east-1", "AWS_ENDPOINT_URL": web.url, **login}
        web.answers = [404, 501]
        with pytest.raises(StateError, match="does not know conditional writes") as raised:
            async with open_store("s3://states/shop.yaml", tmp_path, environ).lock("deploy"):
                pytest.fail("it is not safe")
        assert raised.value.code == "state_unconditional"

    @pytest.mark.parametrize("server", [{}, {"etag": weak}], ids=["strong", "weak, matching"])
    async def test_two_writers(
        self, web: WebServer, new_store: NewStore, server: dict[str, Any]
    ) -> None:
        for name, value in server.items():
            setattr(web, name, value)
        store, late = new_store(), new_store()
        async with store.lock("deploy"):
            state = await started(store)
            assert await late.load() is not None
            state.shared["value"] = "kept"
            await store.save(state)
        with pytest.raises(StateConflict):
            await late.save(ProjectState.new("y-"))
        kept = await new_store().load()
        assert kept is not None
        assert kept.shared["value"] == "kept"

    async def test_a_lock_that_was_lost_is_noticed_before_the_next_write(
        self, web: WebServer, new_store: NewStore
    ) -> None:
        one, other = new_store(), new_store()
        assert isinstance(other, Unlockable)
        async with one.lock("deploy"):
            state = await started(one)
            await other.unlock()
            state.shared["value"] = "late"
            async with other.lock("destroy"):
                there = dict(web.documents)
                with pytest.raises(StateConflict, match="taken away"):
                    await one.save(state)
                assert web.documents == there

    async def test_clocks_that_are_apart_take_no_lock_away(self, new_store: NewStore) -> None:
        ahead = new_store()
        assert isinstance(ahead, RemoteStore)
        ahead._clock = Later(200.0)
        async with new_store().lock("deploy"):
            with pytest.raises(StateLocked):
                async with ahead.lock("destroy"):
                    pytest.fail("it was locked")


@pytest.fixture(params=["plain", "encrypted"])
def cli(
    request: pytest.FixtureRequest,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    s3: S3Server,
) -> Cli:
    monkeypatch.chdir(tmp_path)
    line = Cli(tmp_path, capsys)
    line.environ = s3.environ | {"SCORE_FLYIO_STATE": f"s3://{BUCKET}/shop/state.yaml"}
    if request.param == "encrypted":
        line.environ["SCORE_FLYIO_STATE_KEY"] = KEY
    (tmp_path / "score.yaml").write_text(SCORE, encoding="utf-8")
    return line


def good(cli: Cli, *args: str) -> Any:
    result = cli(*args, "--json")
    assert result.exit_code == 0, result.stderr
    return result.json


def workloads(cli: Cli) -> list[str]:
    return [item["workload"] for item in good(cli, "state", "show")["workloads"]]


def test_a_project_without_a_state_of_its_own(cli: Cli, s3: S3Server) -> None:
    good(cli, "init", "--fly-app-prefix=x-")
    good(cli, "generate", "score.yaml")
    with platform() as served:
        use(cli, served)
        good(cli, "deploy", "score.yaml", "--yes", "--no-smoke-checks")
    assert not list(cli.directory.glob(".score-flyio/*.yaml"))
    assert workloads(cli) == ["web"]
    versions = good(cli, "state", "history")
    assert [version["current"] for version in versions] == [True, False, False]
    good(cli, "state", "pull", "now.yaml")
    good(cli, "state", "pull", "first.yaml", "--saved", versions[-1]["id"])
    good(cli, "state", "push", "first.yaml", "--yes")
    assert workloads(cli) == []
    good(cli, "state", "push", "now.yaml", "--yes")
    assert workloads(cli) == ["web"]
    assert cli("state", "pull", "--saved", "nothing").exit_code == 2
    assert ".lock" not in {name[-5:] for name in s3.keys("shop")}


def test_a_locked_state_is_told_and_unlocked(cli: Cli, s3: S3Server) -> None:
    good(cli, "init", "--fly-app-prefix=x-")
    assert good(cli, "state", "unlock", "--yes") == {"unlocked": False, "holder": None}
    holder = {
        "id": "1", "owner": "deploy", "host": "ci-7", "process": 42,
        "since": "2026-01-02T03:04:05Z", "expires": "2999-01-01T00:00:00Z",
    }  # fmt: skip
    s3.put("shop/state.yaml.lock", json.dumps(holder).encode())
    result = cli("generate", "score.yaml")
    assert result.exit_code == 4
    for told in ("deploy", "42 on ci-7", "2026-01-02T03:04:05Z", "score-flyio state unlock"):
        assert told in result.stderr
    assert "ci-7" in good(cli, "state", "unlock", "--yes")["holder"]
    good(cli, "generate", "score.yaml")


@pytest.mark.parametrize(
    ("end", "exit_code"), [(signal.SIGTERM, 0), (signal.SIGKILL, 4)], ids=["ended", "killed"]
)
def test_a_run_that_ends_early_gives_the_lock_back_unless_it_is_killed(
    cli: Cli, s3: S3Server, end: signal.Signals, exit_code: int
) -> None:
    good(cli, "init", "--fly-app-prefix=x-")
    paths = os.pathsep.join(path for path in sys.path if path)
    command = [sys.executable, "-m", "score_flyio", "deploy", "score.yaml", "--yes"]
    with (
        platform(boot=60.0) as served,
        subprocess.Popen(
            command,
            env={"PATH": os.environ["PATH"], "PYTHONPATH": paths}
            | cli.environ
            | {"FLY_FLAPS_BASE_URL": served.url, "FLY_API_TOKEN": FLY_TOKEN},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        ) as run,
    ):
        try:
            assert run.stderr is not None
            # The machine's own step comes long after the lock was taken.
            assert any("machine" in line for line in run.stderr)
            meanwhile = cli("generate", "score.yaml")
            run.send_signal(end)
            run.stderr.read()
            assert run.wait(30) in {130, -signal.SIGKILL}
        finally:
            run.kill()
    assert meanwhile.exit_code == 4
    assert "locked by deploy" in meanwhile.stderr
    assert cli("generate", "score.yaml").exit_code == exit_code
    good(cli, "state", "unlock", "--yes")
    assert cli("generate", "score.yaml").exit_code == 0
