"""Stores that installed packages bring; docs/extending.md has one that works."""

from __future__ import annotations

from importlib.metadata import EntryPoint, EntryPoints
from pathlib import Path

import pytest

from score_flyio import StateStore
from score_flyio.errors import ConfigError, StateLocked
from score_flyio.state.locate import ENTRY_POINTS, open_store

NO_DRIVER = "ModuleNotFoundError: no driver for table://a"


def without_driver(url: str) -> StateStore:
    raise ModuleNotFoundError(f"no driver for {url}")


def held(url: str) -> StateStore:
    raise StateLocked(f"{url} is held")


@pytest.mark.parametrize(
    ("function", "kind", "says"),
    [
        (
            "without_driver",
            ConfigError,
            f"state store 'table' ({__name__}:without_driver) cannot be loaded: {NO_DRIVER}",
        ),
        ("held", StateLocked, "table://a is held"),
    ],
)
def test_a_store_that_cannot_be_opened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, function: str, kind: type[Exception], says: str
) -> None:
    points = EntryPoints([EntryPoint("table", f"{__name__}:{function}", ENTRY_POINTS)])
    monkeypatch.setattr("importlib.metadata.entry_points", points.select)
    with pytest.raises(kind) as raised:
        open_store("table://a", tmp_path)
    assert str(raised.value) == says
