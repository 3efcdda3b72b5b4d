"""How a service and its ports pass traffic on."""

from __future__ import annotations

from typing import Any

from score_flyio.base.record import Factory, field, frozen


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
