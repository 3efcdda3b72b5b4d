"""Tokens: where they come from and the headers they make."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from score_flyio.errors import ConfigError
from score_flyio.fly.auth import Tokens, find_tokens


@pytest.mark.parametrize(
    ("text", "header", "graphql", "password"),
    [
        ("abc", "Bearer abc", "Bearer abc", "abc"),
        ("Bearer abc", "Bearer abc", "Bearer abc", "abc"),
        ("bearer abc", "Bearer abc", "Bearer abc", "abc"),
        ("FlyV1 fm2_a", "FlyV1 fm2_a", "FlyV1 fm2_a", "fm2_a"),
        ("fm1r_a, fm1a_b", "FlyV1 fm1r_a,fm1a_b", "FlyV1 fm1r_a,fm1a_b", "fm1r_a,fm1a_b"),
        (" FlyV1 fm2_a , oauth ,, ", "FlyV1 fm2_a", "FlyV1 fm2_a,oauth", "fm2_a"),
        ("FlyV1 FlyV1 fm2_a", "FlyV1 fm2_a", "FlyV1 fm2_a", "fm2_a"),
        ('"FlyV1 fm2_a,oauth"', "FlyV1 fm2_a", "FlyV1 fm2_a,oauth", "fm2_a"),
        ("'FlyV1 \"fm2_a\"'", "FlyV1 fm2_a", "FlyV1 fm2_a", "fm2_a"),
        ("FlyV1\nfm2_ab\n  cd\r\nef\n", "FlyV1 fm2_abcdef", "FlyV1 fm2_abcdef", "fm2_abcdef"),
        (
            "fm2_a\r\nb\n fm2_c\n'FlyV1 fm2_d'\n",
            *["FlyV1 fm2_ab,fm2_c,fm2_d"] * 2,
            "fm2_ab,fm2_c,fm2_d",
        ),
        ("FlyV1 fm2_a\nBearer oauth", "FlyV1 fm2_a", "FlyV1 fm2_a,oauth", "fm2_a"),
        ("FlyV1 fm2_a,FlyV1 fm2_b", "FlyV1 fm2_a,fm2_b", "FlyV1 fm2_a,fm2_b", "fm2_a,fm2_b"),
    ],
)
def test_forms(text: str, header: str, graphql: str, password: str) -> None:
    tokens = Tokens.parse(text)
    assert tokens.authorization.reveal() == header
    assert tokens.graphql_authorization().reveal() == graphql
    assert tokens.password().reveal() == password


def login(folder: Path, text: str) -> Path:
    path = folder / ".fly"
    path.mkdir()
    (path / "config.yml").write_text(text, encoding="utf-8")
    return path


def test_the_first_source_wins(tmp_path: Path) -> None:
    folder = login(tmp_path, "access_token: from-login\n")
    both = {"FLY_API_TOKEN": "one", "FLY_ACCESS_TOKEN": "two"}
    assert find_tokens({**both, "HOME": str(tmp_path)}).source == "FLY_ACCESS_TOKEN"
    second = find_tokens({**both, "FLY_ACCESS_TOKEN": " ", "HOME": str(tmp_path)})
    assert second.password().reveal() == "one"
    found = find_tokens({"HOME": str(tmp_path)})
    assert found.password().reveal() == "from-login"
    assert find_tokens({"HOME": str(tmp_path)}) == found
    assert find_tokens({"FLY_CONFIG_DIR": str(folder)}) == found


@pytest.mark.parametrize(
    "content", ["", "other: 1\n", "- a\n", "access_token: ''\n", "access_token: 3\n"]
)
def test_without_a_token_the_error_says_both_ways_out(tmp_path: Path, content: str) -> None:
    login(tmp_path, content)
    with pytest.raises(ConfigError) as caught:
        find_tokens({"HOME": str(tmp_path)})
    assert "FLY_API_TOKEN" in (caught.value.hint or "")
    assert "--emulate" in (caught.value.hint or "")


def test_a_missing_login_file_and_home_are_no_error_of_their_own(tmp_path: Path) -> None:
    for environ in ({}, {"HOME": str(tmp_path / "nowhere")}):
        with pytest.raises(ConfigError, match="no Fly token"):
            find_tokens(environ)


def test_a_login_file_that_is_a_pipe_is_refused(tmp_path: Path) -> None:
    login(tmp_path, "")
    os.mkfifo(tmp_path / ".fly" / "pipe")
    (tmp_path / ".fly" / "pipe").replace(tmp_path / ".fly" / "config.yml")
    with pytest.raises(ConfigError, match=r"config\.yml: .*it is not a regular file"):
        find_tokens({"HOME": str(tmp_path)})


def test_a_broken_login_file_is_named_without_its_content(tmp_path: Path) -> None:
    login(tmp_path, "access_token: {hunter2\n")
    with pytest.raises(ConfigError) as caught:
        find_tokens({"HOME": str(tmp_path)})
    assert "config.yml" in str(caught.value)
    assert "hunter2" not in str(caught.value)
    assert caught.value.__cause__ is None


def test_an_empty_token_string_is_refused() -> None:
    with pytest.raises(ConfigError):
        find_tokens({"FLY_API_TOKEN": "Bearer"})


def test_tokens_never_show() -> None:
    tokens = Tokens.parse("FlyV1 fm2_hunter2,hunter3")
    shown = f"{tokens!r} {tokens} {tokens.authorization!r} {tokens.authorization}"
    assert "hunter" not in shown


@pytest.mark.parametrize(
    "text", ["FlyV1 fm2_hunter\u00e92", "hunter 2", "fm2_hunter\u200b2", "hunter\x002"]
)
def test_what_no_token_has_is_refused_without_showing_it(text: str) -> None:
    with pytest.raises(ConfigError) as caught:
        Tokens.parse(text, source="FLY_API_TOKEN")
    assert "FLY_API_TOKEN" in str(caught.value)
    assert "hunter" not in repr(caught.value)
