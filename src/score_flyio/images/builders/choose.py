"""Which builder builds: the one that was asked for, else the first that is there."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from importlib.metadata import EntryPoint, entry_points
from shutil import which
from typing import Final, Literal

from score_flyio.base.record import frozen
from score_flyio.errors import ConfigError, ImageError
from score_flyio.errors.packages import loading, named, raising
from score_flyio.images.build import Build, Builder, Tell
from score_flyio.images.builders.address import CONTEXT_CODE, find_daemon
from score_flyio.images.builders.docker import DockerBuilder
from score_flyio.images.builders.fly import FlyBuilder
from score_flyio.images.builders.programs import BuildahBuilder, BuildctlBuilder
from score_flyio.images.logins import Logins

AUTO: Final = "auto"
LOCAL: Final = "local"
"""As `auto`, but never at Fly."""
FLY: Final = "fly"
ENTRY_POINTS: Final = "score_flyio.builders"
"""Group of the entry points that add builders: a function of `BuilderContext`."""


@frozen(kw_only=True)
class BuilderContext:
    """What a builder is made from."""

    environ: Mapping[str, str]
    logins: Logins
    fly: FlyBuilder | None = None
    """None where the target has none."""


Make = Callable[[BuilderContext], Awaitable[Builder | None]]
"""Makes a builder, or None where it is not there."""


@frozen(kw_only=True)
class AddedBuilder:
    """A builder of a package: what its code raises is the failure of the build."""

    point: EntryPoint
    builder: Builder

    @property
    def name(self) -> str:
        return self.point.name

    async def build(self, build: Build, tell: Tell, *, push: bool = True) -> str | None:
        with raising(lambda why: build.failed(f"{named('builder', self.point)}: {why}")):
            return await self.builder.build(build, tell, push=push)


async def _docker(context: BuilderContext) -> Builder | None:
    address = find_daemon(context.environ)
    found = address and DockerBuilder(address=address, logins=context.logins)
    return found if found and await found.is_there() else None


async def _buildah(name: Literal["buildah", "podman"], context: BuilderContext) -> Builder | None:
    program = which(name, path=context.environ.get("PATH"))
    if program is None:
        return None
    return BuildahBuilder(
        name=name, program=program, logins=context.logins, environ=context.environ
    )


async def _buildkit(context: BuilderContext) -> Builder | None:
    program = which("buildctl", path=context.environ.get("PATH"))
    if program is None or not context.environ.get("BUILDKIT_HOST"):
        return None
    return BuildctlBuilder(program=program, logins=context.logins, environ=context.environ)


async def _fly(context: BuilderContext) -> Builder | None:
    return context.fly


_BUILT_IN: Final[Mapping[str, tuple[Make, str]]] = {
    "docker": (
        _docker,
        "a Docker daemon that answers, at DOCKER_HOST or its usual socket, or of a context",
    ),
    "buildah": (partial(_buildah, "buildah"), "the program buildah on PATH"),
    "podman": (partial(_buildah, "podman"), "the program podman on PATH"),
    "buildkit": (_buildkit, "the program buildctl on PATH, and BUILDKIT_HOST"),
    FLY: (_fly, "Fly for a target"),
}
"""With what each needs, in the order in which they are tried; those of packages before Fly's."""


def builder_names() -> tuple[str, ...]:
    """What `--builder` takes, beside `auto`."""
    here = tuple(name for name in _BUILT_IN if name != FLY)
    return (*here, *(name for name in _added() if name not in _BUILT_IN), FLY)


async def choose_builder(context: BuilderContext, name: str = AUTO) -> Builder:
    """The builder of that name; of `auto` and `local`, the first that is there.

    Raises ConfigError for an unknown name, or Docker's settings, and ImageError where it is not
    there, or none is.
    """
    names = builder_names()
    several = {AUTO: names, LOCAL: names[:-1]}
    if name not in {*several, *names}:
        raise ConfigError(
            f"--builder: {name!r} is not a builder",
            hint=f"use one of {', '.join((AUTO, LOCAL, *names))}",
            code="builder_unknown",
        )
    unusable: ConfigError | None = None
    for key in several.get(name, (name,)):
        found = await _made(key, context)
        if isinstance(found, ConfigError):
            unusable = found
        elif found is not None:
            return found
    if unusable is not None:
        raise unusable
    needed = "; ".join(_BUILT_IN[key][1] for key in several.get(name, (name,)) if key in _BUILT_IN)
    if name not in several:
        raise ImageError(
            f"the builder {name} is not there",
            hint=f"it needs {needed or 'what its package says'}",
            code="builder_unavailable",
        )
    raise ImageError(
        "there is nothing to build images with",
        hint=f"have one of these: {needed}",
        code="builder_unavailable",
    )


async def builders_there(context: BuilderContext) -> dict[str, ConfigError | None]:
    """All builders that `auto` may mean, in its order; Docker's with what keeps it from use.

    Raises ConfigError: Docker's settings keep `auto` from using any.
    """
    found = {name: await _made(name, context) for name in builder_names()}
    return {
        name: made if isinstance(made, ConfigError) else None
        for name, made in found.items()
        if made is not None
    }


async def _made(name: str, context: BuilderContext) -> Builder | ConfigError | None:
    """A builder, why it cannot be used while others can, or nothing where it is not there."""
    try:
        if name in _BUILT_IN:
            return await _BUILT_IN[name][0](context)
        with loading("builder", point := _added()[name]):
            added: Make = point.load()
            builder = await added(context)
        return builder and AddedBuilder(point=point, builder=builder)
    except ConfigError as error:
        # Docker's settings may be those of another computer, as in a container.
        if error.code != CONTEXT_CODE:
            raise
        return error


def _added() -> dict[str, EntryPoint]:
    return {entry.name: entry for entry in entry_points(group=ENTRY_POINTS)}
