"""Which apps an operation is about: workloads of the project, fly.toml files, or a name."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from typing import Final

import anyio

from score_flyio.base.misspelt import did_you_mean, nearest
from score_flyio.base.record import field, frozen
from score_flyio.deploy.model import ObservedApp
from score_flyio.deploy.observe import Wanted, observe_app
from score_flyio.engine.inputs import FlyTomlApp
from score_flyio.engine.project import Project, no_workloads
from score_flyio.engine.session import Session
from score_flyio.errors import FlyError, UsageError
from score_flyio.flytoml.spec import AppSpec
from score_flyio.state.model import ProjectState

NEAR_SECONDS: Final = 5.0
"""For what apps there are, where one that is named is none of them."""


@frozen(kw_only=True)
class AppRef:
    """An app, and the workload that it runs, if it is one of the project."""

    app: str
    """Its name at Fly."""
    workload: str | None = None
    """The workload's name."""
    definition: AppSpec | None = field(default=None, eq=False, repr=False)
    """The fly.toml that named the app, if one did."""
    named_by_file: bool = field(default=False, eq=False, repr=False)
    """Whether a fly.toml has this name: what somebody types may be misspelt."""

    @property
    def declared(self) -> bool:
        """Whether the project or a fly.toml says that there is to be such an app."""
        return self.workload is not None or self.named_by_file

    @property
    def label(self) -> str:
        """How it is called."""
        return self.workload or self.app

    def __str__(self) -> str:
        return f"{self.workload} (app {self.app})" if self.workload else f"app {self.app}"


async def choose_apps(
    project: Project,
    workloads: Sequence[str] = (),
    *,
    configs: Sequence[str] = (),
    app: str | None = None,
) -> tuple[AppRef, ...]:
    """The apps that are named; with no name at all, every workload of the project.

    Raises UsageError, ConfigError, and NotInitialised where the project is needed.
    """
    if app and (workloads or len(configs) > 1):
        raise UsageError(
            "--app names one app: it goes with one --config, or alone",
            hint="name workloads without --app",
        )
    state = await (project.store.load() if app or configs else project.read())
    known = state.workloads if state else {}
    if unknown := [name for name in workloads if name not in known]:
        raise no_workloads(unknown, known)
    chosen = [_workload(name, state) for name in workloads] if state else []
    loaded = (FlyTomlApp.load(file, project.directory, app=app) for file in configs)
    chosen += [AppRef(app=each.app, definition=each.spec, named_by_file=not app) for each in loaded]
    if app and not configs:
        chosen.append(_known(app, state))
    elif state is not None and not chosen:
        chosen = [_workload(name, state) for name in sorted(state.workloads)]
    return tuple(dict.fromkeys(chosen))


async def find_app(project: Project, name: str) -> AppRef:
    """The workload of that name, where the project has one, else the app of that name."""
    state = await project.store.load()
    if state is not None and name in state.workloads:
        return _workload(name, state)
    return _known(name, state)


def single(refs: Sequence[AppRef]) -> AppRef:
    """The only one. Raises UsageError when there are several."""
    if not refs:
        raise UsageError(
            "this is for one workload, and the project has none yet",
            hint="deploy a Score file first, or name an app with --app NAME",
        )
    if len(refs) != 1:
        names = ", ".join(ref.label for ref in refs)
        raise UsageError(
            f"this is for one workload, but the project has {len(refs)}: {names}",
            hint="name one of them",
        )
    return refs[0]


async def observe(session: Session, ref: AppRef, wanted: Wanted | None = None) -> ObservedApp:
    """The app as it is now. Raises UsageError for one that is not at Fly."""
    observed = await observe_app(session.client, ref.app, wanted or Wanted())
    if not observed.exists:
        raise await no_such_app(session, ref, advice="deploy it first, or check")
    return observed


async def no_such_app(session: Session, *refs: AppRef, advice: str = "check") -> UsageError:
    """The error for apps that are not at Fly; with names that are like theirs, where Fly tells."""
    typed = [ref.app for ref in refs if not ref.declared]
    there = set(await _apps_there(session) if typed else ()) - set(typed)
    near = dict.fromkeys(each for app in typed if (each := nearest(app, sorted(there))))
    meant = did_you_mean(", ".join(near), after=" ")
    return UsageError(
        f"{', '.join(map(str, refs))}: there is no such app",
        hint=f"{meant}{advice} the name, the token and the target",
        code="app_missing",
    )


async def _apps_there(session: Session) -> Sequence[str]:
    """The apps of the organization; none where that cannot be told soon."""
    with anyio.move_on_after(NEAR_SECONDS), suppress(FlyError):
        answer = await session.client.api.apps_list(org_slug=await session.organization.slug())
        return [app.name for app in answer.apps or [] if app.name]
    return ()


def _workload(name: str, state: ProjectState) -> AppRef:
    return AppRef(app=state.app_name(name), workload=name)


def _known(app: str, state: ProjectState | None) -> AppRef:
    return AppRef(app=app, workload=state.workload_of(app) if state else None)
