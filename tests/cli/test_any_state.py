"""Whatever the state files hold: commands work with it, or say what is wrong, and show no secret."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from score_flyio.yaml.reader import read_yaml
from tests.cli.conftest import Cli
from tests.near_misses import mutated, values

SHOP = """\
apiVersion: score.dev/v1b1
metadata: {name: shop}
containers:
  main:
    image: nginx:1
    variables: {HOST: "${resources.db.host}", PW: "${resources.db.pw}"}
resources: {db: {type: pg, params: {x: ["${resources.other.v}"]}}, other: {type: other}}
"""
SECRET = "hunter2"
STATE = {
    "app_prefix": "x-",
    "workloads": {"shop": {"spec": read_yaml(SHOP).value, "file": "shop.yaml"}},
    "resources": {
        "pg.default#shop.db": {
            "guid": "4c5b5dd6-6f6e-4d2f-8d3b-1f0e4f9f0c11",
            "type": "pg",
            "class": "default",
            "id": "shop.db",
            "metadata": {},
            "params": {"x": ["1"]},
            "source_workload": "shop",
            "provisioner": "pg",
            "state": {"password": SECRET},
            "outputs": {"host": "h"},
        }
    },
    "shared_state": {"score-flyio-app-prefix": "x-", "password": SECRET},
    "provisioners": [
        {"id": "pg", "resource_type": "pg", "static": {"host": "h", "pw": "open"}},
        {"id": "other", "resource_type": "other", "static": {"v": 1}},
    ],
}
LIKELY = ("pg.default#shop.db", "pg", "shop", "x.y#z", "${resources.db.host}", "", 2**70, "\ud800")
COMMANDS = (
    ("generate", "--json"),
    ("generate", "shop.yaml", "--secrets-file", "s.env", "--json"),
    ("init", "--json"),
    ("resources", "list", "--json"),
    ("resources", "get-outputs", "pg.default#shop.db", "--json"),
    ("resources", "deprovision", "pg.default#shop.db", "--json"),
    ("resources", "deprovision", "--all", "--yes", "--json"),
    ("provisioners", "list", "--json"),
    ("provisioners", "add", "new", "new", "--static-json", "{}", "--json"),
    ("workloads", "list", "--json"),
    ("workloads", "remove", "shop", "--json"),
    ("state", "show", "--json"),
)


@pytest.fixture
def folder(cli: Cli) -> Path:
    (cli.directory / ".score-flyio").mkdir()
    (cli.directory / "shop.yaml").write_text(SHOP)
    return cli.directory / ".score-flyio"


@settings(
    deadline=None,
    max_examples=60,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
@given(
    document=mutated(STATE, *LIKELY) | values(*LIKELY),
    name=st.sampled_from(["state.yaml"] * 5 + ["deployments.yaml"]),
    command=st.sampled_from(COMMANDS),
)
def test_any_document(
    cli: Cli, folder: Path, document: Any, name: str, command: tuple[str, ...]
) -> None:
    (folder / "deployments.yaml").unlink(missing_ok=True)
    (folder / "state.yaml").write_text(json.dumps(STATE))
    (folder / name).write_text(json.dumps(document))
    result = cli(*command)
    assert "unexpected" not in result.stderr
    assert result.json is not None
    assert SECRET not in result.stdout + result.stderr
    if result.exit_code == 0:
        assert cli("state", "show").exit_code == 0, "what was written can be read"
    else:
        assert result.json["error"]["message"]


@pytest.mark.parametrize("name", ["state.yaml", "deployments.yaml"])
@pytest.mark.parametrize("content", [b"", b"[]", b"a: [", b"\xff", b"a: 1\na: 2\n", b"1"])
def test_what_cannot_be_read_is_named(cli: Cli, folder: Path, name: str, content: bytes) -> None:
    (folder / "state.yaml").write_text(json.dumps(STATE))
    (folder / name).write_bytes(content)
    result = cli("generate")
    assert result.exit_code == 1
    assert name in result.stderr
