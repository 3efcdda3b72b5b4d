"""The images of one run: built, or resolved to their digests, while other work goes on."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Final, Self
from urllib.parse import urlsplit

import anyio
from attrs import define, evolve, field, frozen

from score_flyio.base.record import Record
from score_flyio.deploy.desired.images import named_images, needs_image
from score_flyio.deploy.execution.context import app_scope
from score_flyio.deploy.model import DesiredApp
from score_flyio.deploy.options import DeployOptions
from score_flyio.engine.inputs import Input
from score_flyio.engine.pipeline import Outline
from score_flyio.engine.refusal import with_resources
from score_flyio.engine.session import Session
from score_flyio.engine.target import EMULATOR_URL, EmulatorTarget, FlyTarget, Target
from score_flyio.errors import (
    ImageError,
    ImageNotFound,
    InputError,
    RegistryDenied,
    RegistryUnavailable,
    ScoreFlyError,
)
from score_flyio.events import (
    BuildFinished,
    BuildOutput,
    BuildStarted,
    BuildStep,
    ImageResolved,
    Scope,
    WarningRaised,
)
from score_flyio.fly.builder import ensure_builder
from score_flyio.flytoml.spec import AppSpec, BuildSection
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
from score_flyio.images.builders.fly import HOST_VARIABLE, RemoteBuilder
from score_flyio.images.logins import FLY_HOST_VARIABLE, Logins, fly_registry
from score_flyio.images.options import ImageOptions
from score_flyio.images.reference import ImageReference
from score_flyio.images.registry import Registries
from score_flyio.images.resolve import Resolved, resolve_images

BUILDS_AT_ONCE: Final = 4


@frozen(kw_only=True, eq=False, repr=False)
class Wanted(Record):
    """The image that an app is to run."""

    app: str
    label: str
    spec: AppSpec
    own: str = ""
    """The image that the app is given; empty where it is given none."""
    is_built: bool = False
    """Whether it is made from files, which takes a while."""
    others: Mapping[str, str] = field(factory=dict)
    """The images that its parts name by themselves, each with its place."""
    folder: Path
    """The build context of an image that is built."""
    base: Path
    """Where the paths in the spec start."""
    converted: bool = False
    """Whether the spec was made from Score: then files that it names need not be there."""

    @property
    def scope(self) -> Scope:
        """What events about it are about."""
        return app_scope(self.app, self.label)

    @property
    def named(self) -> Mapping[str, str]:
        """All images that it names, each with how messages begin."""
        # Of a workload, the machine config is what its containers were converted to.
        cut = "machine_config." if self.converted else ""
        places = {
            image: f"{self.label}: {place.removeprefix(cut)}"
            for image, place in self.others.items()
        }
        return {**places, **({self.own: self.label} if self.own else {})}


@define(kw_only=True)
class Images:
    """Gives each app the name of its image, with the digest where that is known.

    A context manager; registries are asked within. `checked` comes first.
    """

    session: Session
    options: DeployOptions
    _registries: Registries = field(init=False)
    _mirror: Registries | None = field(default=None, init=False)
    """What is asked in place of registries, where the target has images of its own."""
    _wanted: dict[str, Wanted] = field(factory=dict, init=False)
    """By app."""
    _builds: dict[str, Build] = field(factory=dict, init=False)
    """By app, what is to be built."""
    _resolved: dict[str, Mapping[str, str]] = field(factory=dict, init=False)
    """By app, the images that it names, by digest where that is known."""
    _limiter: anyio.CapacityLimiter = field(init=False)
    _remote: RemoteBuilder | None = field(default=None, init=False)

    async def __aenter__(self) -> Self:
        self._registries = Registries(self._logins)
        self._mirror = self._target_registry()
        self._limiter = anyio.CapacityLimiter(BUILDS_AT_ONCE)
        self._remote = self._fly_builder()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        for registries in (self._registries, self._mirror):
            if registries is not None:
                await registries.__aexit__(kind, error, traceback)

    async def checked(self, found: Outline) -> Outline:
        """The apps of a run without those that are certain to fail for want of an image.

        All images are resolved at the same time, and all files to build from are looked for.
        """
        failed: dict[str, ScoreFlyError] = {}
        asked: dict[str, ImageReference] = {}
        wanted = self._wanted
        for app, item in found.inputs.items():
            try:
                wanted[app] = wanted_image(item, found.apps[app], self.options)
                asked |= self._asked(wanted[app])
            except InputError as error:
                failed[app] = error
        resolved = await resolve_images(asked, self._ask)
        for note in resolved.notes:
            self.session.emit(WarningRaised(message=note, code="image_not_resolved"))

        async def one(app: str) -> None:
            try:
                await self._check(wanted[app], resolved)
            except ScoreFlyError as error:
                failed[app] = error

        async with anyio.create_task_group() as tasks:
            for app in wanted.keys() - failed:
                tasks.start_soon(one, app)
        return found.without(
            {
                app: with_resources(failed[app], item, found.around)
                for app, item in found.inputs.items()
                if app in failed
            }
        )

    async def _check(self, wanted: Wanted, resolved: Resolved) -> None:
        """Note what the app is to run.

        Raises:
            InputError: the Dockerfile or what belongs to it is wrong.
            ImageError: the image is not there, or cannot be built here.
        """
        meant: dict[str, str] = {}
        for name, place in wanted.named.items():
            if error := resolved.missing.get(name):
                raise _about(place, error) from error
            meant[name] = resolved.images.get(name, name)
            if meant[name] != name:
                self.session.emit(ImageResolved(scope=wanted.scope, image=meant[name]))
        self._resolved[wanted.app] = meant
        if wanted.is_built:
            self._builds[wanted.app] = await self._prepared(wanted)

    def meant(self, app: str) -> Mapping[str, str]:
        """The images that an app names, by digest where that is known."""
        return self._resolved[app]

    def is_built(self, app: str) -> bool:
        """Whether its image is made from files, which takes a while."""
        return app in self._builds

    async def expected(self, app: str) -> str:
        """The image as far as it is known without building anything."""
        build = self._builds.get(app)
        if build is None:
            return self._named(app)
        return await self._there(build) or str(await _known(build))

    async def ready(self, app: str) -> str:
        """The image, built and pushed where it has to be; empty where none is needed.

        Raises:
            ImageError: it cannot be built or pushed.
        """
        build, wanted = self._builds.get(app), self._wanted[app]
        if build is None:
            return self._named(app)
        async with self._limiter:
            start = anyio.current_time()
            image = await self._there(build) if self._may_reuse else None
            reused = image is not None
            image = image or await self._built(build, wanted)
            seconds = anyio.current_time() - start
            done = BuildFinished(scope=wanted.scope, image=image, seconds=seconds, reused=reused)
            self.session.emit(done)
            return image

    def _named(self, app: str) -> str:
        return self._resolved[app].get(self._wanted[app].own, "")

    def _asked(self, wanted: Wanted) -> Mapping[str, ImageReference]:
        """Those that somebody can be asked for. Raises InputError for no image."""
        named = wanted.named if self.options.images.resolve else {}
        found = {name: _reference(name, place) for name, place in named.items()}
        everything = self._mirror is not None or not self._has_own_images
        return {n: image for n, image in found.items() if everything or self._is_own(image)}

    @property
    def _has_own_images(self) -> bool:
        """Whether nobody else can tell which images the target means: it is on this computer."""
        target = self.session.target
        return target.emulated or (isinstance(target, FlyTarget) and target.is_here)

    async def _ask(self, image: ImageReference) -> str:
        mirrored = self._mirror is not None and not self._is_own(image)
        registries = self._mirror if mirrored and self._mirror else self._registries
        return await registries.resolve(image)

    def _is_own(self, image: ImageReference) -> bool:
        """Whether it is in what has the place of Fly's registry."""
        stands_in = bool(self._environ.get(FLY_HOST_VARIABLE))
        return stands_in and image.host == fly_registry(self._environ)

    @property
    def _may_reuse(self) -> bool:
        return self.options.images.push and not self.options.images.no_cache

    async def _prepared(self, wanted: Wanted) -> Build:
        settings = build_settings(wanted, self.options)
        tag = self.options.images.tag or f"deployment-{self.session.new_id()}"
        host = fly_registry(self._environ)
        build = await prepare(settings, ImageReference(host=host, repository=wanted.app, tag=tag))
        nowhere = not self._is_fly and not self._environ.get(FLY_HOST_VARIABLE)
        if nowhere and self.options.images.push:
            raise build.failed(
                f"{self.session.target.name} has no registry to push the image to",
                hint=f"name one with {FLY_HOST_VARIABLE}, or give an image with --image",
                code="registry_missing",
            )
        return build

    async def _there(self, build: Build) -> str | None:
        """The image that was built of the same files before, if the registry has it."""
        known = await _known(build)
        try:
            return str(known.at(await self._registries.resolve(known)))
        except (ImageNotFound, RegistryDenied, RegistryUnavailable):
            return None  # pushing shows what is wrong

    async def _built(self, build: Build, wanted: Wanted) -> str:
        emit, scope = self.session.emit, wanted.scope
        context = BuilderContext(environ=self._environ, logins=self._logins, remote=self._remote)
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
            raise build.failed("the builder tells no digest of what it pushed")
        image = build.image.at(digest)
        await self._registries.tag(image, await content_tag(build))
        return str(image)

    def _fly_builder(self) -> RemoteBuilder | None:
        """The organization's, where the target is Fly or something has its place."""
        target, session = self.session.target, self.session
        region = self.options.region or session.default_region
        if not isinstance(target, FlyTarget) or not builds_at_fly(target, self._environ):
            return None

        async def find() -> str:
            org = await session.organization.slug()
            new_id = session.new_id()
            return await ensure_builder(session.client.api, org, new_id=new_id, region=region)

        return RemoteBuilder.of(find, session.client.password, self._environ)

    def _target_registry(self) -> Registries | None:
        """Of an emulator, which knows what it takes the names of images for."""
        target, transport = self.session.target, self.session.client.transport
        if isinstance(target, EmulatorTarget) and target.has_registry and transport is not None:
            return Registries(self._logins, mirror=EMULATOR_URL, transport=transport())
        if isinstance(target, FlyTarget) and target.is_here:
            here = urlsplit(target.base_url).netloc
            if self._environ.get(FLY_HOST_VARIABLE) == here:
                return Registries(self._logins, mirror=target.base_url)
        return None

    @property
    def _logins(self) -> Logins:
        session = self.session
        own = session.client.password if isinstance(session.target, FlyTarget) else None
        return Logins(self._environ, fly=own)

    @property
    def _environ(self) -> Mapping[str, str]:
        return self.session.project.environ

    @property
    def _is_fly(self) -> bool:
        target = self.session.target
        return isinstance(target, FlyTarget) and target.is_fly


def builds_at_fly(target: Target, environ: Mapping[str, str]) -> bool:
    """Whether the target is Fly, or something has the place of its builders."""
    return isinstance(target, FlyTarget) and (target.is_fly or bool(environ.get(HOST_VARIABLE)))


def _about(label: str, error: ImageError) -> ImageError:
    kind = ImageNotFound if isinstance(error, ImageNotFound) else ImageError
    return kind(f"{label}: {error.message}", hint=error.hint, code=error.code)


def _reference(name: str, place: str) -> ImageReference:
    try:
        return ImageReference.parse(name)
    except InputError as error:
        raise InputError(f"{place}: {error}", hint=error.hint, code=error.code) from error


def wanted_image(item: Input, desired: DesiredApp, options: DeployOptions) -> Wanted:
    """Which images an app needs.

    Raises:
        ConversionError: as `with_sources`.
    """
    spec, files = desired.spec, desired.files
    own = options.image or (spec.build.image if spec.build else "")
    return Wanted(
        app=desired.name,
        label=item.workload or desired.name,
        spec=spec,
        own=own,
        is_built=not own and needs_image(spec, files),
        others=named_images(spec, files),
        folder=item.build_folder,
        base=item.build_base,
        converted=item.workload is not None,
    )


def build_settings(wanted: Wanted, options: DeployOptions) -> BuildSettings:
    """What is built: what the file says, then the options.

    Raises:
        ImageError: the file asks for a kind of build that only other programs do.
    """
    section, chosen = wanted.spec.build or BuildSection(), options.images
    if kind := _built_by_others(wanted, section, chosen):
        raise ImageError(
            f"{wanted.label}: images of {kind} cannot be built here",
            hint=f"run pack build {wanted.app} --publish, then give the image with --image",
            code="build_unsupported",
        )
    if "://" in section.dockerfile:
        raise ImageError(
            f"{wanted.label}: build.dockerfile: {section.dockerfile} is not fetched from there",
            hint="download it, and name the file",
            code="build_unsupported",
        )
    dockerfile, ignorefile = wanted.base / section.dockerfile, wanted.base / section.ignorefile
    if wanted.converted:
        named = dockerfile.name != DOCKERFILES[0] or dockerfile.exists()
        section = evolve(
            section,
            dockerfile="" if chosen.dockerfile or not named else section.dockerfile,
            ignorefile="" if chosen.ignorefile or not ignorefile.exists() else section.ignorefile,
        )
    return BuildSettings(
        name=wanted.label,
        folder=wanted.folder,
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


def _built_by_others(wanted: Wanted, section: BuildSection, chosen: ImageOptions) -> str:
    """What builds the image in place of a Dockerfile; empty: nothing does.

    Of several, flyctl takes buildpacks first, then a Dockerfile that is named or there.
    """
    if section.builder:
        return "buildpacks"
    named = section.dockerfile or chosen.dockerfile
    there = any((wanted.folder / name).is_file() for name in DOCKERFILES)
    return "builtin" if section.builtin and not named and not there else ""


def _path(text: str) -> Path | None:
    return Path(text) if text else None


async def _known(build: Build) -> ImageReference:
    """The name that an image has for what it is built of."""
    return evolve(build.image, tag=await content_tag(build))
