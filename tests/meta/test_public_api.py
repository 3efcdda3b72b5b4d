"""What the package promises is there."""

from __future__ import annotations

import builtins
import collections.abc
import importlib
import re
import tomllib
import types
import typing
from typing import Any

import pytest

import score_flyio
from score_flyio import errors
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


TYPES = {
    name
    for name in (*dir(builtins), *dir(collections.abc), *dir(types), *dir(typing))
    if name[0].isupper()
}
BY_SHAPE = {"Ask", "Before"}
"""A function fits them whether it names them or not."""


@pytest.mark.parametrize("name", ["Engine", "FlyTarget", "Report", "AppReport", "Run"])
def test_whoever_uses_a_class_can_name_what_it_takes_and_gives(name: str) -> None:
    kind = getattr(score_flyio, name)
    members = {each: value for each, value in vars(kind).items() if each[0] != "_"}
    if name != "Run":  # which only an engine makes
        members["__init__"] = kind.__init__
    said = [text for each in (kind, *members.values()) for text in said_of(each)]
    named = {word for text in said for word in re.findall(r"(?<![.\w])[A-Z]\w+", text)}
    assert named - set(PUBLIC) - set(vars(errors)["__all__"]) - TYPES - BY_SHAPE == set()


def said_of(value: Any) -> list[str]:
    function = getattr(value, "fget", getattr(value, "__func__", value))
    found = getattr(function, "__annotations__", {})
    return [str(text) for each, text in found.items() if each[0] != "_"]


def test_the_version_is_that_of_the_project() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert score_flyio.__version__ == project["version"]
