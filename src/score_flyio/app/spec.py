"""`AppSpec`: a fly.toml as typed data.

Attributes are the canonical key names with `-` as `_`, in the order in which the keys are written
(scalars before tables). Keys, types and defaults are those of the fly.toml reference.

Absent and zero are told apart only where the platform does: such attributes are `… | None`, and
`None` means absent. Everywhere else the zero value (`""`, `0`, `False`, `()`, `{}`) means absent,
except in `env`, `processes` and other free maps, whose values count as they are.

Metadata of a field: `key` is the spelling in the file if it is not the attribute's name;
`written` names the formats (`"toml"`, `"json"`) in which even a zero value is put out;
`minimum` and `maximum` bound what the platform's integer type can hold.
"""

from __future__ import annotations

from typing import Any, Literal

from attrs import Factory, field, frozen

from score_flyio.app.values import Duration
from score_flyio.record import Record

AutoStop = Literal["off", "stop", "suspend"]
PersistRootfs = Literal["", "never", "restart", "always"]


@frozen(kw_only=True, eq=False, repr=False)
class AttachedSecrets(Record):
    """`[experimental.attached.secrets]`."""

    export: dict[str, str] = Factory(dict)


@frozen(kw_only=True, eq=False, repr=False)
class Attached(Record):
    """`[experimental.attached]`."""

    secrets: AttachedSecrets = field(default=AttachedSecrets(), metadata={"written": ("json",)})


@frozen(kw_only=True, eq=False, repr=False)
class ExperimentalSection(Record):
    """`[experimental]`."""

    cmd: tuple[str, ...] = ()
    entrypoint: tuple[str, ...] = ()
    exec: tuple[str, ...] = ()
    auto_rollback: bool = False
    enable_consul: bool = False
    enable_etcd: bool = False
    lazy_load_images: bool = False
    machine_config: str = ""
    attached: Attached = field(default=Attached(), metadata={"written": ("json",)})


@frozen(kw_only=True, eq=False, repr=False)
class ComposeSection(Record):
    """`[build.compose]`; without `file` the usual names are searched."""

    file: str = ""


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
class DeploySection(Record):
    """`[deploy]`."""

    strategy: str = ""
    max_unavailable: float | None = None
    wait_timeout: Duration | None = None
    release_command: str = ""
    release_command_timeout: Duration | None = None
    seed_command: str = ""
    release_command_vm: VmSpec | None = None


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
class Concurrency(Record):
    """`concurrency` of a service."""

    type: str = ""
    hard_limit: int = 0
    soft_limit: int = 0


@frozen(kw_only=True, eq=False, repr=False)
class TlsOptions(Record):
    """`tls_options` of a port."""

    alpn: tuple[str, ...] = ()
    versions: tuple[str, ...] = ()
    default_self_signed: bool | None = None


@frozen(kw_only=True, eq=False, repr=False)
class HttpResponseOptions(Record):
    """`http_options.response` of a port."""

    pristine: bool | None = None
    headers: dict[str, Any] = Factory(dict)


@frozen(kw_only=True, eq=False, repr=False)
class ReplayCache(Record):
    """One `http_options.replay_cache` of a port."""

    path_prefix: str = field(default="", metadata={"written": ("toml", "json")})
    ttl_seconds: int = field(default=0, metadata={"written": ("toml", "json")})
    type: str = field(default="", metadata={"written": ("toml", "json")})
    name: str = field(default="", metadata={"written": ("toml", "json")})
    allow_bypass: bool = False


@frozen(kw_only=True, eq=False, repr=False)
class HttpOptions(Record):
    """`http_options` of a port."""

    compress: bool | None = None
    h2_backend: bool | None = None
    idle_timeout: int | None = field(default=None, metadata={"minimum": 0, "maximum": 2**32 - 1})
    """Seconds."""
    headers_read_timeout: int | None = field(
        default=None, metadata={"minimum": 0, "maximum": 2**32 - 1}
    )
    """Seconds."""
    response: HttpResponseOptions | None = None
    replay_cache: tuple[ReplayCache, ...] = ()


@frozen(kw_only=True, eq=False, repr=False)
class ProxyProtoOptions(Record):
    """`proxy_proto_options` of a port."""

    version: str = ""


@frozen(kw_only=True, eq=False, repr=False)
class ServicePort(Record):
    """One `[[services.ports]]`."""

    port: int | None = None
    start_port: int | None = None
    end_port: int | None = None
    handlers: tuple[str, ...] = ()
    force_https: bool = False
    tls_options: TlsOptions | None = None
    http_options: HttpOptions | None = None
    proxy_proto_options: ProxyProtoOptions | None = None


@frozen(kw_only=True, eq=False, repr=False)
class ServiceTcpCheck(Record):
    """One `[[services.tcp_checks]]`."""

    interval: Duration | None = None
    timeout: Duration | None = None
    grace_period: Duration | None = None


@frozen(kw_only=True, eq=False, repr=False)
class ServiceHttpCheck(Record):
    """One `[[services.http_checks]]` or `[[http_service.checks]]`."""

    interval: Duration | None = None
    timeout: Duration | None = None
    grace_period: Duration | None = None
    method: str | None = None
    path: str | None = None
    protocol: str | None = None
    tls_skip_verify: bool | None = None
    tls_server_name: str | None = None
    headers: dict[str, str] = Factory(dict)


@frozen(kw_only=True, eq=False, repr=False)
class MachineCheck(Record):
    """One `machine_checks` entry, of a service or of the app."""

    command: tuple[str, ...] = ()
    image: str = ""
    entrypoint: tuple[str, ...] = ()
    kill_signal: str | None = None
    kill_timeout: Duration | None = None


@frozen(kw_only=True, eq=False, repr=False)
class HttpService(Record):
    """`[http_service]`: ports 80 and 443."""

    internal_port: int = 0
    force_https: bool = False
    auto_stop_machines: AutoStop | None = None
    auto_start_machines: bool | None = None
    min_machines_running: int | None = None
    processes: tuple[str, ...] = ()
    concurrency: Concurrency | None = None
    tls_options: TlsOptions | None = None
    http_options: HttpOptions | None = None
    checks: tuple[ServiceHttpCheck, ...] = ()
    machine_checks: tuple[MachineCheck, ...] = ()


@frozen(kw_only=True, eq=False, repr=False)
class Service(Record):
    """One `[[services]]`."""

    protocol: str = field(default="", metadata={"written": ("toml",)})
    internal_port: int = field(default=0, metadata={"written": ("toml",)})
    auto_stop_machines: AutoStop | None = None
    auto_start_machines: bool | None = None
    min_machines_running: int | None = None
    ports: tuple[ServicePort, ...] = field(default=(), metadata={"written": ("toml",)})
    processes: tuple[str, ...] = ()
    concurrency: Concurrency | None = None
    tcp_checks: tuple[ServiceTcpCheck, ...] = ()
    http_checks: tuple[ServiceHttpCheck, ...] = ()
    machine_checks: tuple[MachineCheck, ...] = ()


@frozen(kw_only=True, eq=False, repr=False)
class Check(Record):
    """One `[checks.NAME]`."""

    port: int | None = None
    type: str | None = None
    interval: Duration | None = None
    timeout: Duration | None = None
    grace_period: Duration | None = None
    method: str | None = None
    path: str | None = None
    protocol: str | None = None
    tls_skip_verify: bool | None = None
    tls_server_name: str | None = None
    processes: tuple[str, ...] = ()
    headers: dict[str, str] = Factory(dict)


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
class RestartSpec(Record):
    """One `[[restart]]`."""

    policy: str = ""
    retries: int = 0
    processes: tuple[str, ...] = ()


@frozen(kw_only=True, eq=False, repr=False)
class StaticSection(Record):
    """One `[[statics]]`."""

    guest_path: str = field(default="", metadata={"written": ("toml",)})
    url_prefix: str = field(default="", metadata={"written": ("toml",)})
    tigris_bucket: str = field(default="", metadata={"written": ("json",)})
    index_document: str = ""


@frozen(kw_only=True, eq=False, repr=False)
class MetricsSpec(Record):
    """One `[[metrics]]`."""

    port: int = 0
    path: str = ""
    https: bool = False
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
