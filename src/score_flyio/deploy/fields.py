"""What a machine is given, field by field, as people read it.

A line for each service, check, mount, file and container; whatever else a config has is shown as it
stands. Variables are named, and their values left out.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from fly_machines.models import FlyMachineConfig
from score_flyio.base.counted import counted
from score_flyio.base.record import frozen
from score_flyio.deploy.compare import Difference, comparable, content, leaves_of
from score_flyio.deploy.desired.guest import SIZES_BY_PROCESSORS

Tree = dict[str, Any]

_UNSAID: Final = ("metadata.fly_", "standbys")
"""Beginnings of the paths of what the group and the role of a machine say."""
_GROUP: Final = "FLY_PROCESS_GROUP"
_CHECK: Final = ("type", "protocol", "method", "path", "port", "interval", "timeout")


@frozen(kw_only=True)
class Field(Difference):
    """One thing that a new machine is given, such as `image`, `services[0]` or `mounts[/data]`."""

    before: None = None
    after: str

    def __str__(self) -> str:
        return f"{self.path}: {self.after}"


def fields_of(config: FlyMachineConfig) -> tuple[Field, ...]:
    """All that a machine with this config is given, what matters most first."""
    tree = _without_values(comparable(config))
    found = [Field(path="image", after=tree.pop("image"))] if tree.get("image") else []
    found.append(Field(path="size", after=size(tree.pop("guest"))))
    if names := [name for name in tree.pop("env", ()) if name != _GROUP]:
        found.append(Field(path="env", after=", ".join(names)))
    for number, service in enumerate(tree.pop("services")):
        found += _service(f"services[{number}]", service)
    for name, check in tree.pop("checks").items():
        found += _check(f"checks.{name}", check)
    found += _stored("", tree)
    for container in tree.pop("containers"):
        found += _container(container)
    found += _rest("", tree)
    return tuple(found)


def size(guest: Tree) -> str:
    """A guest in a few words; its preset, where it is one."""
    guest = {name: value for name, value in guest.items() if value}
    kind, cpus, memory = (guest.pop(name, None) for name in ("cpu_kind", "cpus", "memory_mb"))
    preset = SIZES_BY_PROCESSORS.get((kind, cpus, guest.get("gpu_kind")))
    called = preset or counted(cpus or 0, f"{kind} CPU")
    more = [f"{name} {value}" for name, value in sorted(guest.items())]
    return ", ".join([called, f"{memory} MB", *more])


def _service(path: str, service: Tree) -> Iterator[Field]:
    ports = [_port(port) for port in service.get("ports") or ()]
    checks = service.pop("checks", None) or ()
    words = [f"{', '.join(ports) or 'no port'} → {service.pop('internal_port', None)}"]
    words[0] += f" {service.pop('protocol', None) or 'tcp'}"
    if stops := service.pop("autostop", None):
        words.append(f"autostop {stops}")
    if service.pop("autostart", None):
        words.append("autostart")
    if least := service.pop("min_machines_running", None):
        words.append(f"at least {least} running")
    if limits := service.pop("concurrency", None):
        low, high = limits.get("soft_limit"), limits.get("hard_limit")
        words.append(f"{low or 'no limit'} to {high or 'any number of'} {limits.get('type')}")
    yield Field(path=path, after=", ".join(words))
    for number, check in enumerate(checks):
        yield from _check(f"{path}.checks[{number}]", check)
    yield from _rest(f"{path}.", service)


def _port(port: Tree) -> str:
    first, last = port.pop("start_port", None), port.pop("end_port", None)
    handlers = port.pop("handlers", None)
    number = port.pop("port", None) or f"{first}-{last}"
    forced = ["https forced"] if port.pop("force_https", None) else []
    told = " ".join([*(handlers or ()), *forced])
    return f"{number} ({told})" if told else f"{number}"


def _check(path: str, check: Tree) -> Iterator[Field]:
    kind, protocol, method, where, port, every, within = (check.pop(n, None) for n in _CHECK)
    words = [str(word) for word in (kind, protocol, method, where) if word]
    words += [f"on {port}"] if port else []
    words += [f"every {every}"] if every else []
    words += [f"within {within}"] if within else []
    yield Field(path=path, after=" ".join(words))
    yield from _rest(f"{path}.", check)


def _container(container: Tree) -> Iterator[Field]:
    path = f"containers[{container.pop('name', None)}]"
    yield Field(path=path, after=container.pop("image", None) or "no image")
    if names := container.pop("env", None):
        yield Field(path=f"{path}.env", after=", ".join(names))
    for check in container.pop("healthchecks", None) or ():
        yield from _healthcheck(f"{path}.healthchecks[{check.pop('name', None)}]", check)
    yield from _stored(f"{path}.", container)
    yield from _rest(f"{path}.", container)


def _healthcheck(path: str, check: Tree) -> Iterator[Field]:
    """The check of a container, in the words of other checks."""
    kind = next((name for name in ("http", "tcp", "exec") if check.get(name)), "")
    how = check.pop(kind, None) or {}
    times = {n: f"{check.pop(n)}s" for n in ("interval", "timeout") if check.get(n)}
    scheme = how.pop("scheme", None)
    yield from _check(path, {**check, **how, **times, "type": kind, "protocol": scheme})


def _stored(prefix: str, tree: Tree) -> Iterator[Field]:
    """Mounts and files, of a machine or of one of its containers."""
    for mount in tree.pop("mounts", None) or ():
        path = f"{prefix}mounts[{mount.pop('path', None)}]"
        yield Field(path=path, after=mount.pop("name", None) or "a volume")
        yield from _rest(f"{path}.", mount)
    for file in tree.pop("files", None) or ():
        path = f"{prefix}files[{file.pop('guest_path', None)}]"
        names = ("secret_name", "image_config", "raw_value")
        secret, image, raw = (file.pop(name, None) for name in names)
        source = f"secret {secret}" if secret else f"from image {image}" if image else None
        yield Field(path=path, after=source or content(raw or ""))
        yield from _rest(f"{path}.", file)


def _rest(prefix: str, tree: Tree) -> Iterator[Field]:
    for path, value in leaves_of(tree):
        if not path.startswith(_UNSAID):
            yield Field(path=f"{prefix}{path}", after=value)


def _without_values(value: Any) -> Any:
    """A tree whose environments are lists of names."""
    if isinstance(value, dict):
        return {
            name: sorted(item) if name == "env" and item else _without_values(item)
            for name, item in value.items()
        }
    return [_without_values(item) for item in value] if isinstance(value, list) else value
