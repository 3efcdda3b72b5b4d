"""An emulated platform on a real port, and a project, for command lines to work on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import httpx
from anyio.from_thread import BlockingPortal, start_blocking_portal
from attrs import evolve, frozen

from fly_emulator import Emulator, EmulatorSettings, parse_faults
from tests.cli.conftest import Cli

QUICK: Final = EmulatorSettings(
    boot=0.02,
    healthy_after=0.02,
    first_check_after=0.01,
    prepare=0.01,
    one_shot=0.02,
    destroy=0.0,
    rate_limits=False,
)
TOKEN: Final = "fm2_of-the-tests"  # good for the emulator alone

WEB: Final = """\
apiVersion: score.dev/v1b1
metadata: {name: web}
containers:
  main:
    image: nginx:1
    variables: {LEVEL: info}
    livenessProbe: {httpGet: {path: /, port: 8080}}
service:
  ports:
    web: {port: 8080}
"""
WORKER: Final = """\
apiVersion: score.dev/v1b1
metadata: {name: worker}
containers:
  main: {image: busybox:1}
"""
DB: Final = """\
apiVersion: score.dev/v1b1
metadata: {name: db-user}
containers:
  main:
    image: busybox:1
    variables: {HOST: "${resources.db.host}"}
resources:
  db: {type: thing}
"""
FLY_TOML: Final = """\
app = 'by-hand'
primary_region = 'ams'
[build]
  image = 'nginx:1'
[http_service]
  internal_port = 8080
"""


@frozen
class Platform:
    """A running emulator."""

    emulator: Emulator
    url: str
    portal: BlockingPortal

    def get(self, path: str) -> Any:
        """What the API says, as JSON."""
        headers = {"authorization": f"Bearer {TOKEN}"}
        return httpx.get(f"{self.url}/v1{path}", headers=headers).json()

    def post(self, path: str, *, method: str = "POST") -> None:
        """Somebody else at work."""
        headers = {"authorization": f"Bearer {TOKEN}"}
        httpx.request(method, f"{self.url}/v1{path}", headers=headers).raise_for_status()

    def machines(self, app: str) -> list[Any]:
        """The living machines of an app, by id."""
        machines = self.get(f"/apps/{app}/machines")
        found = [m for m in machines if m["state"] not in {"destroying", "destroyed"}]
        return sorted(found, key=lambda machine: machine["id"])


@contextmanager
def platform(faults: str = "", **settings: Any) -> Iterator[Platform]:
    """Serves one while the block runs."""
    emulator = Emulator(evolve(QUICK, **settings), faults=parse_faults(faults, 0))
    with (
        start_blocking_portal() as portal,
        portal.wrap_async_context_manager(emulator.serve()) as url,
    ):
        yield Platform(emulator, url, portal)


def use(cli: Cli, served: Platform, **more: str) -> None:
    """Points the environment of a command line at the platform."""
    cli.environ |= {"FLY_FLAPS_BASE_URL": served.url, "FLY_API_TOKEN": TOKEN, **more}


def project(cli: Cli, files: Mapping[str, str] | None = None) -> None:
    """A project with prefix `x-` and these files."""
    for name, text in (files or {}).items():
        Path(cli.directory / name).write_text(text)
    assert cli("init", "--no-sample", "--fly-app-prefix", "x-").exit_code == 0
