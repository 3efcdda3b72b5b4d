"""`logs`: what the machines print."""

from __future__ import annotations

from pathlib import Path

from tests.cli.conftest import Cli
from tests.cli.platform import FLY_TOML, platform, use

APP = ("-c", "fly.toml")


def test_logs_as_text_and_as_json(cli: Cli) -> None:
    with platform() as served:
        use(cli, served, FLY_API_BASE_URL=served.url)
        Path("fly.toml").write_text(FLY_TOML)
        assert cli("deploy", *APP, "--no-smoke-checks").exit_code == 0
        (first, *_) = served.machines("by-hand")
        shown = cli("logs", *APP)
        assert f"{first['id']} ams [info] Machine started" in shown.stdout
        lines = cli("logs", *APP, "--machine", first["id"], "--json").json
        assert {line["machine"] for line in lines} == {first["id"]}
        assert cli("logs", *APP, "--region", "fra").stdout == "no lines\n"
        assert cli("logs", *APP, "--follow", "--json").exit_code == 2


def test_logs_of_a_target_that_serves_none(cli: Cli) -> None:
    with platform() as served:
        use(cli, served)
        Path("fly.toml").write_text(FLY_TOML)
        cli("deploy", *APP, "--no-smoke-checks")
        refused = cli("logs", *APP)
        assert refused.exit_code == 2
        assert "FLY_API_BASE_URL" in refused.stderr
