"""What a simulated project deploys: Score workloads and hand-written fly.toml files."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal, TypeAlias

from attrs import field, frozen

from score_flyio.engine.inputs import FlyTomlApp, Input, ScoreApp
from score_flyio.flytoml import read_fly_toml

Badness: TypeAlias = Literal["", "unhealthy", "crash", "release", "test"]
"""What is wrong with a version: checks never pass, it crashes, its release command or its machine
check fails."""

MARKS: dict[Badness, dict[str, str]] = {
    "": {},
    "release": {},
    "test": {},
    "unhealthy": {"EMULATE_HEALTHY": "never"},
    "crash": {"EMULATE_EXIT": "1", "EMULATE_EXIT_AFTER": "0.3"},
}
HANDLERS = "score-flyio.astromechza.github.com/service-web-handlers"


@frozen(kw_only=True)
class Version:
    """What changes of an app from one deploy to the next."""

    image: int = 1
    value: int = 1
    groups: tuple[str, ...] = ("app",)
    """Process groups; only hand-written files have several."""
    bad: Badness = ""


@frozen(kw_only=True)
class SimApp:
    """What stays of an app, and its versions, one a stage."""

    name: str
    kind: Literal["score", "toml"]
    service: bool = True
    checked: bool = True
    volume: str | None = None
    """The process group that has a volume."""
    moving: bool = False
    """Whether its data goes on in group `app` while a version has not that group."""
    release_command: bool = False
    machine_check: bool = False
    secrets: bool = False
    static: bool = False
    strategy: str = "rolling"
    versions: tuple[Version, ...] = field(factory=tuple)

    def input(self, stage: int) -> Input:
        """The app as it is deployed in a stage."""
        version = self.versions[stage]
        if self.kind == "score":
            return ScoreApp.from_document(self._score(version), f"{self.name}.yaml")
        document = read_fly_toml(self._toml(version), file=f"{self.name}.toml")
        if document.spec is None or document.problems:
            raise AssertionError(document.problems)
        return FlyTomlApp(
            app=self.app, document=document, spec=document.spec, directory=Path("/nowhere")
        )

    @property
    def app(self) -> str:
        return f"sim-{self.name}"

    def mounting(self, version: Version) -> str | None:
        """The group of a version that has the volume."""
        if self.volume in version.groups:
            return self.volume
        return "app" if self.volume and self.moving else None

    def _score(self, version: Version) -> dict[str, Any]:
        variables = {"VALUE": str(version.value), **MARKS[version.bad]}
        resources: dict[str, Any] = {}
        if self.secrets:
            variables["DB_URL"] = "postgres://${resources.db.user}:${resources.db.password}@db"
            resources["db"] = {"type": "database"}
        if self.static:
            variables["ENDPOINT"] = "${resources.api.url}"
            resources["api"] = {"type": "endpoint"}
        container: dict[str, Any] = {"image": f"registry/x:{version.image}", "variables": variables}
        if self.checked:
            container["readinessProbe"] = {"httpGet": {"path": "/", "port": 8080}}
        document: dict[str, Any] = {
            "apiVersion": "score.dev/v1b1",
            "metadata": {"name": self.name},
            "containers": {"main": container},
        }
        if self.service:
            document["metadata"]["annotations"] = {HANDLERS: "http"}
            document["service"] = {"ports": {"web": {"port": 80, "targetPort": 8080}}}
        if resources:
            document["resources"] = resources
        return document

    def _toml(self, version: Version) -> str:
        lines = [f'app = "{self.app}"', 'primary_region = "iad"']
        lines += ["[build]", f'image = "registry/x:{version.image}"']
        lines += ["[env]", f'VALUE = "{version.value}"']
        lines += [f'{name} = "{text}"' for name, text in MARKS[version.bad].items()]
        lines += ["[deploy]", f'strategy = "{self.strategy}"']
        if self.release_command:
            command = "migrate --fail" if version.bad == "release" else "migrate"
            lines.append(f'release_command = "{command}"')
        lines += ["[processes]", *(f'{group} = "run {group}"' for group in version.groups)]
        if self.service:
            lines += [
                "[http_service]",
                "internal_port = 8080",
                'processes = ["app"]',
            ]
        for group in version.groups if self.checked else ():
            lines += [
                f"[checks.{group}]",
                'type = "tcp"',
                "port = 9000",
                f'processes = ["{group}"]',
            ]
        if self.machine_check:
            result = "false" if version.bad == "test" else "true"
            lines += ["[[machine_checks]]", f'command = ["{result}"]']
        if mounting := self.mounting(version):
            lines += ["[[mounts]]", 'source = "data"', 'destination = "/data"']
            lines += [f'processes = ["{mounting}"]']
        return "\n".join(lines) + "\n"
