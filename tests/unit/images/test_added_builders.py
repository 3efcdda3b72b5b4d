"""Builders that installed packages bring."""

from __future__ import annotations

from importlib.metadata import EntryPoint, EntryPoints
from pathlib import Path

import httpx
import pytest

from score_flyio.base.secret import Secret
from score_flyio.errors import ConfigError, ImageError
from score_flyio.images.build import Build, BuildSettings, Tell, built, prepare
from score_flyio.images.builders.choose import (
    ENTRY_POINTS,
    BuilderContext,
    builder_names,
    choose_builder,
)
from score_flyio.images.logins import Logins
from score_flyio.images.reference import ImageReference


class Kaniko:
    name = "kaniko"

    async def build(self, build: Build, _tell: Tell, *, push: bool = True) -> str | None:
        if not push:
            return None
        secrets = [secret.reveal() for secret in build.settings.secrets.values()]
        raise ExceptionGroup("pushes", [ConnectionError(f"no way in with {secrets}"), OSError()])


async def kaniko(context: BuilderContext) -> Kaniko | None:
    return Kaniko() if "KANIKO" in context.environ else None


async def broken(context: BuilderContext) -> Kaniko:
    raise httpx.ConnectError(f"no route to {context.environ['KANIKO']}")


def offer(function: str, monkeypatch: pytest.MonkeyPatch) -> None:
    points = EntryPoints([EntryPoint("kaniko", f"{__name__}:{function}", ENTRY_POINTS)])
    monkeypatch.setattr("score_flyio.images.builders.choose.entry_points", points.select)


@pytest.fixture(params=["kaniko", "broken", "missing"])
def added(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    offer(request.param, monkeypatch)
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


async def test_what_a_builder_raises_is_told_as_the_failure_of_a_build(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    offer("kaniko", monkeypatch)
    (tmp_path / "Dockerfile").write_text("FROM scratch")
    secrets = {"login": Secret("sesame-open")}
    settings = BuildSettings(name="web", folder=tmp_path, secrets=secrets)
    build = await prepare(settings, ImageReference.parse("registry.fly.io/web:1"))
    builder = await choose_builder(context(KANIKO="here"), "kaniko")
    assert await built(builder, build, print, push=False, idle_timeout=0) is None
    with pytest.raises(ImageError) as raised:
        await built(builder, build, print, push=True, idle_timeout=0)
    said = "ConnectionError: no way in with ['********']; OSError"
    assert raised.value.message == f"web: builder 'kaniko' ({__name__}:kaniko): {said}"
    assert raised.value.code == "build_failed"
