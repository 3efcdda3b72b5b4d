"""A workload: one Score file after overrides, upgrade and validation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from score_flyio.base.record import field, frozen


@frozen(kw_only=True)
class HttpProbe:
    """GET a path of the container; a success status means healthy."""

    path: str
    port: int
    scheme: Literal["HTTP", "HTTPS"] | None = None
    host: str | None = None
    headers: tuple[tuple[str, str], ...] = ()


@frozen(kw_only=True)
class ExecProbe:
    """Run a command in the container; exit code 0 means healthy."""

    command: tuple[str, ...]


@frozen(kw_only=True)
class Probe:
    """How to ask a container for its health; with both kinds, `exec` counts where possible."""

    http: HttpProbe | None = None
    exec: ExecProbe | None = None


@frozen(kw_only=True)
class FileMount:
    """A file put into a container. Exactly one of the three sources is set."""

    target: str
    content: str | None = None
    binary_content: str | None = None
    """Standard base64."""
    source: str | None = None
    """Path relative to the Score file."""
    mode: str | None = None
    """Octal, such as `0644`."""
    no_expand: bool = False
    """Placeholders in it stay as they are."""


@frozen(kw_only=True)
class VolumeMount:
    """A volume mounted into a container."""

    target: str
    source: str
    path: str | None = None
    """Directory inside the volume."""
    read_only: bool = False


@frozen(kw_only=True)
class Before:
    """The container this stands in comes before another one."""

    container: str
    """The container that waits."""
    ready: Literal["started", "healthy", "complete"]
    """What it waits for."""


@frozen(kw_only=True)
class Quantities:
    """CPU and memory as written."""

    cpu: str | None = None
    memory: str | None = None


@frozen(kw_only=True)
class Compute:
    """How much CPU and memory a container needs."""

    requests: Quantities = field(factory=Quantities)
    limits: Quantities = field(factory=Quantities)


@frozen(kw_only=True)
class Container:
    """A container of a workload."""

    name: str
    image: str
    """`.` stands for an image to be built."""
    command: tuple[str, ...] = ()
    args: tuple[str, ...] = ()
    variables: Mapping[str, str] = field(factory=dict)
    files: tuple[FileMount, ...] = ()
    volumes: tuple[VolumeMount, ...] = ()
    before: tuple[Before, ...] = ()
    resources: Compute | None = None
    """None when the file says nothing; an empty one is a wish for the smallest size."""
    liveness_probe: Probe | None = None
    readiness_probe: Probe | None = None


@frozen(kw_only=True)
class Port:
    """A port of the workload's service."""

    name: str
    port: int
    """What others connect to."""
    target_port: int
    """Where the container listens."""
    protocol: Literal["TCP", "UDP"] = "TCP"


@frozen(kw_only=True)
class ResourceRequest:
    """A resource that a workload asks for."""

    name: str
    type: str
    class_: str | None = None
    id: str | None = None
    metadata: Mapping[str, Any] | None = None
    """None when the file has none, which differs from an empty map."""
    params: Mapping[str, Any] | None = None


@frozen(kw_only=True)
class Workload:
    """One Score file, validated; placeholders are not substituted."""

    name: str
    """`metadata.name`."""
    metadata: Mapping[str, Any]
    """The whole `metadata` map, name included: what `${metadata.…}` reads."""
    containers: Mapping[str, Container]
    """By name, in the order of the file."""
    ports: tuple[Port, ...] = ()
    """In the order of the file."""
    resources: Mapping[str, ResourceRequest] = field(factory=dict)
    """What it asks for, by the name in the file."""

    @property
    def annotations(self) -> Mapping[str, str]:
        """`metadata.annotations`."""
        annotations: Mapping[str, str] = self.metadata.get("annotations", {})
        return annotations
