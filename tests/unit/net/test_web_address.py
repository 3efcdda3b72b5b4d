"""Addresses: one rule for all of them, and nothing shown that may be secret."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from score_flyio.base.secret import Secret
from score_flyio.errors import ConfigError
from score_flyio.net.credentials import credential
from score_flyio.net.web_address import is_loopback, read_web_address, shown_url

MARK = "MARKEDvalue"


def refused(text: str) -> str:
    with pytest.raises(ConfigError) as caught:
        read_web_address(text, name="--state", example="https://a.example", code="c")
    return f"{caught.value.message} {caught.value.hint}"


@pytest.mark.parametrize(
    "text",
    [
        f"ftp://u:{MARK}@host/x",
        f"https://u:{MARK}@",
        f"https://host:99999/?key={MARK}",
        f"https://host:port/?key={MARK}",
        f"https://ho st/?key={MARK}",
        f"//u:{MARK}@host",
        f"u:{MARK}@host",
        f"https://[::1/?key={MARK}#{MARK}",
        f"https://a\nb/?{MARK}",
        f"https://u:{MARK}@host/%zz?{MARK}",
    ],
)
def test_what_is_wrong_shows_no_secret(text: str) -> None:
    assert MARK not in refused(text)
    assert "--state" in refused(text)


@pytest.mark.parametrize("path", ["%zz", "100%", "a%2/b", "%"])
def test_a_percent_sign_that_begins_nothing_is_refused(path: str) -> None:
    assert "stands for no character" in refused(f"https://host/{path}")
    written = f"https://host/{path.replace('%', '%25')}?part=100%"
    assert read_web_address(written, name="x", example="y", code="c").url == written


def test_user_password_and_query_are_kept_apart() -> None:
    text = f"HTTPS://User:{MARK}@Host.Example:8443/a/b?key={MARK}#f"
    address = read_web_address(text, name="x", example="y", code="c")
    assert address.url == f"https://host.example:8443/a/b?key={MARK}"
    assert address.shown == "https://host.example:8443/a/b"
    assert (address.user, address.password, address.parts.hostname) == (
        "User",
        MARK,
        "host.example",
    )
    assert address.encrypted


@given(st.text(), st.text(), st.text())
def test_no_text_shows_what_follows_a_query_or_stands_before_the_host(
    before: str, host: str, query: str
) -> None:
    shown = shown_url(f"https://{before}{MARK}@{host}?{query}{MARK}")
    assert MARK not in shown
    assert shown.isprintable()


@pytest.mark.parametrize(
    ("host", "expected"),
    [("127.0.0.1", True), ("::1", True), ("LOCALHOST", True), ("localhost.example", False), ("10.0.0.1", False), (None, False)],
)  # fmt: skip
def test_this_machine(host: str | None, expected: bool) -> None:
    assert is_loopback(host) is expected


@pytest.mark.parametrize("text", [f"{MARK}\n", f" {MARK}\r\n", f"\t{MARK}"])
def test_space_around_a_credential_does_not_count(text: str) -> None:
    found = credential({"X_TOKEN": text}, "X_TOKEN")
    assert found == Secret(MARK)


@pytest.mark.parametrize("text", ["", "  ", "\n"])
def test_an_empty_credential_is_none(text: str) -> None:
    assert credential({"X_TOKEN": text}, "X_TOKEN") is None


@pytest.mark.parametrize(
    "text",
    [f"{MARK}\n{MARK}", f"{MARK} {MARK}", f"{MARK}é", f"{MARK}\x1b[2J", f"{MARK}\x00"],
)
def test_what_no_header_can_carry_is_refused_without_showing_it(text: str) -> None:
    with pytest.raises(ConfigError, match="X_TOKEN") as caught:
        credential({"X_TOKEN": text}, "X_TOKEN")
    assert MARK not in f"{caught.value.message}{caught.value.hint}{caught.value!r}"
