"""Tells Fly of the release that a run makes, beside the run: it never fails because of that.

Fly numbers the release; id and number go into the metadata of the machines, as flyctl does it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Final, TypeVar

import anyio
import anyio.abc

from fly_machines import models
from score_flyio.base.record import define, evolve, field
from score_flyio.deploy.metadata import Marks, release_number
from score_flyio.errors import ScoreFlyError
from score_flyio.fly import repeats
from score_flyio.fly.releases import Notice, ReleaseApi, Status
from score_flyio.state.deployments import Release

T = TypeVar("T")

NEW_APP_SECONDS: Final = 1.0
"""How long an app made in this run may be missing for the list of releases."""
PATIENCE: Final = 3.0
"""Seconds that one call may take."""
RUNNING_AFTER: Final = 5.0
"""A release that takes longer than so many seconds is shown as running; until then as pending."""


def with_release(config: models.FlyMachineConfig, release: Release) -> models.FlyMachineConfig:
    """The config of a machine that the release made."""
    return Marks(release_id=release.id, release_version=str(release.version)).stamp(config)


@define(kw_only=True, eq=False)
class Announcement:
    """One app's release in Fly's list; `api` is None where there is no such list."""

    api: ReleaseApi | None
    tasks: anyio.abc.TaskGroup
    """The calls are tasks of it."""
    warn: Callable[[str], None]
    release: Release = field(factory=partial(Release, version=0))
    """As it is planned."""
    notice: Notice | None = None
    """None: nothing is told, as long as the plan is not known."""
    app_is_new: bool = False
    """Made in this run, so that it may not be seen everywhere yet."""
    recorded: Release | None = None
    """As Fly numbered it."""
    _answered: anyio.Event | None = None
    _warned: bool = False
    _shown_running: anyio.CancelScope = field(factory=anyio.CancelScope)

    def expect(
        self, release: Release, notice: Notice, *, app_is_new: bool = False, certain: bool
    ) -> None:
        """Note what Fly is told once a machine changes: now, if one surely will (`certain`)."""
        self.release, self.notice = release, notice
        self.app_is_new = app_is_new
        if certain and not app_is_new:
            self.begin()

    def begin(self) -> None:
        """Tell of the release in the background, once."""
        if self.api is not None and self.notice is not None and self._answered is None:
            self._answered = anyio.Event()
            self.tasks.start_soon(self._tell, self.api, self.notice, self._answered)

    async def stamped(self, config: models.FlyMachineConfig) -> models.FlyMachineConfig:
        """The config with the release as Fly numbered it; as it is when there is no answer."""
        self.begin()
        if self._answered is not None:
            await self._answered.wait()
        if self.recorded is None:
            return config
        planned = Release(version=release_number(config.metadata or {}))
        return with_release(config, self.numbered(planned))

    def numbered(self, release: Release) -> Release:
        """The release with Fly's id and number, unless earlier ones have that, untold to Fly."""
        if self.recorded is None:
            return release
        version = max(self.recorded.version, release.version)
        return evolve(release, id=self.recorded.id, version=version)

    def end(self, status: Status, error: str = "") -> None:
        """Tell in the background how the release ended."""
        self._shown_running.cancel()
        self.tasks.start_soon(self._update, status, error)

    async def cut_short(self, status: Status, error: str = "") -> None:
        """Tell how the release ended, though its tasks are being cancelled."""
        with anyio.move_on_after(PATIENCE, shield=True):
            await self._update(status, error)

    async def _tell(self, api: ReleaseApi, notice: Notice, answered: anyio.Event) -> None:
        release, within = self.release, NEW_APP_SECONDS if self.app_is_new else 0.0
        try:
            told = await self._tried(
                lambda: repeats.once_visible(lambda: api.create(notice), within=within), "begin"
            )
            if told is not None:
                self.recorded = evolve(release, id=told[0], version=told[1])
        finally:
            answered.set()
        with self._shown_running:
            await anyio.sleep(RUNNING_AFTER)
            await self._update("running", None)

    async def _update(self, status: Status, error: str | None) -> None:
        if self._answered is not None:
            await self._answered.wait()
        api, recorded, notice = self.api, self.recorded, self.notice
        if api is None or recorded is None or notice is None:
            return
        metadata = None
        if error is not None:
            metadata = {
                "post_deployment_info": {"flyctl_version": recorded.tool_version, "error": error}
            }
        await self._tried(
            lambda: api.update(notice.app, recorded.id, status, metadata), "become " + status
        )

    async def _tried(self, call: Callable[[], Awaitable[T]], what: str) -> T | None:
        """What the call gives; None where it fails or takes too long, with a warning at first."""
        try:
            with anyio.fail_after(PATIENCE):
                return await call()
        except TimeoutError:
            reason = f"no answer within {PATIENCE:g} s"
        except ScoreFlyError as error:
            reason = error.message
        if not self._warned:
            self._warned = True
            self.warn(
                f"Fly's list of releases does not show this release {what}: {reason};"
                " the run itself goes on"
            )
        return None
