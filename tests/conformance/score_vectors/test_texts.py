"""Placeholders, YAML and quantities agree with the reference library."""

from __future__ import annotations

from typing import Any

import pytest

from score_flyio.convert.sizing import parse_cpu, parse_memory
from score_flyio.errors import PlaceholderError
from score_flyio.score.placeholders import Lookup, split_reference, substitute_in
from score_flyio.score.resources import Outputs
from score_flyio.yaml.reader import YamlError, read_yaml
from tests.conformance.score_vectors.vectors import DATA, MARKS, same
from tests.conftest import corpus

Entry = dict[str, Any]


@pytest.fixture
def lookup(request: pytest.FixtureRequest) -> Lookup:
    import json

    file = corpus(request.config, DATA, *MARKS) / "substitution_data.json"
    if not file.exists():
        file = DATA / "substitution_data.json"
    data = json.loads(file.read_text("utf-8"))
    return Lookup(data["metadata"], {name: Outputs(v) for name, v in data["resources"].items()})


@pytest.mark.vectors("substitution")
def test_substitution(entry: Entry, lookup: Lookup) -> None:
    if "errors" not in entry:
        assert same(substitute_in(entry["input"], lookup).value, _plain(entry["output"]))
        return
    with pytest.raises(PlaceholderError) as failure:
        substitute_in(entry["input"], lookup)
    found = [{"ref": each.subject, "category": each.kind} for each in failure.value.problems]
    assert found == entry["errors"]


def _plain(value: Any) -> Any:
    """Where the library escapes `<`, `>` and `&` inside JSON, plain characters are better."""
    if isinstance(value, str):
        for escaped, char in (("\\u003c", "<"), ("\\u003e", ">"), ("\\u0026", "&")):
            value = value.replace(escaped, char)
        return value
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, list) else value


@pytest.mark.vectors("split_ref")
def test_split_reference(entry: Entry) -> None:
    assert list(split_reference(entry["input"])) == entry["output"]


@pytest.mark.vectors("yaml_decode")
def test_yaml(entry: Entry) -> None:
    if "error_category" in entry:
        assert _category(entry["yaml"]) == entry["error_category"]
        return
    document = read_yaml(entry["yaml"])
    assert not document.odd_keys
    if entry.get("timestamp"):
        text = entry["yaml"].partition(": ")[2]
        assert document.value == {"v": text}, "dates stay text"
    else:
        assert same(document.value, entry["value"])


def _category(text: str) -> str | None:
    try:
        return "non_string_key" if read_yaml(text).odd_keys else None
    except YamlError as error:
        return error.category


@pytest.mark.vectors("quantity_parse")
def test_quantity(entry: Entry) -> None:
    key, parse = ("cpu", parse_cpu) if "cpu" in entry else ("memory", parse_memory)
    text = entry[key]
    expected = (
        None if entry.get("error") else entry["milli_cpus" if key == "cpu" else "memory_bytes"]
    )
    if "divergence_ok" in entry:
        supported = "Valid in the current schema" in entry["divergence_ok"]
        expected = _bytes(text) if supported else None
    if expected is None:
        with pytest.raises(ValueError, match=r"quantity|too large"):
            parse(text)
    else:
        assert parse(text) == expected


def _bytes(text: str) -> int:
    """Memory by plain arithmetic, for the spellings that the old library did not know."""
    from decimal import Decimal

    number = text.rstrip("KMGTPEi")
    unit = text[len(number) :]
    base = 1024 if unit.endswith("i") else 1000
    return int(Decimal(number) * base ** "_KMGTPE".index(unit[:1] or "_"))
