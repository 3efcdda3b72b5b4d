"""What the platform accepts as the config of a machine, and what it makes of it."""

from __future__ import annotations

import json
from typing import Any, Final

from fly_emulator import guests
from fly_emulator.bodies import from_base64
from fly_emulator.durations import seconds_of
from fly_emulator.records import Json
from fly_emulator.settings import EmulatorSettings
from fly_emulator.wire import Refusal

_AUTOSTOP: Final = {
    "off": False,
    "stop": True,
    "suspend": "suspend",
    False: False,
    True: True,
    2: "suspend",
}
"""As a word, a boolean or a number: false is 0, true is 1."""
_POLICIES: Final = frozenset({"no", "on-failure", "always", "spot-price"})
SCHEDULES: Final = {"hourly": 3600, "daily": 86_400, "weekly": 604_800, "monthly": 2_592_000}
"""Seconds between the runs of a scheduled machine."""
_MOST_SUSPENDED_MB: Final = 2048
_OBJECTS: Final = ("env", "metadata", "restart", "checks", "guest", "init", "stop_config", "dns")
_LISTS: Final = ("files", "mounts", "services", "containers", "processes", "statics")
_LONGEST_STOP: Final = 300.0
"""Seconds, as observed in 2026."""
DURATIONS: Final = ("interval", "timeout", "grace_period")
"""What a check says in units of time."""


def accept(config: object, settings: EmulatorSettings) -> Json:
    """The config as the platform keeps it. Raises Refusal: it cannot be used, with the place."""
    if not isinstance(config, dict):
        raise Refusal(400, "config is required")
    _check_shape(config)
    largest = settings.largest_config
    if largest is not None and len(json.dumps(config)) > largest:
        raise Refusal(422, f"invalid config: more than {largest} bytes")
    if not config.get("image") and not config.get("containers"):
        raise Refusal(400, "config.image is required")
    _texts(config, "env")
    _texts(config, "metadata", settings.longest_metadata)
    _restart(_part(config, "restart"))
    _stop_config(_part(config, "stop_config"))
    for index, file in enumerate(_items(config, "files")):
        _file(file, f"config.files[{index}]")
    _mounts(_items(config, "mounts"))
    for name, check in _part(config, "checks").items():
        _check(check, f"config.checks.{name}")
    kept = {**config, "guest": guests.complete(config)}
    kept.pop("size", None)
    if not settings.gpus and (kept["guest"].get("gpus") or kept["guest"].get("gpu_kind")):
        raise Refusal(400, "invalid config.guest: GPU machines are no longer available")
    if "services" in config:
        kept["services"] = [
            _service(service, f"config.services[{index}]")
            for index, service in enumerate(_items(config, "services"))
        ]
    return kept


def why_never_suspended(config: Json) -> str | None:
    """Why a machine of this config cannot be suspended; None: it can."""
    if int(config["guest"]["memory_mb"]) > _MOST_SUSPENDED_MB:
        return "machines with more than 2 GB cannot be suspended"
    if _part(config, "init").get("swap_size_mb") or config.get("schedule"):
        return "machines with swap or a schedule cannot be suspended"
    return None


def _check_shape(config: Json) -> None:
    if not isinstance(config.get("image") or "", str):
        raise Refusal(400, "invalid config.image: a text is needed")
    for name in _OBJECTS:
        _part(config, name)
    for name in _LISTS:
        _items(config, name)
    _words(_part(config, "init").get("cmd"), "config.init.cmd")
    _words(config.get("standbys"), "config.standbys")
    schedule = config.get("schedule")
    if schedule and (not isinstance(schedule, str) or schedule not in SCHEDULES):
        raise Refusal(
            400, f"invalid config.schedule: {schedule!r} is none of {', '.join(SCHEDULES)}"
        )
    for index, container in enumerate(_items(config, "containers")):
        if not isinstance(container.get("image"), str) or not container["image"]:
            raise Refusal(400, f"invalid config.containers[{index}].image: a text is needed")
        if not isinstance(container.get("name", ""), str):
            raise Refusal(400, f"invalid config.containers[{index}].name: a text is needed")


def _words(value: object, place: str) -> None:
    if value and not (isinstance(value, list) and all(isinstance(word, str) for word in value)):
        raise Refusal(400, f"invalid {place}: a list of texts is needed")


def _restart(restart: Json) -> None:
    policy, retries = restart.get("policy"), restart.get("max_retries")
    if policy and (not isinstance(policy, str) or policy not in _POLICIES):
        raise Refusal(400, f"invalid config.restart.policy: {policy!r}")
    if retries is not None and (not isinstance(retries, int) or retries < 0):
        raise Refusal(400, f"invalid config.restart.max_retries: {retries!r}")


def _stop_config(stop: Json) -> None:
    given = stop.get("timeout")
    seconds = seconds_of(given)
    if given is not None and seconds is None:
        raise Refusal(400, f"invalid stop_config.timeout: {given!r} is not a duration")
    if (seconds or 0) > _LONGEST_STOP:
        raise Refusal(400, "invalid stop_config.timeout, cannot exceed 5 minutes")


def _part(config: Json, name: str) -> Json:
    value = config.get(name) or {}
    if not isinstance(value, dict):
        raise Refusal(400, f"invalid config.{name}: an object is needed")
    return value


def _items(config: Json, name: str) -> list[Any]:
    value = config.get(name) or []
    if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
        raise Refusal(400, f"invalid config.{name}: a list of objects is needed")
    return value


def _texts(config: Json, name: str, longest: int | None = None) -> None:
    for key, value in _part(config, name).items():
        if not isinstance(value, str):
            raise Refusal(400, f"invalid config.{name}.{key}: a text is needed")
        if longest is not None and len(value) > longest:
            raise Refusal(400, f"invalid config.{name}.{key}: longer than {longest}")


def _mounts(mounts: list[Json]) -> None:
    if len(mounts) > 1:
        raise Refusal(400, "invalid config.mounts: a machine can have one volume")
    for mount in mounts:
        if not isinstance(mount.get("volume") or mount.get("name"), str):
            raise Refusal(400, "invalid config.mounts[0]: volume is required")
        if not str(mount.get("path") or "").startswith("/"):
            raise Refusal(400, "invalid config.mounts[0].path: an absolute path is needed")


def _file(file: Json, place: str) -> None:
    if not str(file.get("guest_path") or "").startswith("/"):
        raise Refusal(400, f"invalid {place}.guest_path: an absolute path is needed")
    sources = [name for name in ("raw_value", "secret_name", "image_config") if file.get(name)]
    if len(sources) > 1 or (not sources and "raw_value" not in file):
        raise Refusal(
            400, f"invalid {place}: one of raw_value, secret_name, image_config is needed"
        )
    from_base64(file, "raw_value", below=f"{place}.")


def _service(service: Json, place: str) -> Json:
    port = service.get("internal_port")
    if not isinstance(port, int) or isinstance(port, bool) or not 0 < port < 65536:
        raise Refusal(400, f"invalid {place}.internal_port: {port!r}")
    if service.get("protocol") not in ("tcp", "udp"):
        raise Refusal(400, f"invalid {place}.protocol: {service.get('protocol')!r}")
    for index, check in enumerate(_items(service, "checks")):
        _check(check, f"{place}.checks[{index}]")
    for index, outside in enumerate(_items(service, "ports")):
        _words(outside.get("handlers"), f"{place}.ports[{index}].handlers")
    autostart = service.get("autostart")
    if autostart is not None and not isinstance(autostart, bool):
        raise Refusal(400, f"invalid {place}.autostart: a boolean is needed")
    autostop = service.get("autostop")
    if autostop is None:
        return service
    if not isinstance(autostop, str | int) or autostop not in _AUTOSTOP:
        raise Refusal(400, f"invalid {place}.autostop: {autostop!r}")
    return {**service, "autostop": _AUTOSTOP[autostop]}


def _check(check: Any, place: str) -> None:
    if not isinstance(check, dict):
        raise Refusal(400, f"invalid {place}: an object is needed")
    if check.get("type") not in ("tcp", "http", "https", None):
        raise Refusal(400, f"invalid {place}.type: {check['type']!r}")
    for name in DURATIONS:
        value = check.get(name)
        if value is not None and seconds_of(value) is None:
            raise Refusal(400, f"invalid {place}.{name}: {value!r} is not a duration")
