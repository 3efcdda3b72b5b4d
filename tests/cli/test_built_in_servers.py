"""Types of servers that need nothing but `init`: deployed to an emulator, and taken away again."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from fly_emulator import real_postgres
from tests.cli.conftest import Cli

SCORE = """\
apiVersion: score.dev/v1b1
metadata: {name: shop}
containers:
  main:
    image: nginx
    variables:
      DB: ${resources.db.url}
      ORDERS: ${resources.orders.host}
      CACHE: ${resources.cache.url}
      SERVER: ${resources.server.password}
      ITEMS: ${resources.items.url}
      DOCUMENTS: ${resources.documents.connection}
      QUEUE: ${resources.queue.vhost} ${resources.queue.password}
      FILES: ${resources.files.endpoint}/${resources.files.bucket} ${resources.files.secret_key}
resources:
  db: {type: postgres}
  orders: {type: postgres}
  cache: {type: redis}
  server: {type: postgres-instance}
  items: {type: mysql}
  documents: {type: mongodb}
  queue: {type: amqp}
  files: {type: s3}
"""
ORDERS = """\
apiVersion: score.dev/v1b1
metadata: {name: shop}
containers:
  main:
    image: nginx
    variables:
      ORDERS: ${resources.orders.host}
      CACHE: ${resources.cache.url}
resources:
  orders: {type: postgres}
  cache: {type: redis}
"""
FAST = ("--emulate", "--no-smoke-checks", "--ha=false")


def apps(folder: Path) -> set[str]:
    world = json.loads((folder / ".score-flyio/emulator/world.json").read_text())
    return {app["name"] for app in world["apps"]}


def test_from_init_to_nothing_left(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # With a PostgreSQL that really runs: tests/cli/test_real_postgres.py.
    monkeypatch.setattr(real_postgres, "is_installed", lambda: False)
    (tmp_path / "score.yaml").write_text(SCORE)
    assert cli("init", "--fly-app-prefix", "pfx-").exit_code == 0
    made = cli("deploy", "score.yaml", *FAST)
    assert made.exit_code == 0, made.stderr
    assert "no server runs in an emulated machine" in made.stderr
    kinds = sorted(app.removeprefix("pfx-").split("-")[0] for app in apps(tmp_path))
    assert kinds == ["mongo", "mysql", "pg", "pg", "rabbitmq", "redis", "s3", "shop"]

    planned = cli("plan", "--target", "emulator", "--detailed-exitcode", "--ha=false")
    assert planned.exit_code == 0, planned.stdout
    again = cli("deploy", *FAST, "--json")
    assert again.json["outcome"] == "unchanged"

    gone = cli("destroy", "--target", "emulator", "--yes")
    assert gone.exit_code == 0, gone.stderr
    assert not apps(tmp_path)


def test_a_server_needs_a_token_and_says_so(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "score.yaml").write_text(SCORE)
    cli("init", "--fly-app-prefix", "pfx-")
    result = cli("generate", "score.yaml")
    assert result.exit_code == 1
    assert "FLY_API_TOKEN is needed" in result.stderr
    assert "or try it without an account: score-flyio deploy --emulate" in result.stderr
    assert "add --emulate" not in result.stderr


def test_one_of_the_projects_own_comes_first(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "score.yaml").write_text(ORDERS)
    cli("init", "--fly-app-prefix", "pfx-")
    for type_ in ("postgres", "redis"):
        values = json.dumps({"host": "mine", "url": "mine"})
        cli("provisioners", "add", f"my-{type_}", type_, "--static-json", values)
    result = cli("generate", "score.yaml")
    assert result.exit_code == 0, result.stderr
    assert 'ORDERS = "mine"' in (tmp_path / "fly_shop.toml").read_text()
