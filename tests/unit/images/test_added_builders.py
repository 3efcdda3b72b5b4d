"""Builders that installed packages bring."""

from __future__ import annotations

from importlib.metadata import EntryPoint, EntryPoints

import httpx
import pytest

from score_flyio.errors import ConfigError, ImageError
from score_flyio.images.build import Build, Tell
from score_flyio.images.builders.choose import (
    ENTRY_POINTS,
    BuilderContext,
    builder_names,
    choose_builder,
)
from score_flyio.images.logins import Logins


class Kaniko:
    name = "kaniko"

    async def build(self, _build: Build, _tell: Tell, *, push: bool = True) -> str | None:
        raise NotImplementedError


async def kaniko(context: BuilderContext) -> Kaniko | None:
    return Kaniko() if "KANIKO" in context.environ else None


async def broken(context: BuilderContext) -> Kaniko:
    raise httpx.ConnectError(f"no route to {context.environ['KANIKO']}")


@pytest.fixture(params=["kaniko", "broken", "missing"])
def added(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    points = EntryPoints([EntryPoint("kaniko", f"{__name__}:{request.param}", ENTRY_POINTS)])
    monkeypatch.setattr("score_flyio.images.builders.choose.entry_points", points.select)
    return str(request.param)


def context(**environ: str) -> BuilderContext:
    found = {"PATH": "/nowhere", **environ}
    return BuilderContext(environ=found, logins=Logins(found))


SAYS = {
    "broken": "ConnectError: no route to here",
    "missing": f"AttributeError: module '{__name__}' has no attribute 'missing'",
}


async def test_a_builder_of_a_package(added: str) -> None:
    assert "kaniko" in builder_names()
    if added == "kaniko":
        assert (await choose_builder(context(KANIKO="here"), "kaniko")).name == "kaniko"
        with pytest.raises(ImageError, match="the builder kaniko is not there"):
            await choose_builder(context(), "kaniko")
        return
    with pytest.raises(ConfigError) as raised:
        await choose_builder(context(KANIKO="here"), "kaniko")
    where = f"builder 'kaniko' ({__name__}:{added}) cannot be loaded"
    assert raised.value.message == f"{where}: {SAYS[added]}"
