"""`AppSpec`: a fly.toml as typed data.

Attributes are the canonical key names with `-` as `_`, in the order in which the keys are written
(scalars before tables). Keys, types and defaults are those of the fly.toml reference.

Absent and zero are told apart only where the platform does: such attributes are `… | None`, and
`None` means absent. Everywhere else the zero value (`""`, `0`, `False`, `()`, `{}`) means absent,
except in `env`, `processes` and other free maps, whose values count as they are.

Metadata of a field: `key` is the spelling in the file if it is not the attribute's name;
`written` names the formats (`"toml"`, `"json"`) in which even a zero value is put out;
`zero` says that zero values are left out all the same, though absent and zero are told apart;
`minimum` and `maximum` bound what the platform's integer type can hold.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from score_flyio.base.record import Factory, field, frozen

if TYPE_CHECKING:
    from score_flyio.flytoml.values import Duration

PersistRootfs = Literal["", "never", "restart", "always"]
AutoStop = Literal["off", "stop", "suspend"]


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
class ComposeSection:
    """`[build.compose]`; without `file` the usual names are searched."""

    file: str = ""


@frozen(kw_only=True)
class DeploySection:
    """`[deploy]`."""

    strategy: str = ""
    max_unavailable: float | None = None
    wait_timeout: Duration | None = None
    release_command: str = ""
    release_command_timeout: Duration | None = None
    seed_command: str = ""
    release_command_vm: VmSpec | None = None


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
class RestartSpec:
    """One `[[restart]]`."""

    policy: str = ""
    retries: int = 0
    processes: tuple[str, ...] = ()


@frozen(kw_only=True)
class StaticSection:
    """One `[[statics]]`."""

    guest_path: str = field(default="", metadata={"written": ("toml",)})
    url_prefix: str = field(default="", metadata={"written": ("toml",)})
    tigris_bucket: str = field(default="", metadata={"written": ("json",)})
    index_document: str = ""


@frozen(kw_only=True)
class MetricsSpec:
    """One `[[metrics]]`."""

    port: int | None = field(default=None, metadata={"zero": "left out"})
    path: str | None = field(default=None, metadata={"zero": "left out"})
    https: bool | None = field(default=None, metadata={"zero": "left out"})
    processes: tuple[str, ...] = ()


@frozen(kw_only=True)
class HttpService:
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


@frozen(kw_only=True)
class Service:
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


@frozen(kw_only=True)
class ServicePort:
    """One `[[services.ports]]`."""

    port: int | None = None
    start_port: int | None = None
    end_port: int | None = None
    handlers: tuple[str, ...] = ()
    force_https: bool = False
    tls_options: TlsOptions | None = None
    http_options: HttpOptions | None = None
    proxy_proto_options: ProxyProtoOptions | None = None


@frozen(kw_only=True)
class Concurrency:
    """`concurrency` of a service."""

    type: str = ""
    hard_limit: int = 0
    soft_limit: int = 0


@frozen(kw_only=True)
class TlsOptions:
    """`tls_options` of a port."""

    alpn: tuple[str, ...] = ()
    versions: tuple[str, ...] = ()
    default_self_signed: bool | None = None


@frozen(kw_only=True)
class HttpResponseOptions:
    """`http_options.response` of a port."""

    pristine: bool | None = None
    headers: dict[str, Any] = Factory(dict)


@frozen(kw_only=True)
class ReplayCache:
    """One `http_options.replay_cache` of a port."""

    path_prefix: str = field(default="", metadata={"written": ("toml", "json")})
    ttl_seconds: int = field(default=0, metadata={"written": ("toml", "json")})
    type: str = field(default="", metadata={"written": ("toml", "json")})
    name: str = field(default="", metadata={"written": ("toml", "json")})
    allow_bypass: bool = False


@frozen(kw_only=True)
class HttpOptions:
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


@frozen(kw_only=True)
class ProxyProtoOptions:
    """`proxy_proto_options` of a port."""

    version: str = ""


@frozen(kw_only=True)
class ServiceTcpCheck:
    """One `[[services.tcp_checks]]`."""

    interval: Duration | None = None
    timeout: Duration | None = None
    grace_period: Duration | None = None


@frozen(kw_only=True)
class ServiceHttpCheck:
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


@frozen(kw_only=True)
class Check:
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


@frozen(kw_only=True)
class MachineCheck:
    """One `machine_checks` entry, of a service or of the app."""

    command: tuple[str, ...] = ()
    image: str = ""
    entrypoint: tuple[str, ...] = ()
    kill_signal: str | None = None
    kill_timeout: Duration | None = None


@frozen(kw_only=True)
class AttachedSecrets:
    """`[experimental.attached.secrets]`."""

    export: dict[str, str] = Factory(dict)


@frozen(kw_only=True)
class Attached:
    """`[experimental.attached]`."""

    secrets: AttachedSecrets = field(factory=AttachedSecrets, metadata={"written": ("json",)})


@frozen(kw_only=True)
class ExperimentalSection:
    """`[experimental]`."""

    cmd: tuple[str, ...] = ()
    entrypoint: tuple[str, ...] = ()
    exec: tuple[str, ...] = ()
    auto_rollback: bool = False
    enable_consul: bool = False
    enable_etcd: bool = False
    lazy_load_images: bool = False
    machine_config: str = ""
    attached: Attached = field(factory=Attached, metadata={"written": ("json",)})
