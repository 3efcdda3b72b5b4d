"""`service.ports` → `[[services]]`, one each, as annotations of the workload say.

`score-flyio.astromechza.github.com/service-PORT-KEY`, KEY one of `handlers`, `http-options`,
`auto-stop`, `min-running`, `concurrency`, `public`. Annotations with another prefix are not ours.

A port that a `route` or `dns` of the workload leads to speaks HTTP, at 80 and 443.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection, Mapping
from functools import partial
from typing import Any, Final, TypeVar

from score_flyio.base.misspelt import did_you_mean, nearest
from score_flyio.base.place import quoted
from score_flyio.base.record import evolve
from score_flyio.convert.build import KEYS as BUILD_KEYS
from score_flyio.convert.build import is_build_annotation
from score_flyio.convert.draft import Draft
from score_flyio.flytoml.names import CONCURRENCY_TYPES, HANDLERS, Exposure
from score_flyio.flytoml.spec import AutoStop, Concurrency, HttpOptions, Service, ServicePort
from score_flyio.score.model import Port

PREFIX: Final = "score-flyio.astromechza.github.com/"
KEYS: Final = ("handlers", "http-options", "auto-stop", "min-running", "concurrency", "public")
_TCP_ONLY: Final = ("handlers", "http-options")
_STOPS: Final[dict[str, AutoStop]] = {"off": "off", "stop": "stop", "suspend": "suspend"}
_WEB: Final = {80: ("http",), 443: ("tls", "http")}
_EXPOSURES: Final[dict[str, Exposure]] = {
    "true": "shared",
    "false": "private",
    "dedicated": "dedicated",
}
_WHOLE: Final = re.compile(r"[+-]?[0-9]{1,9}")

Section = TypeVar("Section")


def services(draft: Draft) -> list[Service]:
    """The services, by port, protocol and name."""
    texts = _texts(draft)
    found = {port.name: _service(draft, port, texts[port.name]) for port in draft.workload.ports}
    ports = sorted(draft.workload.ports, key=lambda port: (port.port, port.protocol, port.name))
    _refuse_twice(draft, ports)
    if led_to := _led_to(draft, found):
        taken = {port.port for port in ports if port.protocol == "TCP" and port != led_to}
        found[led_to.name] = _at_the_web(found[led_to.name], taken)
    return [found[port.name] for port in ports]


def _at_the_web(service: Service, taken: Collection[int]) -> Service:
    """The service with those ports of the web, too, that no other one has taken."""
    (own,) = service.ports
    ports = {own.port or 0: own}
    for number, handlers in _WEB.items():
        if number not in taken:
            ports[number] = evolve(own, port=number, handlers=handlers)
    return evolve(service, ports=tuple(ports[number] for number in sorted(ports)))


def _led_to(draft: Draft, services: Mapping[str, Service]) -> Port | None:
    """The port without handlers of its own that a `route` or `dns` of the workload leads to.

    The param `port` says which; without it the only one that it can be.
    """
    tcp = [port for port in draft.workload.ports if port.protocol == "TCP"]
    found: dict[str, Port] = {}
    for resource in draft.ways_in:
        wanted = (resource.params or {}).get("port")
        _refuse_unknown_port(draft, resource.name, wanted)
        fitting = (
            tcp if wanted is None else [p for p in tcp if str(wanted) in (p.name, str(p.port))]
        )
        if len(fitting) != 1 or services[fitting[0].name].ports[0].handlers:
            continue
        found[fitting[0].name] = fitting[0]
        if len(found) > 1:
            draft.fail(
                "unsupported_feature",
                ("resources", resource.name, "params", "port"),
                f"leads to port {quoted(fitting[0].name)}, but the name of the app leads to port "
                f"{quoted(next(iter(found)))}: Fly knows one port for HTTP, and no paths",
                "let one port serve all paths, or make two workloads of it",
            )
    return next(iter(found.values()), None)


def _refuse_unknown_port(draft: Draft, resource: str, wanted: Any) -> None:
    """A port that is written out has to be one of the service's."""
    ports = {p.name: p.port for p in draft.workload.ports}
    known = {*ports, *map(str, ports.values())}
    if wanted is None or "${" in str(wanted) or str(wanted) in known:
        return
    listed = ", ".join(f"{name} ({number})" for name, number in ports.items()) or "none"
    draft.fail(
        "unsupported_feature",
        ("resources", resource, "params", "port"),
        f"{quoted(str(wanted))} is not a port of the workload's service (its ports: {listed})",
        "name one of them, or add it to service.ports",
        kind="unknown_port",
    )


def _texts(draft: Draft) -> dict[str, dict[str, str]]:
    """What annotations say about each port of the workload, by port name and key."""
    texts: dict[str, dict[str, str]] = {port.name: {} for port in draft.workload.ports}
    for annotation, value in draft.workload.annotations.items():
        if not annotation.startswith(PREFIX) or is_build_annotation(annotation):
            continue
        named = _port_and_key(annotation, texts)
        if named is None:
            _refuse(draft, annotation, list(texts))
        elif value:
            port, key = named
            texts[port][key] = value
    return texts


def _refuse_twice(draft: Draft, ports: list[Port]) -> None:
    """A machine offers a port once; of equal ones, the first by name has it."""
    first: dict[tuple[int, str], Port] = {}
    for port in ports:
        other = first.setdefault((port.port, port.protocol), port)
        if other is not port:
            draft.fail(
                "duplicate_port",
                ("service", "ports", port.name),
                f"port {other.name} has port {port.port} of {port.protocol} already",
                "give it another port, or remove one of the two",
            )


def _port_and_key(annotation: str, ports: dict[str, Any]) -> tuple[str, str] | None:
    subject = annotation.removeprefix(PREFIX)
    for key in KEYS:
        port = subject.removeprefix("service-").removesuffix(f"-{key}")
        if subject == f"service-{port}-{key}" and port in ports:
            return port, key
    return None


def _refuse(draft: Draft, annotation: str, ports: list[str]) -> None:
    known = [f"service-{port}-{key}" for port in ports for key in KEYS]
    known += [f"build-{key}" for key in BUILD_KEYS]
    forms = f"build-KEY, KEY one of {', '.join(BUILD_KEYS)}"
    if ports:
        keys = f"PORT one of {', '.join(ports)}, KEY one of {', '.join(KEYS)}"
        forms = f"service-PORT-KEY, {keys}; or {forms}"
    near = nearest(annotation.removeprefix(PREFIX), known, likeness=0.9)
    draft.fail(
        "annotation_unknown",
        ("metadata", "annotations", annotation),
        "names neither a port of the service with a known key, nor a setting of the build",
        did_you_mean(near and PREFIX + near) or f"after {PREFIX} comes {forms}",
    )


Value = TypeVar("Value")


def _service(draft: Draft, port: Port, given: dict[str, str]) -> Service:
    """The service of a port, as `given` annotations say."""

    def read(key: str, parse: Callable[[str], Value]) -> Value | None:
        if key not in given:
            return None
        annotation = f"{PREFIX}service-{port.name}-{key}"
        if port.protocol == "UDP" and key in _TCP_ONLY:
            message = f"{annotation} has no effect: port {port.name} is UDP"
            draft.remark("annotation_ignored", message, subject=annotation)
            return None
        try:
            return parse(given[key])
        except ValueError as error:
            path = ("metadata", "annotations", annotation)
            draft.fail("annotation_invalid", path, f"{quoted(given[key])}: {error}")
            return None

    handlers = read("handlers", _handlers) or ()
    http_options = read("http-options", partial(_section, HttpOptions))
    if exposed := read("public", partial(_one_of, _EXPOSURES)):
        draft.exposures.add(exposed)
    tcp = port.protocol == "TCP"
    auto_stop = read("auto-stop", partial(_one_of, _STOPS) if tcp else _auto_stop_of_udp)
    return Service(
        protocol=port.protocol.lower(),
        internal_port=port.target_port,
        auto_stop_machines=auto_stop,
        # the proxy starts no machine for UDP, and Fly takes no service that says so
        auto_start_machines=True if auto_stop is not None and tcp else None,
        min_machines_running=read("min-running", _min_running) or 0,
        concurrency=read("concurrency", _concurrency),
        ports=(ServicePort(port=port.port, handlers=handlers, http_options=http_options),),
    )


def _handlers(text: str) -> tuple[str, ...]:
    names = tuple(part.strip() for part in text.split(","))
    for name in names:
        if name not in HANDLERS:
            raise ValueError(f"{quoted(name)} is not a handler; Fly has {', '.join(HANDLERS)}")
    return names


def _one_of(words: Mapping[str, Value], text: str) -> Value:
    if text not in words:
        *first, last = words
        raise ValueError(f"must be {', '.join(first)} or {last}")
    return words[text]


def _auto_stop_of_udp(text: str) -> AutoStop:
    if _one_of(_STOPS, text) != "off":
        raise ValueError("must be off: the proxy starts no machine for UDP, so it would stay down")
    return "off"


def _min_running(text: str) -> int:
    if not _WHOLE.fullmatch(text) or int(text) < 0:
        raise ValueError("must be a whole number from 0")
    return int(text)


def _concurrency(text: str) -> Concurrency | None:
    concurrency = _section(Concurrency, text)
    if concurrency is not None and concurrency.type not in ("", *CONCURRENCY_TYPES):
        raise ValueError(f"type must be {' or '.join(CONCURRENCY_TYPES)}")
    return concurrency


def _section(section: type[Section], text: str) -> Section | None:
    try:
        raw = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ValueError("is not JSON") from error
    if raw is None or raw == {}:
        return None
    if not isinstance(raw, dict):
        raise ValueError("must be a JSON object")  # noqa: TRY004 - a wrong value, not a wrong call
    from score_flyio.convert.options import OptionsReader

    reader = OptionsReader()
    options: Section = reader.section(section, raw)
    if reader.problems:
        raise ValueError("; ".join(reader.problems))
    return options
