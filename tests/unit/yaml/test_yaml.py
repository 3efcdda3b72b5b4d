from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from score_flyio.yaml.reader import Node, YamlError, read_yaml
from score_flyio.yaml.writer import write_yaml

_TEXT = st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E) | st.sampled_from("éß✓\n\t"))
_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(-1e15, 1e15) | _TEXT,
    lambda inner: st.lists(inner) | st.dictionaries(_TEXT, inner),
    max_leaves=20,
)

_PIECES = [
    *("a", "b: ", "- ", "\n", "\n  ", "\n    ", " ", ":", ",", "[", "]", "{", "}", "null", "'x'"),
    *('"\\x41"', "|", "|-\n", ">\n", "+", "&a ", "*a", "<<: ", "!!str ", "!x ", "# c", "#"),
    *("---\n", "...\n", "%YAML 1.1\n", "%TAG ! x\n", "1:2", "http://x", "a: {b: [c, 'd']}\n"),
]
_QUICKLY, _SLOWLY = "# v\n", "# ✓\n"
"""Comments in front of a text: the second one leaves the reading of it to Python."""


@given(_JSON)
def test_json_reads_as_json(value: Any) -> None:
    text = json.dumps(value, ensure_ascii=True)
    assert read_yaml(text, exact=True).value == json.loads(text)


def shape(node: Node) -> Any:
    """Where a node stands, and how it is written."""
    match node.children:
        case None:
            inside: Any = (node.text, node.plain)
        case list():
            inside = [shape(child) for child in node.children]
        case _:
            inside = {key: (line, shape(child)) for key, (line, child) in node.children.items()}
    return node.line, inside


@given(st.dictionaries(_TEXT, _JSON))
def test_what_this_tool_wrote_reads_the_same_with_libyaml(document: dict[str, Any]) -> None:
    text = write_yaml(document)
    quick = read_yaml(_QUICKLY + text, exact=True)
    assert quick.value == document
    assert shape(quick.root) == shape(read_yaml(_SLOWLY + text).root)


@given(st.lists(st.sampled_from(_PIECES), max_size=30))
def test_what_people_wrote_reads_the_same_with_libyaml(pieces: list[str]) -> None:
    text = "".join(pieces) + "\n"
    try:
        quick = read_yaml(_QUICKLY + text)
    except YamlError:
        return
    slow = read_yaml(_SLOWLY + text)
    assert (shape(quick.root), quick.odd_keys) == (shape(slow.root), slow.odd_keys)
    assert quick.value == slow.value


@pytest.mark.parametrize(
    "text", ["? a\n?", "{a: x?y}", "a: |#\n  b", "{a:\r}", "a:\n\ufeffb: c", "---\n# c"]
)
def test_what_libyaml_reads_in_another_way_is_not_given_to_it(text: str) -> None:
    def told(text: str) -> Any:
        try:
            return shape(read_yaml(text).root)
        except YamlError as error:
            return str(error), error.line

    assert told(_QUICKLY + text) == told(_SLOWLY + text)


def test_the_line_of_nothing_is_that_of_its_key() -> None:
    assert shape(read_yaml("{a: # c\n}\n").root) == (1, {"a": (1, (1, ("", True)))})


def test_line_of_each_path() -> None:
    document = read_yaml("a: 1\n\nb:\n  c: [x,\n    y]\n  d:\n  - e: 1\n")
    lines = {(): 1, ("a",): 1, ("b",): 3, ("b", "c"): 4, ("b", "c", 1): 5, ("b", "d", 0, "e"): 7}
    assert {path: document.line(path) for path in lines} == lines
    assert document.line(("b", "no")) is None
    assert document.line(("b", "d", 7)) is None


def test_aliases_are_separate_copies() -> None:
    value = read_yaml("a: &x {k: [1]}\nb: *x\n").value
    value["a"]["k"].append(2)
    assert value["b"] == {"k": [1]}


def test_merges() -> None:
    text = "a: &a {x: 1, y: 1}\nb: &b {x: 2, z: 2}\nc: {y: 3, <<: [*b, *a]}\n'<<': text"
    value = read_yaml(text).value
    assert value["c"] == {"y": 3, "x": 2, "z": 2}
    assert value["<<"] == "text"


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("a:\t1", {"a": 1}),
        ("a: 1\t", {"a": 1}),
        ("a: x\t# end\nb: y \t \nc: z", {"a": "x", "b": "y", "c": "z"}),
        ("a: x\ty", {"a": "x\ty"}),
        ("a: x \t y\t\n  z", {"a": "x \t y z"}),
        ("a: [\t1,\t2\t]", {"a": [1, 2]}),
        ("a:\t# none\n  b: 1", {"a": {"b": 1}}),
        ("a: 1\n  \t\nb: 2", {"a": 1, "b": 2}),
        ("- a\n \t \t\n\n- b\n  \t# end", ["a", "b"]),
        ("a: x\n  \ty\n\n \t z", {"a": "x y\nz"}),
        ("a: |\t\n  x\nb: >- \t# none\n  y", {"a": "x\n", "b": "y"}),
        ("a: |\n  x\n  \ty", {"a": "x\n\ty"}),
        ("a: !x\ty", {"a": "y"}),
        ("a: .2_5\nb: ._5", {"a": 0.25, "b": "._5"}),
    ],
)
def test_tabs_between_and_behind_words(text: str, value: Any) -> None:
    assert read_yaml(text).value == value


@pytest.mark.parametrize(
    ("text", "category", "line"),
    [
        ("a: 1\nb: 2\na: 3", "duplicate_key", 3),
        ("<<: {a: 1}\n<<: {b: 1}", "duplicate_key", 2),
        ("<<: 5", "syntax", 1),
        ("a: &a [{x: 1}]\nb:\n  <<: *a", "syntax", 3),
        ("a: &a []\nb:\n  <<: *a", "syntax", 3),
        ("a: &a [1]\nb:\n  <<: [*a]", "syntax", 3),
        ("a: !!int x", "syntax", 1),
        ("a: !!timestamp 5", "syntax", 1),
        ("\ta: 1", "syntax", 1),
        ("a:\n\tb: 1", "syntax", 2),
        ("-\ta", "syntax", 1),
        ("a: x\n\ty", "syntax", 2),
        ("a: |\n\n  \tx", "syntax", 3),
        ('a: "\\ud800"', "syntax", 1),
        ("a: 1\nb: \x07", "syntax", 2),
        ("%YAML 1.2\n---\na: 1", "syntax", 1),
        ("a: *no", "unknown_anchor", 1),
        ("a: &a {b: *a}", "recursive_anchor", 1),
        ("[" * 500 + "]" * 500, "too_large", 1),
    ],
)
def test_refused(text: str, category: str, line: int) -> None:
    with pytest.raises(YamlError) as failure:
        read_yaml(text)
    assert (failure.value.category, failure.value.line) == (category, line)
    with pytest.raises(YamlError) as same:
        read_yaml(text, exact=True)
    assert str(same.value) == str(failure.value)


@pytest.mark.parametrize(
    ("text", "message", "line"),
    [
        ('a: "\\/"', "unknown escape", 1),
        ('a: 1\nb: "\\U00110000"', "a character that there is not", 2),
        ('a: 1\nb: "\\UFFFFFFFF"', "a character that there is not", 2),
        ("# c\n%FOO\n---\na: 1", "there is no directive '%FOO'", 2),
        ("a: {b:[1]}", "expected ',' or '}'", 1),
        ("a: {b:{c: 1}}", "expected ',' or '}'", 1),
    ],
)
def test_what_go_does_not_know_is_refused(text: str, message: str, line: int) -> None:
    with pytest.raises(YamlError, match=message) as failure:
        read_yaml(text)
    assert failure.value.line == line


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("{a:, b :, c: d:}", {"a:": None, "b :": None, "c": "d:"}),
        ("[a:, b]", ["a:", "b"]),
        ("{\"a\":[1], 'b':{}}", {"a": [1], "b": {}}),
        ("[http://x:80, {a: x:y}]", ["http://x:80", {"a": "x:y"}]),
        ('"it\\\'s"', "it's"),
        ("a: x\n...\n", {"a": "x"}),
        ("a: |\n  %FOO\nb: x % y", {"a": "%FOO\n", "b": "x % y"}),
    ],
)
def test_as_go_reads_it(text: str, value: Any) -> None:
    assert read_yaml(text).value == value


def test_alias_bomb_is_refused() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 9)]
    with pytest.raises(YamlError, match="too large"):
        read_yaml("\n".join(lines))


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("a: 1\n---\nb: 2", 2),
        ("a: 1\n---\n", None),
        ("a: 1\n...\n# end", None),
        ("---\na: 1", None),
    ],
)
def test_second_document(text: str, line: int | None) -> None:
    document = read_yaml(text)
    assert (document.value, document.second_document) == ({"a": 1}, line)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("0x1F", 31), ("-0x10", -16), ("0b101", 5), ("0o17", 15), ("017", 15), ("08", 8.0),
        ("+1", 1), ("1_000", 1000), (".5", 0.5), ("1.", 1.0), ("1e400", "1e400"), ("._5", "._5"),
        ("٣", "٣"), ("0x", "0x"), ("1e3", 1000.0), ("!!float 1", 1.0), ("!!binary aGk=", "hi"),
        ("! 5", 5), ("!!binary |\n  aG\n  k=", "hi"), ("2024-01-31", "2024-01-31"), ("on", "on"), ("~", None), ("", None),
        ("18446744073709551615", 2**64 - 1), ("18446744073709551616", 2.0**64),
        ("-9223372036854775808", -(2**63)), ("-9223372036854775809", -(2.0**63)),
        ("0x10000000000000000", "0x10000000000000000"), ("0777777777777777777777777", 7.77777777777777777777777e23),
        ("9" * 400, "9" * 400), ("9" * 5000, "9" * 5000), ("12:30:45", "12:30:45"),
    ],
)  # fmt: skip
def test_scalars(text: str, value: Any) -> None:
    found = read_yaml(f"v: {text}").value["v"]
    assert (found, type(found)) == (value, type(value))
