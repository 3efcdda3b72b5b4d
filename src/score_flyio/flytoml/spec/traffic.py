"""How a service and its ports pass traffic on."""

from __future__ import annotations

from typing import Any

from attrs import Factory, field, frozen

from score_flyio.base.record import Record


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
