"""Several containers in one machine, as the machine config inside a fly.toml.

Used for workloads with several containers, and for what only containers can do: file modes, and
secrets under another name than that of the variable.
Source: multi-container machines in Fly's documentation, `machine_config` in the fly.toml reference.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from score_flyio.base.record import evolve
from score_flyio.convert.build import build_of
from score_flyio.convert.checks import headers_of
from score_flyio.convert.draft import Draft
from score_flyio.convert.files import container_file, contents
from score_flyio.convert.variables import Variables, secret_names
from score_flyio.flytoml.names import is_secret_name
from score_flyio.flytoml.spec import AppSpec, Service
from score_flyio.score.model import Container, HttpProbe, Probe, Workload

_CONDITIONS: Final = {"complete": "exited_successfully"}
"""What a machine config calls otherwise than Score."""
_INTERVAL: Final = 10
_TIMEOUT: Final = 5


def needs_containers(workload: Workload, own: Mapping[str, Variables]) -> bool:
    """Whether a machine with a single main process cannot carry the workload.

    `own` are the variables of each container.
    """
    several = len(workload.containers) > 1
    modes = (file.mode for each in workload.containers.values() for file in each.files)
    renamed = (not is_secret_name(name) for each in own.values() for name in each.secret)
    return several or any(mode is not None for mode in modes) or any(renamed)


def with_containers(draft: Draft, spec: AppSpec, own: Mapping[str, Variables]) -> AppSpec:
    """The app with all containers of the workload in its machine config."""
    workload = draft.workload
    main = main_container(workload, spec.services)
    names = secret_names(own)
    for (container, variable), name in names.items():
        draft.secrets[name] = own[container].secret[variable]
    documents = [
        _container(draft, container, own[container.name], names)
        for container in workload.containers.values()
    ]
    for document in documents:
        if document["name"] == main.name:
            document["image"] = "."
    config = json.dumps({"containers": documents}, ensure_ascii=False, separators=(",", ":"))
    return evolve(spec, build=build_of(draft, main), container=main.name, machine_config=config)


def main_container(workload: Workload, services: tuple[Service, ...]) -> Container:
    """The container whose image is the app's: what `build` and `--image` are about.

    One that is built here (`.`); else one whose probe asks a port of the service; else the first
    that is not an init container.
    """
    containers = list(workload.containers.values())
    ports = {service.internal_port for service in services}
    built = [container for container in containers if container.image == "."]
    serving = [container for container in containers if _probed_ports(container) & ports]
    lasting = [container for container in containers if not is_init(container)]
    return [*built, *serving, *lasting][0]


def is_init(container: Container) -> bool:
    """Whether it is expected to end: all that wait for it wait until it is complete."""
    return bool(container.before) and all(each.ready == "complete" for each in container.before)


def _probed_ports(container: Container) -> set[int]:
    probes = (container.liveness_probe, container.readiness_probe)
    return {probe.http.port for probe in probes if probe is not None and probe.http is not None}


def _container(
    draft: Draft, container: Container, own: Variables, names: dict[tuple[str, str], str]
) -> dict[str, Any]:
    probes = {"readiness": container.readiness_probe, "liveness": container.liveness_probe}
    document: dict[str, Any] = {
        "name": container.name,
        "image": container.image,
        "entrypoint": list(container.command),
        "cmd": list(container.args),
        "env": own.open,
        "secrets": [
            {"env_var": variable, "name": names[container.name, variable]}
            for variable in own.secret
        ],
        "files": [container_file(content) for content in contents(draft, container)],
        "depends_on": _depends_on(draft.workload, container),
        "healthchecks": [_healthcheck(kind, each) for kind, each in probes.items() if each],
        "restart": {"policy": "on-failure"} if is_init(container) else None,
    }
    return {name: value for name, value in document.items() if value}


def _depends_on(workload: Workload, container: Container) -> list[dict[str, str]]:
    return [
        {"name": other.name, "condition": _CONDITIONS.get(before.ready, before.ready)}
        for other in workload.containers.values()
        for before in other.before
        if before.container == container.name
    ]


def _healthcheck(kind: str, probe: Probe) -> dict[str, Any]:
    check: dict[str, Any] = {"name": kind, "kind": kind, "interval": _INTERVAL, "timeout": _TIMEOUT}
    if kind == "liveness":
        check["unhealthy"] = "stop"
    if probe.exec is not None:
        check["exec"] = {"command": list(probe.exec.command)}
    elif probe.http is not None:
        check["http"] = _http(probe.http)
    return check


def _http(probe: HttpProbe) -> dict[str, Any]:
    https = probe.scheme == "HTTPS"
    check: dict[str, Any] = {
        "port": probe.port,
        "method": "GET",
        "path": probe.path,
        "scheme": probe.scheme.lower() if probe.scheme else None,
        "headers": [{"name": name, "values": [value]} for name, value in headers_of(probe).items()],
        "tls_skip_verify": https,
        "tls_server_name": probe.host if https else None,
    }
    return {name: value for name, value in check.items() if value}
