"""Durations, sizes and command lines as fly.toml spells them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from score_flyio.flytoml.values import Duration, memory_mib, split_command, volume_gb


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("0", "0s"),
        ("0s", "0s"),
        ("90s", "1m30s"),
        ("1h15m", "1h15m0s"),
        ("1h0.5s", "1h0m0.5s"),
        ("1.5s", "1.5s"),
        (".5h", "30m0s"),
        ("1.h", "1h0m0s"),
        ("1500us", "1.5ms"),
        ("15µs", "15µs"),
        ("15μs", "15µs"),
        ("7ns", "7ns"),
        ("-90s", "-1m30s"),
        ("+2m", "2m0s"),
        ("36h", "36h0m0s"),
    ],
)
def test_duration_in_go_notation(text: str, written: str) -> None:
    assert Duration.parse(text).text() == written


@pytest.mark.parametrize(
    "text", ["", "5", "10 s", "1d", "fast", "s", ".s", "1m 30s", "-", "3000000h", "1.2.3s", "٣s"]
)
def test_duration_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not a duration"):
        Duration.parse(text)


@given(st.integers(-(2**63), 2**63 - 1))
def test_duration_text_is_exact(nanoseconds: int) -> None:
    assert Duration.parse(Duration(nanoseconds).text()) == Duration(nanoseconds)


def test_duration_in_seconds() -> None:
    assert Duration.of_seconds(1.5).nanoseconds == 1_500_000_000
    assert Duration.parse("90s").seconds == 90


@pytest.mark.parametrize(
    ("text", "gb"),
    [
        ("30", 30),
        ("-3", -3),
        ("1gb", 1),
        ("1 GB", 1),
        ("1500mb", 1),
        ("999mb", 0),
        ("2tib", 2000),
        ("1.5", 0),
        ("2500000000b", 2),
        ("+5", 5),
        ("1_500mb", 1),
        ("1_000", 0),
        ("5.gb", 5),
        ("1e3gb", 1000),
        ("-0gb", 0),
        ("9223372036854775807", 2**63 - 1),
        ("9223372036854775808", -9223372036),
        ("1e30gb", -9223372036),
    ],
)
def test_volume_size(text: str, gb: int) -> None:
    assert volume_gb(text) == gb


@pytest.mark.parametrize(
    ("text", "mib"),
    [
        ("512", 512),
        ("512mb", 512),
        ("0.25gb", 256),
        ("1000000kb", 976),
        ("2G", 2048),
        ("1 GiB", 1024),
        ("1.5", 0),
        (".5k", 0),
    ],
)
def test_memory_size(text: str, mib: int) -> None:
    assert memory_mib(text) == mib


@pytest.mark.parametrize(
    "text",
    [
        "1e400gb",
        "-9223372036854775809",
        "1__0gb",
        "",
        "a lot",
        "-1gb",
        "1  gb",
        "1gbb",
        "1xb",
        "gb",
        "1,5gb",
        " 1gb",
    ],
)
def test_size_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not a size"):
        volume_gb(text)


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("", []),
        (" \t\r\n", []),
        ("# nothing", []),
        ("run # a comment\n now", ["run", "now"]),
        ("run#1 ''#2", ["run#1", "#2"]),
        ("a'b c'\"d\"", ["ab cd"]),
        ("'' \"\"", ["", ""]),
        (r'"a\nb"', ["anb"]),
        (r"'a\nb'", [r"a\nb"]),
        (r"a\ b \# c", ["a b", "#", "c"]),
        ("a && b | c > $HOME/* `d`", ["a", "&&", "b", "|", "c", ">", "$HOME/*", "`d`"]),
    ],
)
def test_command_words(line: str, words: list[str]) -> None:
    assert split_command(line) == words


@pytest.mark.parametrize("line", ["'open", 'a "open', "a\\", '"a\\'])
def test_command_refused(line: str) -> None:
    with pytest.raises(ValueError, match=r"not closed|backslash"):
        split_command(line)
