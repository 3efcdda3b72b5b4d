"""What is named as a file is one: a pipe, a device or a giant is refused by every option that reads."""

from __future__ import annotations

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
