"""TOML text: what may be redefined, on which line a key stands, and all that is no TOML."""

from __future__ import annotations

import tomllib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from score_flyio.flytoml.toml_scalars import TomlTime
from score_flyio.flytoml.toml_text import TomlError, load_toml

PIECES = st.sampled_from(
    [
        *"abx.=[]{}\"'#\n ,1_-+eu\\T:Z0\r\t\x01é",
        *("[a]\n", "[a.b]\n", "[[a]]\n", "a=1\n", "a.b=1\n", "b.c={x=1}\n", "x=[1,\n2]\n"),
        *('"""', "'''", "\\n", "\\u00e9", "true", "1.5", "inf", "2024-05-17", "08:30:00", "0x1"),
    ]
)
TEXTS = st.lists(PIECES, max_size=12).map("".join)


def tree_of(text: str) -> Any:
    try:
        return load_toml(text).tree
    except TomlError:
        return None


@given(TEXTS)
def test_reads_what_the_standard_library_reads(text: str) -> None:
    try:
        expected = tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return
    found = tree_of(text)
    assert found is not None
    if "TomlTime" not in repr(found) and "\r" not in text:
        assert repr(found) == repr(expected)


@given(st.text(max_size=40) | TEXTS)
def test_any_text_is_read_or_refused_with_a_line(text: str) -> None:
    refused = None
    try:
        load_toml(text)
    except TomlError as error:
        refused = error
    assert refused is None or (str(refused) and 1 <= refused.line <= text.count("\n") + 1)


@pytest.mark.parametrize(
    "text",
    [
        "a = 1\na = 2",
        "a = 1\na.b = 2",
        "a.b = 1\n[a]",
        "[a]\n[a]",
        "[a]\nb.c = 1\n[a.b]",
        "[a]\nb.c = 1\n[[a.b]]",
        "[a.b.c]\n[a]\nb.x = 1",
        "[a.b.c]\nz = 1\n[a]\nb.c.t = 1",
        "[a]\n[[a]]",
        "[[a]]\n[a]",
        "a = []\n[[a]]",
        "a = [{b = 1}]\n[a.c]",
        "a = {b = 1}\n[a.c]",
        "a = {b = 1}\na.c = 2",
        "x = {a = 1, a = 2}",
        "x = {a = {b = 1}, a.c = 2}",
        "[[a.b]]\n[a]\nb.c = 1",
        "[a]\nx = 1\n[a.x]",
        "[a]\nx = 1\n[a.x.y]",
        "x = {,}",
        "x = {a = 1,, b = 2}",
        "x = [1,, 2]",
        "x = {a\n= 1}",
        "[a.]",
        "[]",
        "[a] b = 1",
        "a = 1 b = 2",
        "a =\n1",
        "é = 1",
        "a = 01",
        "a = 1__0",
        "a = 1.",
        "a = .5",
        "a = 0xg",
        "a = -0x1",
        "a = True",
        "a = Inf",
        "a = 2024-02-30",
        "a = 2024-13-01",
        "a = 24:00",
        "a = 08:30:60",
        "a = 08:30.5",
        "a = 2024-05-17T08:30:00+24:00",
        'a = "\\q"',
        'a = "\\ud800"',
        'a = "\\U00110000"',
        'a = "x\ny"',
        "a = 'x",
        'a = """x',
        "a = '\x01'",
        "# \x01",
        "a = 1\rb = 2",
    ],
)
def test_what_is_no_toml(text: str) -> None:
    assert tree_of(text) is None


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("[a]\nb.c = 1\n[a.b.d]\nx = 1", {"a": {"b": {"c": 1, "d": {"x": 1}}}}),
        ("[a.b]\n[a]\n", {"a": {"b": {}}}),
        ("[[a]]\n[a.b]\n[[a]]\n[a.b]", {"a": [{"b": {}}, {"b": {}}]}),
        ("x = {\n# one\na = 1, # two\nb.c = 2\n,}", {"x": {"a": 1, "b": {"c": 2}}}),
        ("x = '''a''''", {"x": "a'"}),
        ('x = """a"""""', {"x": 'a""'}),
        ('x = """\\\n   a \\\n\n  b"""', {"x": "a b"}),
        ('"a b"."c.d" = 1', {"a b": {"c.d": 1}}),
        ("x = 2024-05-17", {"x": TomlTime("2024-05-17", "2024-05-17")}),
    ],
)
def test_what_is_toml(text: str, tree: dict[str, Any]) -> None:
    assert tree_of(text) == tree


def test_lines() -> None:
    text = "a = 1\n\n[[b]]\nc = {\n  d = 1,\n  e = [\n    {f = 2},\n    {f = 3},\n  ],\n}\n[[b]]\ng.h = 1\n"
    assert load_toml(text).lines == {
        "a": 1,
        "b[0]": 3,
        "b[0].c": 4,
        "b[0].c.d": 5,
        "b[0].c.e": 6,
        "b[0].c.e[0].f": 7,
        "b[0].c.e[1].f": 8,
        "b[1]": 11,
        "b[1].g": 12,
        "b[1].g.h": 12,
    }
