"""A machine config file as flyctl sends it on.

flyctl reads the JSON into its own types and writes those, so that zero values go missing in some
places and appear in others, and durations and a few words get one spelling.
"""

from __future__ import annotations

from typing import Any, Final

from score_flyio.flytoml.gotext import int64
from score_flyio.flytoml.values import Duration

_ALWAYS: Final[dict[str, dict[str, Any]]] = {
    "containers": {"name": "", "image": ""},
    "containers.depends_on": {"name": "", "condition": ""},
    "containers.env_from": {"env_var": "", "field_ref": ""},
    "containers.healthchecks": {"name": ""},
    "containers.healthchecks.http": {"port": 0},
    "containers.healthchecks.tcp": {"port": 0},
    "containers.mounts": {"name": "", "path": ""},
    "containers.secrets": {"env_var": "", "name": ""},
    "processes.env_from": {"env_var": "", "field_ref": ""},
    "processes.secrets": {"env_var": "", "name": ""},
    "volumes": {"name": ""},
    "volumes.temp_dir": {"storage_type": ""},
}
"""Members that are always written, by the path of their object without list indices."""

_EVEN_ZERO: Final = frozenset(
    {
        "containers.files.image_config",
        "containers.files.raw_value",
        "containers.files.secret_name",
        "containers.healthchecks.exec.command",
        "containers.healthchecks.http.tls_skip_verify",
        "containers.stop.signal",
        "disable_machine_autostart",
    }
)
"""Members that are written as they are given."""

_MAPS: Final = frozenset({"env", "metadata", "checks", "containers.env", "processes.env"})
_CHECK_SPANS: Final = ("interval", "timeout", "grace_period")
_ROOTFS: Final = ("", "never", "restart", "always")
_STOPS: Final[dict[bool | str, bool | str]] = {
    False: False,
    True: True,
    "off": False,
    "stop": True,
    "suspend": "suspend",
}


def respelled(document: dict[str, Any]) -> dict[str, Any]:
    """The file with durations and words spelled as flyctl writes them; maps without nulls.

    Raises:
        ValueError: one of them cannot be read.
    """
    for owner in (document.get("stop_config"), *_each(document, "containers", "stop")):
        _respell(owner, "timeout", _span)
    checks = document.get("checks")
    spans = [*_each(document, "services", "checks")]
    spans += checks.values() if isinstance(checks, dict) else ()
    for check in spans:
        for name in _CHECK_SPANS:
            _respell(check, name, _span)
    for service in _each(document, "services"):
        _respell(service, "autostop", _stop)
    _respell(document.get("guest"), "persist_rootfs", _rootfs)
    for owner, name in ((document, "env"), (document, "metadata")):
        texts = owner.get(name)
        if isinstance(texts, dict):
            owner[name] = {key: "" if item is None else item for key, item in texts.items()}
    return document


def zeros_left_out(value: Any, path: str = "") -> Any:
    """The file without the zero values that flyctl leaves out, and with those it always writes."""
    if isinstance(value, list):
        return [zeros_left_out(item, path) for item in value]
    if not isinstance(value, dict):
        return value
    written = {} if path in _MAPS else dict(_ALWAYS.get(path, {}))
    for name, item in value.items():
        here = f"{path}.{name}" if path else name
        kept = zeros_left_out(item, here)
        if path in _MAPS or name in written or here in _EVEN_ZERO or not _is_zero(kept, here):
            written[name] = kept
    return written


def _is_zero(value: Any, path: str) -> bool:
    return not value and (not isinstance(value, dict) or path in _MAPS)


def _each(value: Any, *names: str) -> list[Any]:
    """What stands under these names, list by list."""
    found = [value]
    for name in names:
        below = [item.get(name) for item in found if isinstance(item, dict)]
        found = [x for item in below for x in (item if isinstance(item, list) else [item])]
    return found


def _respell(owner: Any, name: str, read: Any) -> None:
    if isinstance(owner, dict) and owner.get(name) is not None:
        owner[name] = read(owner[name])


def _span(value: Any) -> str:
    if isinstance(value, str):
        return Duration.parse(value).text()
    if isinstance(value, int | float) and not isinstance(value, bool):
        return Duration(int64(value)).text()
    raise ValueError("a duration is neither a text such as 1m30s nor a number of nanoseconds")


def _stop(value: Any) -> bool | str:
    if isinstance(value, bool | str) and value in _STOPS:
        return _STOPS[value]
    raise ValueError('autostop is not "off", "stop" or "suspend"')


def _rootfs(value: Any) -> str:
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < len(_ROOTFS):
        return _ROOTFS[value]
    if isinstance(value, str) and value in {*_ROOTFS, "none"}:
        return "" if value == "none" else value
    raise ValueError('persist_rootfs is not "none", "never", "restart" or "always"')
