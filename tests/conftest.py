"""Options and fixtures of the whole test suite."""

from __future__ import annotations

from pathlib import Path

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--corpus",
        metavar="DIR",
        default=None,
        help="run the recorded cases of this folder instead of the project's own",
    )


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def corpus(config: pytest.Config, default: Path) -> Path:
    """The folder of recorded cases to run: `--corpus DIR`, else the project's own."""
    given = config.getoption("--corpus")
    return Path(given) if given else default
