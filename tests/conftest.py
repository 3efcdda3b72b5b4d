"""Options and fixtures of the whole test suite."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import settings

settings.register_profile("patient", settings(), deadline=None)  # computers may be busy
settings.load_profile("patient")


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


def corpus(config: pytest.Config, default: Path, *marks: str) -> Path:
    """The folder of recorded cases to run: the project's own, unless `--corpus DIR` is given.

    `marks` are patterns of what lies in a folder of the wanted kind. The first such folder in DIR,
    or up to three levels below it, is taken, so that one DIR may hold cases of several kinds. Where
    it holds none of this kind, the result is a folder that does not exist.
    """
    given = config.getoption("--corpus")
    if not given:
        return default
    root = Path(given)
    for depth in range(4):
        folders = sorted(root.glob("/".join(["*"] * depth))) if depth else [root]
        for folder in folders:
            if folder.is_dir() and any(next(folder.glob(mark), None) for mark in marks):
                return folder
    return root / "none of this kind"
