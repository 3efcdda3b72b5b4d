"""Our small checker of the schema agrees with a general validator."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from jsonschema import ValidationError as Violation
from jsonschema.validators import extend

from score_flyio.base.place import json_pointer
from score_flyio.score.schema import schema_findings
from score_flyio.score.schema_data import SCHEMA

_FULL: dict[str, Any] = {
    "apiVersion": "score.dev/v1b1",
    "metadata": {"name": "shop", "annotations": {"example.com/team": "red"}, "free": [None]},
    "containers": {
        "main": {
            "image": ".",
            "command": ["a"],
            "args": [],
            "variables": {"A": "1"},
            "files": {
                "/a": {"content": "x", "mode": "0644", "noExpand": True},
                "/b": {"binaryContent": "eA=="},
                "/c": {"source": "c.txt"},
            },
            "volumes": {"/data": {"source": "data", "path": "", "readOnly": False}},
            "before": {"side": {"ready": "healthy"}},
            "resources": {"limits": {"cpu": "0.5", "memory": "1.5Gi"}, "requests": {}},
            "livenessProbe": {"exec": {"command": ["true"]}},
            "readinessProbe": {
                "httpGet": {
                    "path": "/",
                    "port": 80,
                    "scheme": "HTTPS",
                    "host": "h",
                    "httpHeaders": [{"name": "X-A", "value": "v"}],
                }
            },
        },
        "side": {"image": "x"},
    },
    "service": {"ports": {"web": {"port": 80.0, "protocol": "UDP", "targetPort": 8080}}},
    "resources": {"db": {"type": "pg", "class": "Big", "id": "a.b", "metadata": {}, "params": {}}},
}


def _pattern(validator: Any, pattern: str, instance: Any, schema: Any) -> Any:
    """`$` is the very end and digits are ASCII, as ECMA has it and Python has not."""
    import re

    exact = re.compile(re.sub(r"\$$", r"\\Z", pattern), re.ASCII)
    if isinstance(instance, str) and not exact.search(instance):
        yield Violation("does not match")


# The stubs of jsonschema leave `extend` untyped.
_GENERAL: Any = extend(Draft202012Validator, {"pattern": _pattern})(SCHEMA)  # type: ignore[no-untyped-call]


def test_the_schema_is_a_schema() -> None:
    Draft202012Validator.check_schema(SCHEMA)


def test_the_full_document_is_right() -> None:
    assert not schema_findings(_FULL)
    assert not list(_GENERAL.iter_errors(_FULL))


def _paths(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    items = (
        value.items()
        if isinstance(value, dict)
        else enumerate(value)
        if isinstance(value, list)
        else ()
    )
    return [path, *(found for key, item in items for found in _paths(item, (*path, key)))]


_ANY = st.one_of(
    st.none(), st.booleans(), st.integers(-1, 70000), st.floats(0, 100), st.just([]), st.just({}),
    st.sampled_from(["", "a", "ab", "Ab-", "a.b/c", "1", "5m", "1Gi", "0644", "TCP", "x\n", "٢", "a=b"]),
    st.dictionaries(st.sampled_from(["x", "xx", "port", "ready", "A=B", ""]), st.just("started"), max_size=2),
)  # fmt: skip


@given(st.lists(st.tuples(st.sampled_from(_paths(_FULL)[1:]), _ANY, st.booleans()), max_size=3))
def test_changed_documents(changes: list[tuple[tuple[Any, ...], Any, bool]]) -> None:
    document = copy.deepcopy(_FULL)
    for path, value, remove in changes:
        parent: Any = document
        for part in path[:-1]:
            found = isinstance(parent, dict) and part in parent
            parent = parent[part] if found or (isinstance(parent, list) and parent) else None
        if isinstance(parent, dict) and remove:
            parent.pop(path[-1], None)
        elif isinstance(parent, dict) and isinstance(path[-1], str):
            parent[path[-1]] = copy.deepcopy(value)
    ours = {json_pointer(finding.path) for finding in schema_findings(document)}
    general = {_general_pointer(error) for error in _GENERAL.iter_errors(document)}
    assert ours == general, json.dumps(document)


def _general_pointer(error: Any) -> str:
    path = list(error.absolute_path)
    if "propertyNames" in error.absolute_schema_path and error.instance:
        path.append(error.instance)
    return json_pointer(path)


@pytest.mark.parametrize(
    ("path", "value", "message", "hint"),
    [
        (("containers", "main", "variables", "A"), 8080, "the number 8080", "in quotes"),
        (("containers", "main", "image"), None, "must be text, not null", "leave the key out"),
        (("service", "ports", "web", "port"), "80", 'whole number, not "80"', "without quotes"),
        (("service", "ports", "web", "port"), 0, "0 is not from 1 to 65535", None),
        (("service", "ports", "web", "protocol"), "tcp", '"tcp" is not TCP or UDP', "write TCP"),
        (("containers", "main", "imag"), "x", 'unknown key "imag"', 'did you mean "image"?'),
        (("containers", "main", "livenessProbe"), {}, "at least one of httpGet or exec", None),
        (("containers", "main", "files", "/a", "source"), "x", "exactly one of", None),
        (("metadata", "name"), "Shop", '"Shop" is not 2 to 63 of a-z', None),
        (("containers", "a"), {"image": "x"}, 'the name "a" is not 2 to 63', None),
    ],
)
def test_messages(path: tuple[str, ...], value: Any, message: str, hint: str | None) -> None:
    document = copy.deepcopy(_FULL)
    parent: Any = document
    for part in path[:-1]:
        parent = parent[part]
    parent[path[-1]] = value
    (finding,) = schema_findings(document)
    assert message in finding.message
    assert hint is None or hint in (finding.hint or "")
