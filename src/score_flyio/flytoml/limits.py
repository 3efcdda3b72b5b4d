"""What the platform refuses although flyctl accepts it: told before the first call."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from typing import Final

from score_flyio.base.misspelt import nearest
from score_flyio.errors import Problem
from score_flyio.flytoml.findings import misfit
from score_flyio.flytoml.groups import default_group, matches, process_groups
from score_flyio.flytoml.names import (
    LARGEST_VOLUME_GB,
    LONGEST_VOLUME,
    RULE,
    as_secret_name,
    as_volume_name,
    is_app_name,
    is_secret_name,
)
from score_flyio.flytoml.spec import AppSpec, DeploySection, FileSpec, Service
from score_flyio.flytoml.values import Duration, volume_gb

_SECOND: Final = Duration.of_seconds(1)
_LONGEST_KILL: Final = Duration.of_seconds(300)
"""The platform's: "invalid stop_config.timeout, cannot exceed 5 minutes", whatever the CPUs."""
_SIGNALS: Final = (
    *("SIGTERM", "SIGINT", "SIGQUIT", "SIGKILL", "SIGUSR1", "SIGUSR2", "SIGHUP", "SIGSTOP"),
    *("SIGABRT", "SIGALRM", "SIGCONT", "SIGWINCH", "SIGPIPE", "SIGPWR", "SIGTSTP", "SIGCHLD"),
)
_PROTOCOLS: Final = ("tcp", "udp")
_LAST_PORT: Final = 65535
_HTTP_PORTS: Final = ((80, 80), (443, 443))
"""What `[http_service]` takes."""


def beyond_limits(spec: AppSpec) -> Iterator[Problem]:
    """Every value that the platform takes from nobody."""
    rules = (_names, _mounts, _negatives, _services, _kill_signal, _kill_timeouts, _waits)
    for rule in (*rules, _port_numbers, _ports, _started_by_datagrams):
        yield from rule(spec)


def app_name_problems(name: str, *, place: str) -> tuple[Problem, ...]:
    """What is wrong with the name of an app; variables in a fly.toml are filled in by nobody."""
    if is_app_name(name):
        return ()
    hint = f"use {RULE}"
    if "$" in name:
        hint = "a fly.toml has no variables: write the name, or give --app NAME"
    message = f"{name!r} cannot be the name of an app"
    return (misfit(place, "app_name_invalid", message, hint),)


def _names(spec: AppSpec) -> Iterator[Problem]:
    for index, mount in enumerate(spec.mounts):
        near = as_volume_name(mount.source)
        if mount.source != near:
            message = f"{mount.source!r} cannot be the name of a volume"
            hint = f"1 to {LONGEST_VOLUME} of a-z, 0-9 and _; such as {near}"
            yield misfit(f"mounts[{index}].source", "invalid_volume_name", message, hint)
    for name in sorted(spec.env):
        if not name or "=" in name:
            message = f"{name!r} cannot be the name of a variable"
            hint = f"the nearest is {name.replace('=', '_') or 'NAME'}"
            yield misfit(f"env[{name}]", "variable_name_invalid", message, hint)
    for index, file in enumerate(spec.files):
        place = f"files[{index}]"
        yield from file_problems(
            file, path_place=f"{place}.guest_path", secret_place=f"{place}.secret_name"
        )


def file_problems(file: FileSpec, *, path_place: str, secret_place: str) -> Iterator[Problem]:
    """What is wrong with a file in a machine, and where that stands."""
    if not file.guest_path.startswith("/"):
        message = f"{file.guest_path!r} is not an absolute path in the machine"
        hint = f"the nearest is /{file.guest_path.removeprefix('./')}"
        yield misfit(path_place, "relative_path", message, hint)
    name = file.secret_name
    if name and not is_secret_name(name):
        message = f"{name!r} cannot be the name of a secret"
        hint = f"use letters, digits and _, no digit first: the nearest is {as_secret_name(name)}"
        yield misfit(secret_place, "secret_name_invalid", message, hint)


def _mounts(spec: AppSpec) -> Iterator[Problem]:
    for index, mount in enumerate(spec.mounts):
        place = f"mounts[{index}]"
        if not mount.source:
            hint = 'name it, such as source = "data"'
            yield misfit(f"{place}.source", "missing", "the mount names no volume", hint)
        if not mount.destination.startswith("/"):
            path = mount.destination.removeprefix("./") or "data"
            message = f"{mount.destination!r} is not an absolute path in the machine"
            hint = f"the nearest is /{path}"
            yield misfit(f"{place}.destination", "relative_path", message, hint)
        with suppress(ValueError):  # what is no size is told elsewhere
            size = volume_gb(mount.initial_size)
            if size > LARGEST_VOLUME_GB:
                message = f"{size} GB are more than a volume can have"
                hint = f"the nearest is {LARGEST_VOLUME_GB}gb"
                yield misfit(f"{place}.initial_size", "above_maximum", message, hint)


def _negatives(spec: AppSpec) -> Iterator[Problem]:
    given: dict[str, float | None] = {"swap_size_mb": spec.swap_size_mb}
    for place, service in spec.placed_services.items():
        given[f"{place}.min_machines_running"] = service.min_machines_running
    given["deploy.max_unavailable"] = (spec.deploy or DeploySection()).max_unavailable
    for place, value in given.items():
        if value is not None and value < 0:
            yield misfit(place, "below_minimum", f"{value:g} is negative", "the nearest is 0")


def _services(spec: AppSpec) -> Iterator[Problem]:
    for section, placed in spec.placed_services.items():
        port = placed.internal_port
        if not 0 < port <= _LAST_PORT:
            message = f"{port} is not a port" if port else "the service has no internal_port"
            hint = "set it to the port on which the program in the machine listens"
            yield misfit(f"{section}.internal_port", "invalid_internal_port", message, hint)
    for index, service in enumerate(spec.services):
        if service.protocol not in _PROTOCOLS:
            message = "the service has no protocol"
            if service.protocol:
                message = f"Fly has no protocol {service.protocol!r}"
            place = f"services[{index}].protocol"
            yield misfit(place, "unsupported_value", message, "use tcp or udp")


def _kill_signal(spec: AppSpec) -> Iterator[Problem]:
    name = spec.kill_signal
    if name and name not in _SIGNALS:
        near = nearest(name.upper(), _SIGNALS, likeness=0.0)
        message = f"there is no signal {name!r}"
        yield misfit("kill_signal", "unsupported_value", message, f"the nearest is {near}")


def _kill_timeouts(spec: AppSpec) -> Iterator[Problem]:
    given = {"kill_timeout": spec.kill_timeout}
    for place, check in spec.placed_machine_checks.items():
        given[f"{place}.kill_timeout"] = check.kill_timeout
    for place, span in given.items():
        if span is None:
            continue
        if span > _LONGEST_KILL:
            message = f"{span} is longer than the 5 minutes that Fly waits at most"
            yield misfit(place, "above_maximum", message, 'the nearest is "5m"')
        elif span < Duration(0):
            yield misfit(place, "below_minimum", f"{span} is negative", 'the nearest is "0s"')
        else:
            yield from _too_short(place, span)


def _waits(spec: AppSpec) -> Iterator[Problem]:
    section = spec.deploy or DeploySection()
    yield from _too_short("deploy.wait_timeout", section.wait_timeout)
    yield from _too_short("deploy.release_command_timeout", section.release_command_timeout)


def _too_short(place: str, span: Duration | None) -> Iterator[Problem]:
    """A number without a unit means nanoseconds in most places, which nobody means."""
    if span is None or not Duration(0) < span < _SECOND:
        return
    hint = 'the nearest is "1s"'
    if span < Duration(1_000_000):
        hint = f'a number without a unit means nanoseconds here: write "{span.nanoseconds}s"'
    yield misfit(place, "below_minimum", f"{span} is too short for anything to happen", hint)


def _port_numbers(spec: AppSpec) -> Iterator[Problem]:
    """Of services and checks; an `internal_port` is looked at with its service."""
    given: dict[str, int | None] = {
        f"checks.{name}.port": check.port for name, check in spec.checks.items()
    }
    for number, service in enumerate(spec.services):
        for index, port in enumerate(service.ports):
            here = f"services[{number}].ports[{index}]"
            numbers = (port.port, port.start_port, port.end_port)
            names = ("port", "start_port", "end_port")
            given |= {f"{here}.{name}": n for name, n in zip(names, numbers, strict=True)}
            if port.start_port and port.end_port and port.start_port > port.end_port:
                message = f"{port.start_port} is behind end_port, which is {port.end_port}"
                yield misfit(f"{here}.start_port", "out_of_range", message, "begin with the lower")
    for place, value in given.items():
        if value is not None and not 0 < value <= _LAST_PORT:
            nearest = min(max(value, 1), _LAST_PORT)
            message = f"{value} is not a port: there are 1 to {_LAST_PORT}"
            yield misfit(place, "out_of_range", message, f"the nearest is {nearest}")


def _ports(spec: AppSpec) -> Iterator[Problem]:
    """A machine can offer a port once: neither twice, nor alone and in a range."""
    default = default_group(spec)
    told: set[str] = set()
    for group in process_groups(spec):
        http = spec.http_service
        taken: list[tuple[str, int, int, str]] = []
        if http is not None and matches(http.processes, group, default):
            taken = [("tcp", low, high, "http_service") for low, high in _HTTP_PORTS]
        for index, service in enumerate(spec.services):
            if not matches(service.processes, group, default):
                continue
            for place, low, high in _ranges(service, f"services[{index}]"):
                protocol = service.protocol or "tcp"
                other = next(
                    (t for t in taken if t[0] == protocol and low <= t[2] and t[1] <= high), None
                )
                taken.append((protocol, low, high, place))
                if other is not None and place not in told:
                    told.add(place)
                    message = f"{other[3]} has {_span(low, high, protocol)} already"
                    hint = "give it another port, or remove one of the two"
                    yield misfit(place, "duplicate_port", message, hint)


def _ranges(service: Service, place: str) -> Iterator[tuple[str, int, int]]:
    for index, port in enumerate(service.ports):
        here = f"{place}.ports[{index}]"
        if port.port:
            yield f"{here}.port", port.port, port.port
        if port.start_port and port.end_port:
            yield f"{here}.start_port", port.start_port, port.end_port


def _span(low: int, high: int, protocol: str) -> str:
    if low == high:
        return f"port {low} of {protocol}"
    return f"ports {low} to {high} of {protocol}, or some of them,"


def _started_by_datagrams(spec: AppSpec) -> Iterator[Problem]:
    for index, service in enumerate(spec.services):
        if service.protocol == "udp" and service.auto_start_machines:
            message = "the proxy starts no machine for UDP: true has no meaning here"
            hint = "the nearest is false, with auto_stop_machines off: the machines then run always"
            yield misfit(f"services[{index}].auto_start_machines", "udp_autostart", message, hint)
