"""The images of one run: built, or resolved to their digests, while other work goes on."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AsyncExitStack
from functools import cached_property
from typing import TYPE_CHECKING, Self
from urllib.parse import urlsplit

from score_flyio.base.record import define, field, frozen
from score_flyio.deploy.desired.images import named_images, needs_image
from score_flyio.deploy.model import DesiredApp
from score_flyio.deploy.options import DeployOptions
from score_flyio.engine.inputs import Input
from score_flyio.engine.pipeline import Preparation
from score_flyio.engine.refusal import with_resources
from score_flyio.engine.session import Session
from score_flyio.engine.target import EMULATOR_URL, EmulatorTarget, FlyTarget
from score_flyio.errors import ImageError, ImageNotFound, InputError, ScoreFlyError
from score_flyio.errors.unwrap import at_once
from score_flyio.events import ImageResolved, Scope, WarningRaised
from score_flyio.images.logins import FLY_HOST_VARIABLE, Logins, fly_registry
from score_flyio.images.reference import ImageReference
from score_flyio.images.resolve import Resolved, resolve_images

if TYPE_CHECKING:
    from score_flyio.engine.builds import Builds
    from score_flyio.images.distribution import Registries


@frozen(kw_only=True)
class Wanted:
    """The image that an app is to run."""

    item: Input
    desired: DesiredApp
    """The app, as far as it is known without an image."""
    own: str
    """The image that it is given; empty where it is given none."""
    is_built: bool
    """Whether it is made from files, which takes a while."""
    named: Mapping[str, str]
    """All images that it names, each with how messages begin."""

    @classmethod
    def of(cls, item: Input, desired: DesiredApp, options: DeployOptions) -> Wanted:
        """Which images an app needs. Raises ConversionError: as `with_sources`."""
        spec, files, label = desired.spec, desired.files, desired.label
        own = options.image or (spec.build.image if spec.build else "")
        # Of a workload, the machine config is what its containers were converted to.
        cut = "machine_config." if item.workload else ""
        places = named_images(spec, files).items()
        others = {image: f"{label}: {place.removeprefix(cut)}" for image, place in places}
        return cls(
            item=item,
            desired=desired,
            own=own,
            is_built=not own and needs_image(spec, files),
            named={**others, own: label} if own else others,
        )

    @property
    def scope(self) -> Scope:
        return Scope.of_app(self.desired.name, self.desired.label)


@define(kw_only=True)
class Images:
    """Gives each app the name of its image, with the digest where that is known.

    A context manager; registries are asked within. `check` comes first.
    """

    session: Session
    options: DeployOptions
    _stack: AsyncExitStack = field(factory=AsyncExitStack, init=False)
    _wanted: dict[str, Wanted] = field(factory=dict, init=False)
    """By app."""
    _resolved: dict[str, Mapping[str, str]] = field(factory=dict, init=False)
    """By app, the images that it names, by digest where that is known."""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_error: object) -> None:
        await self._stack.aclose()

    async def check(self, ready: Preparation) -> None:
        """Refuses the apps of a run that are certain to fail for want of an image.

        All images are resolved at the same time, and all files to build from are looked for.
        """
        failed: dict[str, ScoreFlyError] = {}
        asked: dict[str, ImageReference] = {}
        wanted = self._wanted
        for app, item in ready.inputs.items():
            try:
                wanted[app] = Wanted.of(item, ready.outlines[app], self.options)
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

        await at_once(one, wanted.keys() - failed)
        for app, item in [*ready.inputs.items()]:
            if app in failed:
                ready.refuse(app, with_resources(failed[app], item, ready.around))

    async def _check(self, wanted: Wanted, resolved: Resolved) -> None:
        """Note what the app is to run. Raises ImageError, and InputError for what builds it."""
        meant: dict[str, str] = {}
        for name, place in wanted.named.items():
            if error := resolved.missing.get(name):
                kind = ImageNotFound if isinstance(error, ImageNotFound) else ImageError
                raise kind(f"{place}: {error.message}", hint=error.hint, code=error.code) from error
            meant[name] = resolved.images.get(name, name)
            if meant[name] != name:
                self.session.emit(ImageResolved(scope=wanted.scope, image=meant[name]))
        self._resolved[wanted.desired.name] = meant
        if wanted.is_built:
            await self._builds.prepare(wanted)

    def meant(self, app: str) -> Mapping[str, str]:
        """The images that an app names, by digest where that is known."""
        return self._resolved[app]

    def is_built(self, app: str) -> bool:
        """Whether its image is made from files, which takes a while."""
        return self._wanted[app].is_built

    async def expected(self, app: str) -> str:
        """The image as far as it is known without building anything."""
        if self.is_built(app):
            return await self._builds.expected(app)
        return self._named(app)

    async def ready(self, app: str) -> str:
        """The image, built and pushed where it has to be; empty: none is needed."""
        if self.is_built(app):
            return await self._builds.ready(self._wanted[app])
        return self._named(app)

    @cached_property
    def _builds(self) -> Builds:
        from score_flyio.engine.builds import Builds

        return Builds(
            session=self.session,
            options=self.options,
            registries=self._registries,
            logins=self._logins,
        )

    def _named(self, app: str) -> str:
        return self._resolved[app].get(self._wanted[app].own, "")

    def _asked(self, wanted: Wanted) -> Mapping[str, ImageReference]:
        """Those that somebody can be asked for. Raises InputError for no image."""
        named = wanted.named if self.options.images.resolve else {}
        found = {name: _reference(name, place) for name, place in named.items()}
        target = self.session.target
        # Nobody else can tell which images a target means that is on this computer.
        is_here = target.emulated or (isinstance(target, FlyTarget) and target.is_here)
        everything = self._mirror is not None or not is_here
        return {n: image for n, image in found.items() if everything or self._is_own(image)}

    async def _ask(self, image: ImageReference) -> str:
        mirror = None if self._is_own(image) else self._mirror
        return await (mirror or self._registries).resolve(image)

    @cached_property
    def _registries(self) -> Registries:
        from score_flyio.images.distribution import Registries

        registries = Registries(self._logins)
        self._stack.push_async_exit(registries)
        return registries

    def _is_own(self, image: ImageReference) -> bool:
        """Whether it is in what has the place of Fly's registry."""
        stands_in = bool(self._environ.get(FLY_HOST_VARIABLE))
        return stands_in and image.host == fly_registry(self._environ)

    @cached_property
    def _mirror(self) -> Registries | None:
        """What is asked in place of registries, where an emulator has images of its own."""
        target, transport = self.session.target, self.session.client.transport
        host, address, way = self._environ.get(FLY_HOST_VARIABLE), "", None
        if isinstance(target, EmulatorTarget) and target.has_registry and transport is not None:
            address, way = EMULATOR_URL, transport()
        elif isinstance(target, FlyTarget) and target.is_here:
            address = target.base_url if urlsplit(target.base_url).netloc == host else ""
        if not address:
            return None
        from score_flyio.images.distribution import Registries

        mirror = Registries(self._logins, mirror=address, transport=way)
        self._stack.push_async_exit(mirror)
        return mirror

    @property
    def _logins(self) -> Logins:
        session = self.session
        own = session.client.password if isinstance(session.target, FlyTarget) else None
        return Logins(self._environ, fly=own)

    @property
    def _environ(self) -> Mapping[str, str]:
        return self.session.project.environ


def _reference(name: str, place: str) -> ImageReference:
    try:
        return ImageReference.parse(name)
    except InputError as error:
        raise InputError(f"{place}: {error}", hint=error.hint, code=error.code) from error
