"""What plans and tables look like on terminals of 80 and of 120 columns, line by line."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.cli.conftest import Cli
from tests.cli.platform import TOKEN, WEB, Platform, platform, project, use
from tests.cli.test_terminal import WIDTHS, run, steady

WITH_RESOURCE = (
    WEB.replace("{LEVEL: info}", '{LEVEL: info, HOST: "${resources.db.host}"}')
    + "resources:\n  db: {type: thing}\n"
)
OUTPUTS = '{"host": "h", "password_of_nobody": "p", "port": 1, "an_output_with_a_long_name": 2}'
MACHINE = [
    "      image: nginx:1",
    "      size: shared-cpu-1x, 256 MB",
    "      env: HOST, LEVEL",
    "      services[0]: 8080 → 8080 tcp",
    "      checks.liveness_probe: http GET / on 8080",
]
KEPT = "  note: no port is public: this one keeps its public addresses (v6); ips release"
KEPT_ADDRESSES = {
    80: [KEPT, "      ADDRESS --app x-web gives one back"],
    120: [f"{KEPT} ADDRESS --app x-web gives one back"],
}
RESOURCES = {
    80: [
        "UID  SOURCE WORKLOAD  PROVISIONER  OUTPUTS",
        "thing.default#web.db  web  t  an_output_with_a_long_name,",
        f"{52 * ' '}host, password_of_nobody,",
        f"{52 * ' '}port",
    ],
    120: [
        "UID  SOURCE WORKLOAD  PROVISIONER  OUTPUTS",
        "thing.default#web.db  web  t  an_output_with_a_long_name, host, password_of_nobody, port",
    ],
}


@pytest.fixture
def served(cli: Cli) -> Iterator[Platform]:
    with platform() as running:
        use(cli, running)
        project(cli, {"web.yaml": WITH_RESOURCE})
        added = cli("provisioners", "add", "t", "thing", "--static-json", OUTPUTS)
        assert added.exit_code == 0
        yield running


def capture(cli: Cli, *arguments: str, columns: int) -> list[str]:
    """The screen without where it goes to."""
    shown = run(cli, *arguments, columns=columns)
    assert shown.code == 0, shown.raw
    assert max(map(len, shown.screen)) <= columns
    return [line for line in steady(shown.screen) if not line.startswith("CLOCK target:")]


@WIDTHS
def test_a_first_plan(cli: Cli, served: Platform, columns: int) -> None:
    assert capture(cli, "plan", "web.yaml", columns=columns) == [
        "+ provision thing.default#web.db: its outputs are known later",
        "web (app x-web):",
        "  + create app x-web in organization personal",
        "  + create machine of group app × 2",
        *MACHINE,
        "1 app, 1 resource to provision, 2 machines to create; 0 USD a month in addresses",
    ]


def test_what_cannot_be_planned_is_told_once(cli: Cli, served: Platform) -> None:
    Path("web.yaml").write_text(WEB.replace("nginx:1", "7"))
    shown = run(cli, "plan", "web.yaml")
    assert shown.code == 2
    assert sum("containers.main.image" in line for line in shown.screen) == 1
    assert "Error: " in cli("plan", "web.yaml").stderr


@WIDTHS
def test_what_is_deployed(cli: Cli, served: Platform, columns: int) -> None:
    assert cli("deploy", "web.yaml", "--no-smoke-checks").exit_code == 0
    assert cli("ips", "allocate", "web", "v6").exit_code == 0
    assert cli("secrets", "set", "web", "A=1", "--stage").exit_code == 0
    assert capture(cli, "resources", "list", columns=columns) == RESOURCES[columns]
    assert capture(cli, "plan", "web.yaml", "-e", "LEVEL=debug", columns=columns) == [
        "refresh thing.default#web.db: it is provisioned already",
        "web (app x-web):",
        "  ~ update machine of group app × 2 (MACHINE, MACHINE)",
        "      env.LEVEL: info → debug",
        "  note: secrets that were staged go live with this deploy: A",
        *KEPT_ADDRESSES[columns],
        "1 app, 2 machines to update; 0 USD a month in addresses",
    ]
    more, image, *others = capture(cli, "scale", "web", "4", "--dry-run", columns=columns)[1:]
    assert more == "  + create machine of group app × 2 (iad)"
    assert re.fullmatch(r"      image: nginx:1@sha256:[0-9a-f]{12}", image)
    assert others[0] == MACHINE[1]
    assert others[-1] == "1 app, 2 machines to create; 0 USD a month in addresses"
    header, address = capture(cli, "ips", "list", "web", columns=columns)
    assert header == "ADDRESS  TYPE  REGION  CREATED"
    assert re.fullmatch(r"[0-9a-f:]+  v6  global  (just now|\d minutes? ago)", address)
    header, secret = capture(cli, "secrets", "list", "web", columns=columns)
    assert header == "NAME  DIGEST  UPDATED"
    assert re.fullmatch(r"A  [0-9a-f]{16}  (just now|\d minutes? ago)", secret)
    assert cli("secrets", "list", "web", "--json").json[0]["updated_at"].endswith("Z")
    title, machines, released, app, *rest = capture(cli, "destroy", "--dry-run", columns=columns)
    assert title == "web (app x-web):"
    assert machines.startswith("  - destroy machine × 2 (MACHINE, MACHINE): the app is destroyed")
    assert released.startswith("  - release address ")
    assert app == "  - destroy app x-web"
    assert rest == [
        "1 app, 2 machines to destroy; 0 USD a month in addresses",
        "deprovision thing.default#web.db",
    ]
    gone = capture(cli, "destroy", "--yes", columns=columns)
    assert machines in gone
    assert gone[-2:] == ["web (app x-web): done", "done in TIME"]


@WIDTHS
def test_long_lines_of_a_status_end_between_words(cli: Cli, served: Platform, columns: int) -> None:
    assert cli("deploy", "web.yaml", "--no-smoke-checks").exit_code == 0
    machine = served.machines("x-web")[0]["id"]
    headers = {"authorization": f"Bearer {TOKEN}"}
    release = f"{served.url}/v1/apps/x-web/machines/{machine}/metadata/fly_release_version"
    httpx.post(release, headers=headers, json={"value": "7"}).raise_for_status()
    shown = run(cli, "status", columns=columns)
    assert "several releases" in shown.raw
    assert max(map(len, shown.raw.splitlines())) <= columns
