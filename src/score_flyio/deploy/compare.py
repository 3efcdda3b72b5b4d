"""Which fields of a machine config a deploy would change.

Both sides are brought to one form first: what the platform or another tool may spell differently,
or fill in, or renew with every release, is no difference.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

from fly_machines.models import FlyMachineConfig
from score_flyio.base.document import Document
from score_flyio.base.record import frozen
from score_flyio.deploy.desired.checks import LONGEST_INTERVAL
from score_flyio.deploy.desired.containers import BUILT_IMAGE
from score_flyio.deploy.desired.guest import DEFAULT_SIZE, SIZES, preset
from score_flyio.deploy.metadata import (
    OWN_PREFIX,
    PASSING_KEYS,
    RELEASE_ID,
    RELEASE_VERSION,
    TOOL_VERSION,
)
from score_flyio.deploy.releases.images import same_image
from score_flyio.fly.codec import unstructure
from score_flyio.flytoml.values import Duration


@frozen(kw_only=True)
class Difference(Document):
    """One field of a machine config that changes."""

    path: str
    """Such as `services[0].autostop` or `files[/etc/app.conf].raw_value`."""
    before: str | None
    """What it is; null for a new machine."""
    after: str | None
    """What it becomes."""

    def __str__(self) -> str:
        before = "(none)" if self.before is None else self.before
        after = "(none)" if self.after is None else self.after
        return f"{self.path}: {before} → {after}"


_RELEASE_KEYS: Final = PASSING_KEYS | {RELEASE_ID, RELEASE_VERSION, TOOL_VERSION, "fly_builder_id"}
"""Metadata that every release renews, or that marks a passing stage of a deploy."""
_STANDBY_FOR: Final = "FLY_STANDBY_FOR"
"""flyctl writes it on create and loses it with the next update; `standbys` has the same."""
AUTOSTOP: Final[Mapping[Any, str]] = {False: "off", True: "stop", 2: "suspend"}
"""Spelt as a boolean, or as a number: false is 0, true is 1."""
_DURATIONS: Final = frozenset({"interval", "timeout", "grace_period"})
_IDENTITY: Final = {"files": "guest_path", "containers": "name", "headers": "name"}
"""Lists whose entries are known by a member, not by their place."""
_FILLED: Final[Mapping[str, object]] = {
    "restart.policy": "on-failure",
    "restart.max_retries": 10,
    "concurrency.type": "connections",
    "concurrency.soft_limit": 20,
    "concurrency.hard_limit": 25,
    "autostop": "off",
}
"""What the platform fills in where a config says nothing, by the end of its path."""
_OF_WEIGHT: Final = frozenset({"autostart", "autostop"})
"""Members whose absence does not mean the same as false."""
_FREE_MAPS: Final = frozenset({"env", "metadata"})
"""Maps whose values count even when they are empty."""


def differences(desired: FlyMachineConfig, observed: FlyMachineConfig) -> tuple[Difference, ...]:
    """What changes when `observed` becomes `desired`, leaf by leaf, in a stable order.

    `before` is the observed value, `after` the desired one. Environment values are shown; contents
    of files only as digest and size.
    """
    wanted, present = comparable(desired), comparable(observed)
    changed = {n for n in wanted.keys() | present.keys() if wanted.get(n) != present.get(n)}
    after, before = (
        _flat({name: tree[name] for name in tree if name in changed}) for tree in (wanted, present)
    )
    paths = sorted(after.keys() | before.keys())
    return tuple(
        Difference(path=path, before=_text(before.get(path)), after=_text(after.get(path)))
        for path in paths
        if before.get(path) != after.get(path)
        and not _one_image(path, before, after)
        and not _filled_in(path, before.get(path), after.get(path))
    )


def _one_image(path: str, before: dict[str, Any], after: dict[str, Any]) -> bool:
    of_container = path.startswith("containers[") and path.endswith(("].image", "].image_config"))
    if path != "image" and not of_container:
        return False
    old, new = before.get(path), after.get(path)
    return isinstance(old, str) and isinstance(new, str) and same_image(old, new)


def _filled_in(path: str, before: Any, after: Any) -> bool:
    """Whether nothing differs but that one side leaves out what the other says."""
    parts = path.split(".")
    if after is None and _FILLED.get(".".join(parts[-2:]), _FILLED.get(parts[-1])) == before:
        return True
    said = before if after is None else after
    absent = before is None or after is None
    return absent and isinstance(said, bool | int) and not said and parts[-1] not in _OF_WEIGHT


def leaves_of(tree: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Path and text of each leaf of a part of a config, but for what the platform fills in."""
    for path, value in sorted(_flat(tree).items()):
        text = _text(value)
        if text is not None and not _filled_in(path, value, None):
            yield path, text


def leaves(config: FlyMachineConfig) -> dict[str, Any]:
    """Path and value of each leaf, contents of files as digests."""
    return _flat(comparable(config))


def comparable(config: FlyMachineConfig) -> dict[str, Any]:
    """The tree of a config in the form that is compared; containers keep their times in seconds."""
    tree: dict[str, Any] = dict(unstructure(config))
    tree["guest"] = _guest(tree.get("guest") or {}, tree.pop("size", None))
    metadata = tree.get("metadata") or {}
    tree["metadata"] = {name: metadata[name] for name in metadata if _lasting(name)}
    tree["env"] = {k: v for k, v in (tree.get("env") or {}).items() if k != _STANDBY_FOR}
    tree["services"] = [_service(service) for service in tree.get("services") or []]
    checks = tree.get("checks") or {}
    tree["checks"] = {name: timed(check) for name, check in checks.items()}
    if not (tree.get("restart") or {}).get("policy"):  # as the platform showed none in 2022
        tree["restart"] = None
    tree["stop_config"] = timed(tree.get("stop_config") or {})
    image = tree.get("image")
    tree["containers"] = [_container(item, image) for item in tree.get("containers") or []]
    return tree


def _lasting(name: str) -> bool:
    return name not in _RELEASE_KEYS and not name.startswith(OWN_PREFIX)


def _guest(guest: dict[str, Any], size: str | None) -> dict[str, Any]:
    """A guest with the platform's defaults filled in; `size` is its older, short spelling."""
    base = preset(size) if size in SIZES else preset(DEFAULT_SIZE)
    if size is None and guest.get("cpu_kind") == "performance":
        base.memory_mb = 2048
    cpus = guest.get("cpus") or base.cpus or 1
    per_cpu = (base.memory_mb or 256) // (base.cpus or 1)
    filled = {**unstructure(base), "memory_mb": per_cpu * cpus}
    return {**filled, **{name: value for name, value in guest.items() if value}}


def _service(service: dict[str, Any]) -> dict[str, Any]:
    checks = [_cut(timed(check)) for check in service.get("checks") or []]
    # to the platform, the handlers of a port are a set
    ports = [
        {**port, "handlers": sorted(set(port.get("handlers") or ()))}
        for port in service.get("ports") or []
    ]
    autostop = service.get("autostop")
    word = AUTOSTOP.get(autostop, autostop)
    return {**service, "checks": checks, "ports": ports, "autostop": word}


def _cut(check: dict[str, Any]) -> dict[str, Any]:
    """A service check with the interval that the platform makes of a longer one."""
    try:
        interval = min(Duration.parse(check["interval"]), LONGEST_INTERVAL).text()
    except (KeyError, TypeError, AttributeError, ValueError):
        return check
    return {**check, "interval": interval}


def _container(container: dict[str, Any], image: str | None) -> dict[str, Any]:
    """A container whose files name the image that `"."` stands for."""
    files = [
        {**file, "image_config": image} if file.get("image_config") == BUILT_IMAGE else file
        for file in container.get("files") or []
    ]
    return {**container, "files": files, "stop": timed(container.get("stop") or {})}


def timed(tree: Mapping[str, Any]) -> dict[str, Any]:
    """A tree whose durations are in one spelling: text in Go notation, or nanoseconds as number."""
    return {k: _duration(v) if k in _DURATIONS else v for k, v in tree.items()}


def _duration(value: Any) -> Any:
    if isinstance(value, int) and not isinstance(value, bool):
        return Duration(value).text()
    try:
        return Duration.parse(value).text() if isinstance(value, str) else value
    except ValueError:
        return value


def _flat(tree: dict[str, Any]) -> dict[str, Any]:
    """The leaves of a tree by their paths."""
    found: dict[str, Any] = {}
    _walk("", tree, found)
    return found


def _walk(path: str, value: Any, found: dict[str, Any], *, free: bool = False) -> None:
    if value is None or value in ([], {}) or (value == "" and not free):
        return
    if isinstance(value, dict):
        free = path.rsplit(".", 1)[-1] in _FREE_MAPS
        for name, item in value.items():
            _walk(f"{path}.{name}" if path else name, _shown(path, name, item), found, free=free)
    elif isinstance(value, list) and any(isinstance(item, dict) for item in value):
        for place, item in _placed(path, value):
            _walk(f"{path}[{place}]", item, found)
    else:
        found[path] = value


def _placed(path: str, items: list[Any]) -> list[tuple[str, Any]]:
    """Entries with the name of their place: a member that identifies them, else their number."""
    key = _IDENTITY.get(path.rsplit(".", 1)[-1])
    names = [item.get(key) for item in items if isinstance(item, dict)] if key else []
    if len(set(names)) < len(items) or None in names:
        return [(str(number), item) for number, item in enumerate(items)]
    return [(str(name), item) for name, item in zip(names, items, strict=True)]


def _shown(path: str, name: str, value: Any) -> Any:
    """The contents of files are told as digests, and their modes as people write them."""
    match name, value:
        case "raw_value", str():
            return content(value)
        case "mode", int() if "files[" in path:
            return f"{value:04o}"
        case _:
            return value


def content(raw_value: str) -> str:
    """The content of a file as digest and size."""
    try:
        raw = base64.b64decode(raw_value, validate=True)
    except ValueError:
        raw = raw_value.encode()
    return f"sha256:{hashlib.sha256(raw).hexdigest()[:16]} ({len(raw)} bytes)"


def _text(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False)
