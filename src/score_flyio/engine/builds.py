"""The images of one run that are built."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Final

import anyio

from score_flyio.base.record import define, evolve, field
from score_flyio.deploy.options import DeployOptions
from score_flyio.engine.images import Wanted
from score_flyio.engine.session import Session
from score_flyio.engine.target import FlyTarget, Target
from score_flyio.errors import ImageError, ImageNotFound, RegistryDenied, RegistryUnavailable
from score_flyio.events import BuildFinished, BuildOutput, BuildStarted, BuildStep, WarningRaised
from score_flyio.fly.builder import ensure_builder
from score_flyio.flytoml.spec import BuildSection
from score_flyio.images.build import (
    DOCKERFILES,
    Build,
    BuildSettings,
    Progress,
    built,
    content_tag,
    prepare,
)
from score_flyio.images.builders.choose import BuilderContext, choose_builder
from score_flyio.images.builders.fly import HOST_VARIABLE, FlyBuilder
from score_flyio.images.distribution import Registries
from score_flyio.images.logins import FLY_HOST_VARIABLE, Logins, fly_registry
from score_flyio.images.options import ImageOptions
from score_flyio.images.reference import ImageReference

BUILDS_AT_ONCE: Final = 4


@define(kw_only=True)
class Builds:
    """Builds the images of a run that are made from files. `prepare` comes first."""

    session: Session
    options: DeployOptions
    registries: Registries
    logins: Logins
    _builds: dict[str, Build] = field(factory=dict, init=False)
    """By app, what is to be built."""
    _turns: dict[str, anyio.Lock] = field(factory=lambda: defaultdict(anyio.Lock), init=False)
    """By content: the second of two equal builds finds the steps of the first in the cache."""
    _limiter: anyio.CapacityLimiter = field(
        factory=lambda: anyio.CapacityLimiter(BUILDS_AT_ONCE), init=False
    )

    async def expected(self, app: str) -> str:
        """The image as far as it is known without building anything."""
        known = await _known(self._builds[app])
        return await self._there(known) or str(known)

    async def ready(self, wanted: Wanted) -> str:
        """The image, built and pushed. Raises ImageError: that cannot be done."""
        build, options = self._builds[wanted.desired.name], self.options.images
        known = await _known(build)
        turn = anyio.Lock() if options.no_cache else self._turns[known.tag]
        async with turn, self._limiter:
            start = anyio.current_time()
            may_reuse = options.push and not options.no_cache
            image = await self._there(known) if may_reuse else None
            reused = image is not None
            image = image or await self._built(build, wanted, known.tag)
            seconds = anyio.current_time() - start
            done = BuildFinished(scope=wanted.scope, image=image, seconds=seconds, reused=reused)
            self.session.emit(done)
            return image

    async def prepare(self, wanted: Wanted) -> None:
        """Look at what it is built from. Raises InputError for that, and ImageError."""
        settings = build_settings(wanted, self.options)
        tag = self.options.images.tag or f"deployment-{self.session.new_id()}"
        host = fly_registry(self._environ)
        build = await prepare(
            settings, ImageReference(host=host, repository=wanted.desired.name, tag=tag)
        )
        target = self.session.target
        is_fly = isinstance(target, FlyTarget) and target.is_fly
        if self.options.images.push and not (is_fly or self._environ.get(FLY_HOST_VARIABLE)):
            raise build.failed(
                f"{target.name} has no registry to push the image to",
                hint=f"name one with {FLY_HOST_VARIABLE}, or give an image with --image",
                code="registry_missing",
            )
        self._builds[wanted.desired.name] = build

    async def _there(self, known: ImageReference) -> str | None:
        """The image that was built of the same files before, if the registry has it."""
        try:
            return str(known.at(await self.registries.resolve(known)))
        except (ImageNotFound, RegistryDenied, RegistryUnavailable):
            return None  # pushing shows what is wrong

    async def _built(self, build: Build, wanted: Wanted, content: str) -> str:
        emit, scope = self.session.emit, wanted.scope
        context = BuilderContext(environ=self._environ, logins=self.logins, fly=self._fly)
        builder = await choose_builder(context, self.options.images.builder)
        emit(BuildStarted(scope=scope, builder=builder.name, size=build.context.size))

        def tell(progress: Progress) -> None:
            kind = BuildStep if progress.step else BuildOutput
            emit(kind(scope=scope, text=progress.text, cached=progress.cached))

        push, idle = self.options.images.push, self.options.images.idle_timeout
        digest = await built(builder, build, tell, push=push, idle_timeout=idle)
        if not push:
            return str(build.image)
        if digest is None:
            raise build.failed("the builder does not report the digest of what it pushed")
        image = build.image.at(digest)
        try:
            await self._tag(image, content, build)
        except ImageNotFound:
            raise
        except ImageError as error:
            message = (
                f"{build.settings.name}: the next deploy builds its image anew: {error.message}"
            )
            emit(WarningRaised(scope=scope, message=message, code="image_not_tagged"))
        return str(image)

    async def _tag(self, image: ImageReference, content: str, build: Build) -> None:
        """Have it found again by what it was built of. Raises ImageError."""
        if await content_tag(build) != content:
            raise ImageError("files changed while it was built", code="context_changed")
        await self.registries.tag(image, content)

    @cached_property
    def _fly(self) -> FlyBuilder | None:
        """The organization's, where the target is Fly or something has its place."""
        target, session = self.session.target, self.session
        region = self.options.region or session.default_region
        if not builds_at_fly(target, self._environ):
            return None

        async def find() -> str:
            org = await session.organization.slug()
            new_id = session.new_id()
            return await ensure_builder(session.client.api, org, new_id=new_id, region=region)

        password = session.client.password
        return FlyBuilder(find=find, password=password, logins=self.logins, environ=self._environ)

    @property
    def _environ(self) -> Mapping[str, str]:
        return self.session.project.environ


def builds_at_fly(target: Target, environ: Mapping[str, str]) -> bool:
    """Whether the target is Fly, or something has the place of its builders."""
    return isinstance(target, FlyTarget) and (target.is_fly or bool(environ.get(HOST_VARIABLE)))


def build_settings(wanted: Wanted, options: DeployOptions) -> BuildSettings:
    """What the file says, then the options. Raises ImageError for what others have to build."""
    item, desired, chosen = wanted.item, wanted.desired, options.images
    section, label = desired.spec.build or BuildSection(), desired.label
    if kind := _built_by_others(item.build_folder, section, chosen):
        raise ImageError(
            f"{label}: images of {kind} cannot be built here",
            hint=f"run pack build {desired.name} --publish, then give the image with --image",
            code="build_unsupported",
        )
    if "://" in section.dockerfile:
        raise ImageError(
            f"{label}: build.dockerfile: {section.dockerfile} is not fetched from there",
            hint="download it, and name the file",
            code="build_unsupported",
        )
    base = item.build_base
    dockerfile, ignorefile = base / section.dockerfile, base / section.ignorefile
    if item.workload:  # files that it names need not be there
        named = dockerfile.name != DOCKERFILES[0] or dockerfile.exists()
        section = evolve(
            section,
            dockerfile="" if chosen.dockerfile or not named else section.dockerfile,
            ignorefile="" if chosen.ignorefile or not ignorefile.exists() else section.ignorefile,
        )
    return BuildSettings(
        name=label,
        folder=item.build_folder,
        dockerfile=dockerfile if section.dockerfile else _path(chosen.dockerfile),
        ignorefile=ignorefile if section.ignorefile else _path(chosen.ignorefile),
        target=section.build_target or chosen.target,
        args={**section.args, **chosen.args},
        labels=chosen.labels,
        secrets=chosen.secrets,
        no_cache=chosen.no_cache,
        compression="zstd" if section.compression == "zstd" else "",
        compression_level=section.compression_level,
    )


def _built_by_others(folder: Path, section: BuildSection, chosen: ImageOptions) -> str:
    """What builds the image in place of a Dockerfile; empty: nothing does.

    Of several, flyctl takes buildpacks first, then a Dockerfile that is named or there.
    """
    if section.builder:
        return "buildpacks"
    named = section.dockerfile or chosen.dockerfile
    there = any((folder / name).is_file() for name in DOCKERFILES)
    return "builtin" if section.builtin and not named and not there else ""


def _path(text: str) -> Path | None:
    return Path(text) if text else None


async def _known(build: Build) -> ImageReference:
    """The name that an image has for what it is built of."""
    return evolve(build.image, tag=await content_tag(build))
