"""The project state while an operation changes apps: locked, and written as facts come."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from attrs import frozen

from score_flyio.deploy.execution.context import Recorder
from score_flyio.deploy.execution.execute import AppResult
from score_flyio.deploy.releases.made import made_release
from score_flyio.engine.project import Project
from score_flyio.engine.recording import StateRecorder
from score_flyio.operations.session import NothingToRemember, Session
from score_flyio.state.deployments import DeploymentRecord
from score_flyio.state.model import ProjectState
from score_flyio.state.saving import Saver


@frozen(kw_only=True)
class Records:
    """What is remembered of apps; nothing at all where there is no project."""

    session: Session
    state: ProjectState | None = None
    keeper: StateRecorder | None = None

    @property
    def recorder(self) -> Recorder:
        """For the steps of a plan."""
        return self.keeper or NothingToRemember()

    def of(self, app: str) -> DeploymentRecord:
        """What is remembered of an app; empty where nothing is."""
        found = self.state.deployments.get(app) if self.state else None
        return found or DeploymentRecord()

    async def released(self, result: AppResult | None) -> None:
        """Remembers the release that a plan made, or found made, if nothing failed."""
        if result is None or self.keeper is None or result.failures:
            return
        known = self.of(result.plan.app).releases
        record = made_release(result, known, at=self.session.now())
        if record is not None and record.configs:
            await self.keeper.released(result.plan.app, record)


@asynccontextmanager
async def open_records(
    session: Session,
    project: Project,
    state: ProjectState | None,
    owner: str,
    *,
    to_look: bool = False,
) -> AsyncIterator[Records]:
    """Locks the state where there is one; `owner` tells others who holds it.

    With `to_look`, for a dry run, nothing is locked and nothing will be remembered.

    Raises StateLocked.
    """
    if state is None or to_look:
        yield Records(session=session, state=state)
        return
    async with project.locked(owner) as fresh:
        workloads = {fresh.app_name(name): name for name in fresh.workloads}
        keeper = StateRecorder(
            state=fresh,
            saver=Saver(project.store, fresh),
            emit=session.emit,
            workloads=workloads,
        )
        yield Records(session=session, state=fresh, keeper=keeper)
