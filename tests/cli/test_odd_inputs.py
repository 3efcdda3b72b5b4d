"""What is named as a file is one: a pipe, a device or a giant is refused by every option that reads."""

from __future__ import annotations

import io
import os
from collections.abc import Iterator

import pytest

from tests.cli.conftest import Cli
from tests.cli.platform import FLY_TOML, WEB, Platform, platform, project, use

READS = (
    "generate {odd}.yaml",
    "generate score.yaml --overrides-file {odd}.yaml",
    "deploy --config {odd}.toml --yes",
    "deploy {odd}.plan",
    "deploy --config fly.toml --file-local /etc/x={odd} --yes",
    "config validate --config {odd}.toml",
    "init --provisioners {odd}.provisioners.yaml",
    "state push {odd} --yes",
    "certs add web a.example.com --fullchain {odd} --private-key key.pem",
    "certs add web a.example.com --fullchain key.pem --private-key {odd}",
)


@pytest.fixture(scope="module")
def served() -> Iterator[Platform]:
    with platform() as running:
        yield running


@pytest.mark.timeout(60)
@pytest.mark.parametrize("line", READS)
def test_only_regular_files_of_a_bearable_size_are_read(
    cli: Cli, served: Platform, line: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    use(cli, served)
    project(cli, {"score.yaml": WEB, "fly.toml": FLY_TOML, "key.pem": "no key"})
    endings = ("", ".yaml", ".toml", ".plan", ".provisioners.yaml")
    for ending in endings:
        os.mkfifo(cli.directory / f"pipe{ending}")
        (cli.directory / f"device{ending}").symlink_to("/dev/zero")
        with (cli.directory / f"large{ending}").open("wb") as file:
            file.truncate(3 * 1024 * 1024)
    monkeypatch.setenv("SCORE_FLYIO_LARGEST_FILE", "2")
    for odd, why in (
        ("pipe", "not a regular file"),
        ("device", "not a regular file"),
        ("large", "larger than 2 MiB; SCORE_FLYIO_LARGEST_FILE"),
    ):
        result = cli(*line.format(odd=odd).split())
        assert result.exit_code in {1, 2}, result.stderr
        assert why.lower() in result.stderr.lower(), result.stderr
        assert odd in result.stderr


@pytest.mark.parametrize(
    ("line", "content"),
    [
        ("generate {pipe}", WEB),
        ("generate score.yaml --overrides-file {pipe}", ""),
        ("deploy {pipe} --yes", WEB),
        ("deploy --config {pipe} --yes", FLY_TOML),
        ("plan --config {pipe}", FLY_TOML),
    ],
)
def test_what_a_shell_hands_over_is_read(
    cli: Cli, served: Platform, line: str, content: str
) -> None:
    """As in `generate <(envsubst < score.yaml)`; a pipe gives what it has only once."""
    use(cli, served)
    project(cli, {"score.yaml": WEB})
    ours, theirs = os.pipe()
    try:
        with os.fdopen(theirs, "w") as writing:
            writing.write(content)
        result = cli(*line.format(pipe=f"/dev/fd/{ours}").split())
    finally:
        os.close(ours)
    assert result.exit_code == 0, result.stderr


@pytest.mark.parametrize(
    ("line", "name"),
    [
        ("secrets import -a none", "stdin"),
        ("state push - --yes", "stdin"),
        ("init --provisioners -", "stdin"),
        ("builtin-provisioners postgres provision", "stdin"),
        ("state push odd.bin --yes", "odd.bin"),
        ("certs add -a none a.example.com --fullchain odd.bin --private-key odd.bin", "odd.bin"),
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "ascii"])
def test_what_is_not_utf_8_is_refused_with_its_place_and_without_its_text(
    cli: Cli, served: Platform, line: str, name: str, encoding: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    use(cli, served)
    project(cli)
    text = b"A=1\nNAME=swordfish\xe9\n"
    (cli.directory / "odd.bin").write_bytes(text)
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(text), encoding=encoding))
    result = cli(*line.split())
    assert result.exit_code == 2
    assert f"{name}:2: byte 15 of this line is no part of UTF-8 text" in result.stderr
    assert "swordfish" not in result.stderr


def test_stdin_is_utf_8_whatever_the_locale_is(
    cli: Cli, served: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    use(cli, served)
    project(cli, {"web.yaml": WEB})
    assert cli("deploy", "web.yaml", "--detach").exit_code == 0
    given = io.BytesIO("\ufeffA=1".encode())
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(given, encoding="latin-1"))
    assert "byte order mark" in cli("secrets", "import", "web", "--stage").stderr
    assert cli("destroy", "--yes").exit_code == 0
