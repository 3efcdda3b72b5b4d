"""Whatever a fly.toml holds, reading ends with a spec or with told problems, never otherwise."""

from __future__ import annotations

import json
from typing import Any

import pytest
import tomli_w
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from score_flyio.base.document import merged
from score_flyio.deploy.desired.render import render_document
from score_flyio.deploy.local_files import LocalFiles
from score_flyio.flytoml import read_fly_toml, to_json, to_toml
from score_flyio.flytoml.load import read_document
from score_flyio.flytoml.schema import Key, Shape, keys_of
from score_flyio.flytoml.spec import AppSpec

examples = settings(
    max_examples=200,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
WORDS = st.sampled_from(
    [
        *("", "app", "web", "10s", "1m30s", "512mb", "10gb", "80", "5,9", "tcp", "http", "stop"),
        *(
            "shared-cpu-2x",
            "l40s",
            "canary",
            "never",
            "on-failure",
            "a 'b",
            'a "b',
            "x\0",
            "..",
            ".",
        ),
        *("{}", "{", '{"containers": [{}]}', '{"guest": {"cpus": "x"}}', "m.json", "1e400gb", "-5"),
    ]
)


def quoted(text: str) -> str:
    """A text, or a key, in TOML."""
    return tomli_w.dumps({"": text}).removeprefix('"" = ').removesuffix("\n")


TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=6) | WORDS
NUMBERS = st.integers(-(2**63), 2**63 - 1).map(str) | st.floats().map(repr)
TIMES = st.sampled_from(["2024-05-17", "08:30", "08:30:00.50", "2024-05-17T08:30:00.10+01:00"])
SCALARS = TEXTS.map(quoted) | NUMBERS | TIMES | st.sampled_from(["true", "false", "[]", "{}"])


def in_braces(entries: dict[str, str]) -> str:
    return f"{{{', '.join(f'{quoted(name)} = {value}' for name, value in entries.items())}}}"


VALUES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3).map(lambda items: f"[{', '.join(items)}]")
        | st.dictionaries(TEXTS, inner, max_size=3).map(in_braces)
    ),
    max_leaves=6,
)
RIGHT: dict[str, st.SearchStrategy[str]] = {
    "text": TEXTS.map(quoted),
    "int": st.integers(-2, 9000).map(str),
    "bool": st.sampled_from(["true", "false"]),
    "duration": st.sampled_from(['"10s"', '"1h2.5s"', "15", "2.5"]),
    "auto_stop": st.sampled_from(['"off"', '"suspend"', "true"]),
}


def of_shape(shape: Shape) -> st.SearchStrategy[str]:
    """Values that mostly fit, and sometimes anything."""
    if shape.section is not None:
        fitting = of_section(shape.section).map(in_braces)
    elif shape.item is not None and shape.kind == "list":
        items = st.deferred(lambda: of_shape(shape.item or shape))
        fitting = st.lists(items, max_size=2).map(lambda found: f"[{', '.join(found)}]") | items
    elif shape.item is not None:
        items = st.deferred(lambda: of_shape(shape.item or shape))
        fitting = st.dictionaries(TEXTS, items, max_size=2).map(in_braces)
    else:
        fitting = RIGHT.get(shape.kind, SCALARS)
    return st.one_of(fitting, fitting, fitting, VALUES)


def of_key(key: Key) -> st.SearchStrategy[tuple[str, str]]:
    spellings = [key.name, key.name, key.name, key.name.upper(), key.name.capitalize()]
    return st.tuples(st.sampled_from(spellings), of_shape(key.shape))


def of_section(section: type) -> st.SearchStrategy[dict[str, str]]:
    old = st.sampled_from(["mount", "compute", "metric", "build_target", "name", "kill_timeout"])
    entries = [of_key(key) for key in keys_of(section).values()]
    return st.lists(st.one_of(*entries, st.tuples(old, VALUES)), max_size=4).map(dict)


DOCUMENTS = of_section(AppSpec).map(
    lambda entries: "".join(f"{name} = {value}\n" for name, value in entries.items())
)


@examples
@given(text=DOCUMENTS)
def test_every_document_has_an_outcome(text: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    document = read_fly_toml(text, file="fly.toml")
    files = LocalFiles(tmp_path_factory.getbasetemp())
    read, shown, problems = render_document(document, files=files, image="i")
    result = merged((read, shown))
    json.dumps(result, ensure_ascii=False, allow_nan=False).encode()
    assert result["valid"] == (not result["errors"]) == (not document.problems)
    found = (*document.problems, *document.strict_problems(), *problems)
    assert all(p.message and p.hint and p.file for p in found)


@examples
@given(DOCUMENTS)
def test_what_is_written_of_any_document_reads_again(text: str) -> None:
    spec = read_fly_toml(text).spec
    if spec is None:
        return
    again = read_fly_toml(to_toml(spec)).spec
    assert again is not None
    once_more = read_fly_toml(to_toml(again)).spec
    assert once_more is not None
    assert to_json(once_more) == to_json(again)
    assert to_toml(once_more) == to_toml(again)


@examples
@given(
    content=st.binary(max_size=60) | DOCUMENTS.map(str.encode),
    suffix=st.sampled_from(["toml", "json", "yaml"]),
)
def test_any_bytes_are_read_or_refused(
    content: bytes, suffix: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.getbasetemp() / f"fly.{suffix}"
    path.write_bytes(content)
    document = read_document(path)
    assert document.valid == (not document.problems)
    assert document.valid <= (document.spec is not None)


@pytest.mark.parametrize("form", ["json", "yaml"])
@examples
@given(value=st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(st.sampled_from([*keys_of(AppSpec), "name", "port"]), inner, max_size=4),
))  # fmt: skip
def test_any_json_value_is_read_or_refused(form: Any, value: Any) -> None:
    document = read_fly_toml(json.dumps(value), form=form)
    assert document.valid == (not document.problems)
    assert (document.spec is not None) or document.problems
