"""TOML text: all that is read or refused with a line, and on which line a key stands."""

from __future__ import annotations

import tomllib
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from score_flyio.errors import Problem
from score_flyio.flytoml import read_fly_toml
from score_flyio.flytoml.lines import key_lines, line_for
from score_flyio.flytoml.parse import parse

PIECES = st.sampled_from(
    [
        *"abx.=[]{}\"'#\n ,1_-+eu\\T:Z0\r\t\x01é",
        *("[a]\n", "[a.b]\n", "[[a]]\n", "a=1\n", "a.b=1\n", "b.c={x=1}\n", "x=[1,\n2]\n"),
        *('"""', "'''", "\\n", "\\u00e9", "true", "1.5", "inf", "2024-05-17", "08:30:00", "0x1"),
    ]
)
TEXTS = st.lists(PIECES, max_size=12).map("".join)


@given(TEXTS)
def test_reads_what_the_standard_library_reads(text: str) -> None:
    try:
        expected = tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return
    assert repr(parse(text, "toml")) == repr(expected)


@given(st.text(max_size=40) | TEXTS)
def test_any_text_is_read_or_refused_with_a_line(text: str) -> None:
    found = parse(text, "toml")
    if isinstance(found, Problem):
        assert found.message
        assert 1 <= (found.line or 0) <= text.count("\n") + 1


@given(TEXTS)
def test_every_key_has_a_line(text: str) -> None:
    tree = parse(text, "toml")
    if isinstance(tree, Problem):
        return
    lines = key_lines(text)
    assert {line_for(lines, (name,)) is not None for name in tree if "." not in name} <= {True}
    assert all(1 <= line <= text.count("\n") + 1 for line in lines.values())


@pytest.mark.parametrize(
    "text",
    [
        "a = 1\na = 2",
        "a = 1\na.b = 2",
        "a.b = 1\n[a]",
        "[a]\n[a]",
        "[a]\nb.c = 1\n[a.b]",
        "[a.b.c]\nz = 1\n[a]\nb.c.t = 1",
        "[a]\n[[a]]",
        "a = []\n[[a]]",
        "x = {a = {b = 1}, a.c = 2}",
        "[a] b = 1",
        "é = 1",
        "a = -9223372036854775809",
        "a = True",
        "a = 2024-02-30",
        "a = 08:30:60",
        'a = "\\q"',
        "a = 1\rb = 2",
    ],
)
def test_what_is_no_toml(text: str) -> None:
    assert isinstance(parse(text, "toml"), Problem)


def test_lines() -> None:
    text = (
        "a = 1\r\n\n[[b]]\nc = {\n  d = 1,\n  e = [\n    {f = 2},\n  ],\n}\n"
        '[[b]]\ng.h = """\nx = 1\n"""\n[b."k.l"]\nm = 1\n[b.n.o]\n'
    )
    assert key_lines(text) == {
        "a": 1,
        "b": 3,
        "b[0]": 3,
        "b[0].c": 4,
        "b[0].c.d": 4,
        "b[0].c.e": 4,
        "b[0].c.e[0]": 4,
        "b[0].c.e[0].f": 4,
        "b[1]": 10,
        "b[1].g": 11,
        "b[1].g.h": 11,
        "b[1].k.l": 14,
        "b[1].k.l.m": 15,
        "b[1].n": 16,
        "b[1].n.o": 16,
    }


@pytest.mark.parametrize(
    ("form", "text"),
    [
        ("yaml", "app: x\nmounts:\n  - source: a\n  - source: b\n    initial_size: big\n"),
        ("json", '{"app": "x",\n\t"mounts": [\n{"source": "a"},\n{\n"initial_size": "big"}]}'),
        ("json", '{"app": "x", "mounts": [{},\n\n\n{"initial_size": "big"}]}'),
    ],
)
def test_problems_of_yaml_and_json_have_their_lines(
    form: Literal["yaml", "json"], text: str
) -> None:
    (problem,) = read_fly_toml(text, file=f"fly.{form}", form=form).problems
    line = text[: text.index("initial_size")].count("\n") + 1
    assert str(problem).startswith(f"fly.{form}:{line}: mounts[1].initial_size: ")
