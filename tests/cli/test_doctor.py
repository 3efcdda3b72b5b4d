"""`doctor`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Cli


def names(result: dict[str, Any], *, ok: bool) -> list[str]:
    return [check["name"] for check in result["checks"] if check["ok"] is ok]


def test_all_is_well_with_the_emulator(cli: Cli) -> None:
    cli("init", "--fly-app-prefix", "demo-")
    result = cli("doctor", "--target", "emulator", "--json")
    assert result.exit_code == 0
    assert result.json["ok"] is True
    expected = ["token", "api", "organization", "registry", "image builder", "state"]
    assert names(result.json, ok=True) == expected
    lines = cli("doctor", "--target", "emulator").stdout.splitlines()
    assert [line.split(":")[0] for line in lines] == [f"ok    {name}" for name in expected]


def test_without_a_token_and_a_readable_state(cli: Cli) -> None:
    Path(".score-flyio").mkdir()
    Path(".score-flyio/state.yaml").write_text("workloads: 7\n")
    cli.environ["HOME"] = str(cli.directory)
    result = cli("doctor", "--json")
    assert result.exit_code == 1
    assert names(result.json, ok=False) == ["token", "state"]
    assert "FLY_API_TOKEN" in result.json["checks"][0]["hint"]


def test_a_target_that_does_not_answer_fails_everything_that_asks_it(cli: Cli) -> None:
    cli.environ["FLY_API_TOKEN"] = "any"
    result = cli("doctor", "--target", "http://127.0.0.1:1", "--json")
    assert result.exit_code == 1
    assert names(result.json, ok=False) == ["api", "organization"]


@pytest.mark.parametrize("variable", ["FLY_FLAPS_BASE_URL", "FLY_API_HOSTNAME"])
def test_an_address_that_is_none_is_told_with_its_variable(cli: Cli, variable: str) -> None:
    cli.environ |= {"FLY_API_TOKEN": "any", variable: "fly.example"}
    result = cli("doctor", "--json")
    assert result.exit_code == 1
    assert names(result.json, ok=False) == ["api"]
    told = f"{variable}: 'fly.example' is not an http or https address"
    assert result.json["checks"][0]["message"] == told
    assert told in cli("status", "--app", "any").stderr


@pytest.mark.parametrize("target", ["http://fly.example", "nowhere"])
def test_a_target_that_is_none_says_nothing_of_the_token(cli: Cli, target: str) -> None:
    cli.environ |= {"FLY_API_TOKEN": "any", "FLY_FLAPS_BASE_URL": "https://fly.example"}
    result = cli("doctor", "--target", target, "--json")
    assert names(result.json, ok=False) == ["api"]
    assert "target" in result.json["checks"][0]["message"]
    assert target in result.json["checks"][0]["message"]


def test_a_registry_that_does_not_answer_is_told(cli: Cli) -> None:
    cli.environ |= {"FLY_API_TOKEN": "any", "FLY_REGISTRY_HOST": "127.0.0.1:1"}
    result = cli("doctor", "--target", "http://127.0.0.1:1", "--json")
    assert names(result.json, ok=False) == ["api", "organization", "registry"]
    (registry,) = [check for check in result.json["checks"] if check["name"] == "registry"]
    assert "127.0.0.1:1 does not answer" in registry["message"]


def test_which_builders_there_are(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("score_flyio.images.builders.address.SOCKETS", ())
    folder = cli.directory / "bin"
    folder.mkdir()
    cli.environ |= {"FLY_API_TOKEN": "any", "PATH": str(folder), "HOME": str(cli.directory)}

    def told(**environ: str) -> str:
        cli.environ |= environ
        checks = cli("doctor", "--target", "http://127.0.0.1:1", "--json").json["checks"]
        (found,) = [check for check in checks if check["name"] == "image builder"]
        assert found["ok"], "images need not be built"
        return str(found["message"])

    assert told().startswith("none")
    assert told(FLY_BUILDER_HOST="127.0.0.1:1") == "fly is used"
    (folder / "buildah").write_text("#!/bin/sh\n")
    (folder / "buildah").chmod(0o755)
    assert told() == "buildah is used; also there: fly"
    gone = "; DOCKER_CONTEXT: the Docker context 'gone' cannot be used: it is not there"
    assert told(DOCKER_CONTEXT="gone") == f"buildah is used; also there: fly{gone}"
    assert told(PATH="/nowhere", FLY_BUILDER_HOST="").startswith("none: ")
    assert told().endswith(gone)
    assert "DOCKER_HOST: 'nonsense' is not the address" in told(DOCKER_HOST="nonsense")
    assert told(PATH=str(folder)).startswith("none: ")
