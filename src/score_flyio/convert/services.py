"""`service.ports` → `[[services]]`, one each."""

from __future__ import annotations

from score_flyio.convert.annotations import PortOptions, port_options
from score_flyio.convert.draft import Draft
from score_flyio.flytoml.spec import Service, ServicePort
from score_flyio.score.model import Port


def services(draft: Draft) -> list[Service]:
    """The services, by port, protocol and name."""
    options = port_options(draft)
    ports = sorted(draft.workload.ports, key=lambda port: (port.port, port.protocol, port.name))
    return [_service(port, options[port.name]) for port in ports]


def _service(port: Port, options: PortOptions) -> Service:
    return Service(
        protocol=port.protocol.lower(),
        internal_port=port.target_port,
        auto_stop_machines=options.auto_stop,
        auto_start_machines=None if options.auto_stop is None else True,
        min_machines_running=options.min_running,
        concurrency=options.concurrency,
        ports=(
            ServicePort(
                port=port.port, handlers=options.handlers, http_options=options.http_options
            ),
        ),
    )
