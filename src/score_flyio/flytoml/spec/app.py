"""A whole fly.toml, and what most apps have: an image, files, a volume, a size."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from score_flyio.base.record import Factory, field, frozen

if TYPE_CHECKING:
    from score_flyio.flytoml.spec.checks import Check, MachineCheck, ServiceTcpCheck
    from score_flyio.flytoml.spec.experimental import ExperimentalSection
    from score_flyio.flytoml.spec.handwritten import (
        ComposeSection,
        DeploySection,
        HttpService,
        MetricsSpec,
        RestartSpec,
        StaticSection,
    )
    from score_flyio.flytoml.spec.services import Service, ServiceHttpCheck
    from score_flyio.flytoml.values import Duration

PersistRootfs = Literal["", "never", "restart", "always"]


@frozen(kw_only=True)
class BuildSection:
    """`[build]`."""

    builder: str = ""
    buildpacks: tuple[str, ...] = ()
    image: str = ""
    builtin: str = ""
    dockerfile: str = ""
    ignorefile: str = ""
    build_target: str = field(default="", metadata={"key": "build-target"})
    compression: str = ""
    compression_level: int | None = None
    args: dict[str, str] = Factory(dict)
    settings: dict[str, Any] = Factory(dict)
    compose: ComposeSection | None = None


@frozen(kw_only=True)
class VmSpec:
    """One `[[vm]]`, or `[deploy.release_command_vm]`."""

    size: str = ""
    memory: str = ""
    """Size text, such as `512mb`; a plain number means MiB."""
    cpu_kind: str = ""
    cpus: int = 0
    memory_mb: int = 0
    """MiB."""
    max_memory_mb: int = 0
    """MiB."""
    gpus: int = 0
    gpu_kind: str = ""
    host_dedication_id: str = ""
    persist_rootfs: PersistRootfs = ""
    kernel_args: tuple[str, ...] = ()
    processes: tuple[str, ...] = ()


@frozen(kw_only=True)
class Mount:
    """One `[[mounts]]`."""

    source: str = ""
    destination: str = ""
    initial_size: str = ""
    """Size text; a plain number means GB."""
    snapshot_retention: int | None = None
    """Days."""
    scheduled_snapshots: bool | None = None
    auto_extend_size_threshold: int = 0
    """Percent."""
    auto_extend_size_increment: str = ""
    auto_extend_size_limit: str = ""
    processes: tuple[str, ...] = ()


@frozen(kw_only=True)
class FileSpec:
    """One `[[files]]`."""

    guest_path: str = ""
    local_path: str = ""
    secret_name: str = ""
    raw_value: str | None = None
    """Plain text; it is encoded when it is sent. None: the entry has no content of its own."""
    processes: tuple[str, ...] = ()


@frozen(kw_only=True)
class AppSpec:
    """A whole fly.toml."""

    app: str = ""
    """Name of the app; empty: none is given."""
    primary_region: str = ""
    """Where machines go that no option places elsewhere."""
    kill_signal: str | None = None
    """What asks a process to end, such as SIGTERM."""
    kill_timeout: Duration | None = None
    """How long it may take to end before it is killed."""
    swap_size_mb: int | None = None
    """MiB."""
    console_command: str = ""
    """What `fly console` runs."""
    host_dedication_id: str = ""
    """Hosts that are reserved for the organization."""
    machine_config: str = ""
    """Inline JSON, or the path of a `.json` file."""
    container: str = ""
    """Which container of a machine the other sections are about."""
    experimental: ExperimentalSection | None = None
    """`[experimental]`."""
    build: BuildSection | None = None
    """`[build]`: the image, or how it is made."""
    deploy: DeploySection | None = None
    """`[deploy]`: strategy, release command, timeouts."""
    env: dict[str, str] = Factory(dict)
    """Variables of every machine."""
    processes: dict[str, str] = Factory(dict)
    """Process group → command line."""
    mounts: tuple[Mount, ...] = ()
    """`[[mounts]]`: volumes and where they are mounted."""
    http_service: HttpService | None = None
    """`[http_service]`: one service on ports 80 and 443."""
    services: tuple[Service, ...] = ()
    """`[[services]]`: ports that the proxy serves."""
    checks: dict[str, Check] = Factory(dict)
    """`[checks.NAME]`: health of a machine that no service belongs to."""
    files: tuple[FileSpec, ...] = ()
    """`[[files]]`: what is written into each machine."""
    machine_checks: tuple[MachineCheck, ...] = ()
    """`[[machine_checks]]`: commands that test a new version on a machine of their own."""
    restart: tuple[RestartSpec, ...] = ()
    """`[[restart]]`: what happens when the process ends."""
    vm: tuple[VmSpec, ...] = ()
    """`[[vm]]`: CPUs and memory, by process group."""
    statics: tuple[StaticSection, ...] = ()
    """`[[statics]]`: files that the proxy serves itself."""
    metrics: tuple[MetricsSpec, ...] = ()
    """`[[metrics]]`: where metrics are scraped."""

    @property
    def placed_services(self) -> dict[str, HttpService | Service]:
        """The services of all kinds, by their places."""
        placed: dict[str, HttpService | Service] = {
            f"services[{index}]": service for index, service in enumerate(self.services)
        }
        return {"http_service": self.http_service, **placed} if self.http_service else placed

    @property
    def placed_machine_checks(self) -> dict[str, MachineCheck]:
        """The machine checks of services, then those of the app, by their places."""
        sections = {f"{place}.": one.machine_checks for place, one in self.placed_services.items()}
        return {
            f"{section}machine_checks[{index}]": check
            for section, checks in {**sections, "": self.machine_checks}.items()
            for index, check in enumerate(checks)
        }

    @property
    def service_checks(self) -> dict[str, ServiceTcpCheck | ServiceHttpCheck]:
        """The checks of all services, by their places."""
        http = self.http_service.checks if self.http_service else ()
        groups: dict[str, tuple[ServiceTcpCheck | ServiceHttpCheck, ...]] = {
            "http_service.checks": http
        }
        for index, service in enumerate(self.services):
            groups[f"services[{index}].tcp_checks"] = service.tcp_checks
            groups[f"services[{index}].http_checks"] = service.http_checks
        return {f"{place}[{n}]": c for place, found in groups.items() for n, c in enumerate(found)}
