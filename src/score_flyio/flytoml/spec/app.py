"""A whole fly.toml, and what most apps have: an image, files, a volume, a size."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from attrs import Factory, field, frozen

from score_flyio.base.record import Record

if TYPE_CHECKING:
    from score_flyio.flytoml.spec.checks import Check, MachineCheck
    from score_flyio.flytoml.spec.experimental import ExperimentalSection
    from score_flyio.flytoml.spec.handwritten import (
        ComposeSection,
        DeploySection,
        HttpService,
        MetricsSpec,
        RestartSpec,
        StaticSection,
    )
    from score_flyio.flytoml.spec.services import Service
    from score_flyio.flytoml.values import Duration

PersistRootfs = Literal["", "never", "restart", "always"]


@frozen(kw_only=True, eq=False, repr=False)
class BuildSection(Record):
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


@frozen(kw_only=True, eq=False, repr=False)
class VmSpec(Record):
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


@frozen(kw_only=True, eq=False, repr=False)
class Mount(Record):
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


@frozen(kw_only=True, eq=False, repr=False)
class FileSpec(Record):
    """One `[[files]]`."""

    guest_path: str = ""
    local_path: str = ""
    secret_name: str = ""
    raw_value: str = ""
    """Plain text; it is encoded when it is sent."""
    processes: tuple[str, ...] = ()


@frozen(kw_only=True, eq=False, repr=False)
class AppSpec(Record):
    """A whole fly.toml."""

    app: str = ""
    primary_region: str = ""
    kill_signal: str | None = None
    kill_timeout: Duration | None = None
    swap_size_mb: int | None = None
    """MiB."""
    console_command: str = ""
    host_dedication_id: str = ""
    machine_config: str = ""
    """Inline JSON, or the path of a `.json` file."""
    container: str = ""
    experimental: ExperimentalSection | None = None
    build: BuildSection | None = None
    deploy: DeploySection | None = None
    env: dict[str, str] = Factory(dict)
    processes: dict[str, str] = Factory(dict)
    """Process group → command line."""
    mounts: tuple[Mount, ...] = ()
    http_service: HttpService | None = None
    services: tuple[Service, ...] = ()
    checks: dict[str, Check] = Factory(dict)
    files: tuple[FileSpec, ...] = ()
    machine_checks: tuple[MachineCheck, ...] = ()
    restart: tuple[RestartSpec, ...] = ()
    vm: tuple[VmSpec, ...] = ()
    statics: tuple[StaticSection, ...] = ()
    metrics: tuple[MetricsSpec, ...] = ()
