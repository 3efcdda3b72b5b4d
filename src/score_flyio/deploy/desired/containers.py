"""Where the containers of a machine come from: a machine config file or a compose file.

The first source that is there wins: `build.compose`, which may find no file,
`experimental.machine_config`, `machine_config`. flyctl reads the JSON of such a file into its own
types and writes those, so that zero values go missing in some places and appear in others, and
durations and a few words get one spelling.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from fly_machines.model import Model
from fly_machines.models import FlyMachineConfig
from score_flyio.deploy.desired.errors import ConversionError
from score_flyio.deploy.desired.files import read, read_encoded
from score_flyio.deploy.desired.services import AUTOSTOP_OF
from score_flyio.deploy.model import FileSource
from score_flyio.fly.codec import structure, structure_answer, unstructure
from score_flyio.flytoml.gotext import int64, well_formed
from score_flyio.flytoml.spec import AppSpec
from score_flyio.flytoml.values import Duration

NOTHING: Final[Mapping[str, str]] = {}
BUILT_IMAGE = "."
"""Stands for the deployed image."""


def with_sources(config: FlyMachineConfig, spec: AppSpec, files: FileSource) -> FlyMachineConfig:
    """`config` with the machine config file or compose file of the app laid over it."""
    if spec.build is not None and spec.build.compose is not None:
        from score_flyio.deploy.desired.compose import compose_containers

        if containers := compose_containers(spec.build.compose.file, files):
            config.containers = containers
            return config
    field, text = config_source(spec)
    return _with_file(config, spec.container, files, field, text) if text else config


def config_source(spec: AppSpec) -> tuple[str, str]:
    """The key that names a machine config, and what it says; empty where there is none."""
    experimental = spec.experimental.machine_config if spec.experimental else ""
    if experimental:
        return "experimental.machine_config", experimental
    return "machine_config", spec.machine_config


def with_image(config: FlyMachineConfig, image: str, images: Mapping[str, str] = NOTHING) -> None:
    """Put the deployed image into `config`, also where a container says `"."`.

    `images` has further names of images, and what they mean. No image leaves those of containers.
    """
    config.image = image or None
    for container in config.containers or []:
        if container.image == BUILT_IMAGE:
            container.image = image
        elif container.image:
            container.image = images.get(container.image, container.image)
        for file in container.files or []:
            if file.image_config:
                file.image_config = images.get(file.image_config, file.image_config)


def _with_file(
    config: FlyMachineConfig, container: str, files: FileSource, field: str, text: str
) -> FlyMachineConfig:
    document = _known_names(_document(text, files, field))
    for each in _containers(document, field):
        _read_local_files(each, files, field)
    try:
        given = structure(respelled(document), FlyMachineConfig)
    except ValueError as error:
        hint = "see the machine config of the Machines API for its members"
        raise _invalid(field, f"this is not a machine config: {error}", hint) from error
    known = unstructure(without_extras(given))
    merged = _merged(unstructure(config), known)
    written = zeros_left_out({name: merged[name] for name in known})
    rest = {name: item for name, item in merged.items() if name not in known}
    result = structure_answer({**rest, **written}, FlyMachineConfig)
    _choose_container(result, container, field)
    return result


def _known_names(value: Any, path: str = "") -> Any:
    """The file with the names of members as they are known: flyctl takes them in any case."""
    if isinstance(value, list):
        return [_known_names(item, path) for item in value]
    if not isinstance(value, dict):
        return value
    named: dict[str, Any] = {}
    for name, item in value.items():
        known = name if path in _MAPS else name.lower()
        below = "*" if path in _MAPS else known
        named[known] = _known_names(item, f"{path}.{below}" if path else below)
    return named


def _document(text: str, files: FileSource, field: str) -> dict[str, Any]:
    if text.startswith("{"):
        raw: str | bytes = text
    elif text.endswith(".json"):
        raw = read(files, text, field=field)
    else:
        raise ConversionError(
            field,
            "unsupported_source",
            f"{text!r} is neither inline JSON nor the path of a .json file",
            hint="start the text with '{', or name a file that ends with .json",
        )
    try:
        document = well_formed(json.loads(raw, parse_constant=_no_number))
    except (ValueError, RecursionError) as error:
        message = f"the machine config is not JSON: {error}"
        raise _invalid(field, message, "fix the JSON at that place") from error
    if not isinstance(document, dict):
        message = f"the machine config is a {type(document).__name__}, not an object"
        raise _invalid(field, message, "wrap it in {…}")
    return document


def _invalid(field: str, message: str, hint: str) -> ConversionError:
    return ConversionError(field, "invalid_json", message, hint=hint)


def _no_number(word: str) -> float:
    raise ValueError(f"{word} is not a number")


def _containers(document: dict[str, Any], field: str) -> list[dict[str, Any]]:
    containers = document.get("containers") or []
    if not isinstance(containers, list) or not all(isinstance(c, dict) for c in containers):
        hint = 'write "containers": [{"name": …, "image": …}]'
        raise _invalid(field, "containers is not a list of objects", hint)
    return containers


def _read_local_files(container: dict[str, Any], files: FileSource, field: str) -> None:
    entries = container.get("files") or []
    for entry in entries if isinstance(entries, list) else []:
        if not isinstance(entry, dict):
            continue
        path = entry.pop("local_path", None)
        has_content = any(entry.get(key) for key in ("raw_value", "secret_name", "image_config"))
        if path and not has_content:
            name = container.get("name", "")
            place = f"{field}.containers.{name}.files.local_path"
            entry["raw_value"] = read_encoded(files, str(path), field=place)


def _merged(base: dict[str, Any], over: dict[str, Any]) -> dict[str, Any]:
    """`over` laid over `base`: objects member by member, everything else replaced."""
    merged = dict(base)
    for key, value in over.items():
        present = merged.get(key)
        if isinstance(value, dict) and isinstance(present, dict):
            merged[key] = _merged(present, value)
        else:
            merged[key] = value
    return merged


def without_extras(model: Any) -> Any:
    """A copy of a model without the members that the Machines API does not document."""
    if isinstance(model, list):
        return [without_extras(item) for item in model]
    if isinstance(model, dict):
        return {key: without_extras(item) for key, item in model.items()}
    if not isinstance(model, Model):
        return model
    values = {name: without_extras(getattr(model, name)) for name in type(model).__annotations__}
    return type(model)(**{**values, "extra": {}})


def _choose_container(config: FlyMachineConfig, wanted: str, field: str) -> None:
    """Give the deployed image to the container that is named, or `app`, or the first one."""
    containers = config.containers or []
    if not containers:
        return
    chosen = next((c for c in containers if c.name == (wanted or "app")), None)
    if chosen is None and wanted:
        names = ", ".join(str(c.name) for c in containers)
        raise ConversionError(
            "container",
            "unknown_container",
            f"no container is named {wanted!r}",
            hint=f"the containers are {names}",
        )
    chosen = chosen or containers[0]
    chosen.image = BUILT_IMAGE
    for container in containers:
        if not container.image:
            raise ConversionError(
                f"{field}.containers.{container.name}.image",
                "missing",
                f"container {container.name!r} has no image; {chosen.name!r} gets the built one",
                hint="name an image for it",
            )


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


def respelled(document: dict[str, Any]) -> dict[str, Any]:
    """The file with durations and words spelled as flyctl writes them; maps without nulls.

    Raises ValueError: one of them cannot be read.
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
    _respell(document.get("rootfs"), "persist", _rootfs)
    for name in ("env", "metadata"):
        texts = document.get(name)
        if isinstance(texts, dict):
            document[name] = {key: "" if item is None else item for key, item in texts.items()}
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
        is_zero = not kept and (not isinstance(kept, dict) or here in _MAPS)
        if path in _MAPS or name in written or here in _EVEN_ZERO or not is_zero:
            written[name] = kept
    return written


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
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value in AUTOSTOP_OF:
        return AUTOSTOP_OF[value]
    raise ValueError('autostop is not "off", "stop" or "suspend"')


def _rootfs(value: Any) -> str:
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < len(_ROOTFS):
        return _ROOTFS[value]
    if isinstance(value, str) and value in {*_ROOTFS, "none"}:
        return "" if value == "none" else value
    raise ValueError('persist_rootfs is not "none", "never", "restart" or "always"')
