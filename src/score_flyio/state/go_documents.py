"""Score documents as the Go score-flyio keeps them.

It knows `files` and `volumes` of a container as lists only, and leaves out what is empty. Loading a
workload from the state upgrades the lists again.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from score_flyio.score.resources import JsonObject

_CONTAINER: Final = ("command", "args", "variables", "files", "volumes")
_RESOURCE: Final = ("params", "metadata")


def go_form(document: JsonObject) -> JsonObject:
    """The document with lists instead of maps by target, and without empty parts."""
    form = _without_empty(document, ("resources",))
    if isinstance(form.get("service"), dict):
        form["service"] = _without_empty(form["service"], ("ports",))
    for key, change in (("containers", _container), ("resources", _resource)):
        if isinstance(form.get(key), dict):
            form[key] = {name: change(item) for name, item in form[key].items()}
    return form


def _container(container: Any) -> Any:
    if not isinstance(container, dict):
        return container
    lists = {
        key: [{"target": target, **item} for target, item in container[key].items()]
        for key in ("files", "volumes")
        if isinstance(container.get(key), dict)
        and all(isinstance(item, dict) for item in container[key].values())
    }
    return _without_empty(container | lists, _CONTAINER)


def _resource(resource: Any) -> Any:
    return _without_empty(resource, _RESOURCE) if isinstance(resource, dict) else resource


def _without_empty(value: JsonObject, keys: Iterable[str]) -> JsonObject:
    empty = {key for key in keys if value.get(key) in ({}, [])}
    return {key: item for key, item in value.items() if key not in empty}
