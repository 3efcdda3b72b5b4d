"""HTTP probes → checks of the machine.

A readiness probe on the internal port of a service becomes that service's check, so that traffic
waits for it; every other probe becomes a top-level check. The first service counts, TCP before
UDP. No interval, timeout or grace period is written: the platform's defaults hold.
"""

from __future__ import annotations

from score_flyio.base.record import evolve
from score_flyio.convert.draft import Draft
from score_flyio.flytoml.spec import Check, Service, ServiceHttpCheck
from score_flyio.score.model import HttpProbe


def add_checks(draft: Draft, services: list[Service], *, several: bool) -> dict[str, Check]:
    """The top-level checks; `services` get theirs.

    With `several` containers the names of the checks start with the name of the container.
    """
    checks: dict[str, Check] = {}
    for container in draft.workload.containers.values():
        prefix = f"{container.name}_" if several else ""
        probes = {"liveness": container.liveness_probe, "readiness": container.readiness_probe}
        for kind, probe in probes.items():
            place = f"containers.{container.name}.{kind}Probe"
            if probe is not None and probe.exec is not None and not several:
                why = "machines of a single container have no such checks"
                draft.remark("exec_probe_ignored", f"{place}.exec is ignored: {why}")
            if probe is None or probe.http is None:
                continue
            index = _service_of(probe.http, services) if kind == "readiness" else None
            if index is None:
                checks[f"{prefix}{kind}_probe"] = _check(probe.http)
                continue
            check = _service_check(draft, place, probe.http)
            found = (*services[index].http_checks, check)
            services[index] = evolve(services[index], http_checks=found)
    return checks


def _service_of(probe: HttpProbe, services: list[Service]) -> int | None:
    fitting = [i for i, service in enumerate(services) if service.internal_port == probe.port]
    return min(fitting, key=lambda i: (services[i].protocol == "udp", i), default=None)


def _check(probe: HttpProbe) -> Check:
    https = probe.scheme == "HTTPS"
    return Check(
        type="http",
        port=probe.port,
        method="get",
        path=probe.path or None,
        protocol="https" if https else None,
        tls_skip_verify=https or None,
        tls_server_name=probe.host if https else None,
        headers=headers_of(probe),
    )


def _service_check(draft: Draft, place: str, probe: HttpProbe) -> ServiceHttpCheck:
    https = probe.scheme == "HTTPS"
    if probe.host and not https:
        place = f"{place}.httpGet.host"
        message = f"{place} is ignored: the check of a service goes to the machine's own address"
        draft.remark("probe_host_ignored", message, subject=place)
    return ServiceHttpCheck(
        method="get",
        path=probe.path or None,
        protocol=probe.scheme.lower() if probe.scheme else None,
        tls_skip_verify=True if https else None,
        tls_server_name=probe.host if https else None,
        headers=dict(probe.headers),
    )


def headers_of(probe: HttpProbe) -> dict[str, str]:
    """Those of a probe; over plain HTTP its host is one of them."""
    headers = dict(probe.headers)
    if probe.host and probe.scheme != "HTTPS" and not any(n.lower() == "host" for n in headers):
        headers["Host"] = probe.host
    return headers
