"""Sections that only a fly.toml has that somebody wrote."""

from __future__ import annotations

from typing import TYPE_CHECKING

from score_flyio.base.record import field, frozen

if TYPE_CHECKING:
    from score_flyio.flytoml.spec.app import VmSpec
    from score_flyio.flytoml.spec.checks import MachineCheck
    from score_flyio.flytoml.spec.services import AutoStop, ServiceHttpCheck
    from score_flyio.flytoml.spec.traffic import Concurrency, HttpOptions, TlsOptions
    from score_flyio.flytoml.values import Duration


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
