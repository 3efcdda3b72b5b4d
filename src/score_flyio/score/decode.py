"""A document that matches the schema → Workload."""

from __future__ import annotations

from typing import Any

from score_flyio.score.model import (
    Before,
    Compute,
    Container,
    ExecProbe,
    FileMount,
    HttpProbe,
    Port,
    Probe,
    Quantities,
    ResourceRequest,
    VolumeMount,
    Workload,
)
from score_flyio.score.placeholders import with_source


def workload_of(document: dict[str, Any]) -> Workload:
    """The workload of a validated document."""
    ports = document.get("service", {}).get("ports", {})
    return Workload(
        name=document["metadata"]["name"],
        metadata=document["metadata"],
        containers={
            name: _container(name, container) for name, container in document["containers"].items()
        },
        ports=tuple(_port(name, port) for name, port in ports.items()),
        resources={
            name: _resource(name, resource)
            for name, resource in document.get("resources", {}).items()
        },
    )


def _container(name: str, container: dict[str, Any]) -> Container:
    compute = container.get("resources")
    return Container(
        name=name,
        image=container["image"],
        command=tuple(container.get("command", ())),
        args=tuple(container.get("args", ())),
        variables=container.get("variables", {}),
        files=tuple(_file(*entry) for entry in container.get("files", {}).items()),
        volumes=tuple(_volume(*entry) for entry in container.get("volumes", {}).items()),
        before=tuple(
            Before(container=other, ready=entry["ready"])
            for other, entry in container.get("before", {}).items()
        ),
        resources=None if compute is None else _compute(compute),
        liveness_probe=_probe(container.get("livenessProbe")),
        readiness_probe=_probe(container.get("readinessProbe")),
    )


def _file(target: str, file: dict[str, Any]) -> FileMount:
    return FileMount(
        target=target,
        content=file.get("content"),
        binary_content=file.get("binaryContent"),
        source=file.get("source"),
        mode=file.get("mode"),
        no_expand=file.get("noExpand", False),
    )


def _volume(target: str, volume: dict[str, Any]) -> VolumeMount:
    return VolumeMount(
        target=target,
        source=with_source(volume["source"]),
        path=volume.get("path"),
        read_only=volume.get("readOnly", False),
    )


def _compute(compute: dict[str, Any]) -> Compute:
    return Compute(
        requests=Quantities(**compute.get("requests", {})),
        limits=Quantities(**compute.get("limits", {})),
    )


def _probe(probe: dict[str, Any] | None) -> Probe | None:
    if probe is None:
        return None
    http = probe.get("httpGet")
    command = probe.get("exec")
    return Probe(
        http=None if http is None else _http_probe(http),
        exec=None if command is None else ExecProbe(command=tuple(command["command"])),
    )


def _http_probe(probe: dict[str, Any]) -> HttpProbe:
    headers = probe.get("httpHeaders", ())
    return HttpProbe(
        path=probe["path"],
        port=int(probe["port"]),
        scheme=probe.get("scheme"),
        host=probe.get("host"),
        headers=tuple((header["name"], header["value"]) for header in headers),
    )


def _port(name: str, port: dict[str, Any]) -> Port:
    return Port(
        name=name,
        port=int(port["port"]),
        target_port=int(port.get("targetPort", port["port"])),
        protocol=port.get("protocol", "TCP"),
    )


def _resource(name: str, resource: dict[str, Any]) -> ResourceRequest:
    return ResourceRequest(
        name=name,
        type=resource["type"],
        class_=resource.get("class"),
        id=resource.get("id"),
        metadata=resource.get("metadata"),
        params=resource.get("params"),
    )
