"""What the package promises is there."""

from __future__ import annotations

import importlib
import tomllib

import pytest

import score_flyio
from tests.meta.source import ROOT

PUBLIC: list[str] = vars(score_flyio)["__all__"]


@pytest.mark.parametrize("name", PUBLIC)
def test_every_public_name_resolves_and_is_documented(name: str) -> None:
    value = getattr(score_flyio, name)
    if isinstance(value, type):
        assert value.__doc__


def test_public_names_are_sorted_once_and_listed() -> None:
    assert sorted(set(PUBLIC)) == PUBLIC
    assert set(PUBLIC) <= set(dir(score_flyio))


def test_no_other_name_is_promised() -> None:
    with pytest.raises(AttributeError, match="has no attribute 'Nothing'"):
        _ = score_flyio.Nothing  # type: ignore[attr-defined]


@pytest.mark.parametrize("name", ["errors", "events", "score", "testing"])
def test_public_submodules_are_there(name: str) -> None:
    assert importlib.import_module(f"score_flyio.{name}").__doc__


def test_the_version_is_that_of_the_project() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert score_flyio.__version__ == project["version"]
