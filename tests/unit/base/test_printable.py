"""Text of others is shown, and drives nothing."""

from __future__ import annotations

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from score_flyio.base.printable import one_line, printable, printable_json, system_reason

ACTING = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff]")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[2Jgone", r"\x1b[2Jgone"),
        ("a\rb", r"a\rb"),
        ("\x9b31m", r"\x9b31m"),
        ("user\u202etxt.exe", r"user\u202etxt.exe"),
        ("::error file=x::forged", r"\::error file=x::forged"),
        ("fine\n  ::set-output name=x::y", "fine\n  \\::set-output name=x::y"),
        ("##[error]forged", r"\##[error]forged"),
        ("a::b ## c", "a::b ## c"),
        ("größer → 東京\t|", "größer → 東京\t|"),
    ],
)
def test_what_acts_is_escaped(text: str, shown: str) -> None:
    assert printable(text) == shown


@given(st.text())
def test_nothing_acts(text: str) -> None:
    shown = printable(text)
    assert not ACTING.search(shown)
    assert not any(line.lstrip().startswith(("::", "##")) for line in shown.split("\n"))
    assert printable(shown) == shown
    assert len(one_line(text).splitlines()) <= 1


@given(st.recursive(st.text(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)))
def test_json_stays_the_same_document(document: object) -> None:
    text = printable_json(json.dumps(document, ensure_ascii=False))
    assert json.loads(text) == document
    assert not ACTING.search(text)


@pytest.mark.parametrize(
    ("error", "otherwise", "told"),
    [
        (FileNotFoundError(2, "No such file or directory", "a"), "", "no such file or directory"),
        (FileNotFoundError(2, "No such file or directory"), "no JSON", "no such file or directory"),
        (OSError("Broken"), "", "broken"),
        (ValueError("embedded null byte"), "", "embedded null byte"),
        (ValueError("secret"), "It is not JSON", "It is not JSON"),
    ],
)
def test_what_the_system_says_is_part_of_a_sentence(
    error: Exception, otherwise: str, told: str
) -> None:
    assert system_reason(error, otherwise) == told
