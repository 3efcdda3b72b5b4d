"""Secrets are masked in the texts of others, however they are written there."""

from __future__ import annotations

import json
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from score_flyio.base.secret import MASK, SHORTEST_HIDDEN, Secret, masked
from score_flyio.errors import Problem, ProvisionFailed
from score_flyio.net.credentials import own_credentials

VALUE = st.text(st.characters(exclude_characters="*", codec="utf-8"), min_size=6)


@given(VALUE.filter(lambda text: len(text.strip()) >= SHORTEST_HIDDEN))
def test_a_secret_is_found_as_it_is_written(value: str) -> None:
    for form in (value, json.dumps(value), repr(value), quote(value, safe="")):
        assert MASK in masked(f"<{form}>", [Secret(value)])


@pytest.mark.parametrize("line", ["first-part", "second-part"])
def test_each_line_of_a_secret_is_one(line: str) -> None:
    assert masked(f"b'{line}'", [Secret("first-part\nsecond-part")]) == f"b'{MASK}'"


def test_short_values_and_empty_lines_stay() -> None:
    assert masked("a b c", [Secret("a"), Secret("\n\n"), Secret("")]) == "a b c"


def test_an_error_hides_in_all_that_it_says() -> None:
    error = ProvisionFailed("pass hunter22", uid="u", hint="use hunter22")
    error.problems = (Problem(message="hunter22", hint="hunter22"),)
    error.hide([Secret("hunter22")])
    told = f"{error} {error.args} {error.hint} {error.problems}"
    assert "hunter22" not in told
    assert told.count(MASK) == 5


@pytest.mark.parametrize("quote", ["", "'", '"'])
def test_each_token_of_a_credential_is_one(quote: str) -> None:
    text = f"{quote}FlyV1 fm2_aaaaaaaa,fm2_bbbbbbbb{quote}\n"
    environ = {"FLY_API_TOKEN": text, "HOME": "/home/somebody"}
    known = own_credentials(environ)
    assert masked("got fm2_bbbbbbbb in /home/somebody", known) == f"got {MASK} in /home/somebody"


@pytest.mark.parametrize("word", ["emulator", "unreachable", "stand-in", "Emulated", "short1"])
def test_a_word_in_place_of_a_token_of_fly_is_none(word: str) -> None:
    text = f"no {word} is kept in this folder"
    assert masked(text, own_credentials({"FLY_API_TOKEN": word})) == text
    assert masked(text, own_credentials({"FLY_ACCESS_TOKEN": f"FlyV1 {word}"})) == text


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("FLY_API_TOKEN", "fo1_dummydummy"),
        ("FLY_API_TOKEN", "dummydummydummydummydummydummydummydummydum"),
        ("FLY_ACCESS_TOKEN", "Dummy0123"),
        ("AWS_SECRET_ACCESS_KEY", "minioadmin"),
        ("SCORE_FLYIO_STATE_TOKEN", "emulator"),
    ],
)
def test_what_may_be_a_credential_is_masked(name: str, value: str) -> None:
    assert masked(f"got {value}", own_credentials({name: value})) == f"got {MASK}"
