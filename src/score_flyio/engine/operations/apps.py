"""Which apps an operation is about: workloads of the project, fly.toml files, or a name."""

from __future__ import annotations

from collections.abc import Sequence

from score_flyio.base.record import field, frozen
from score_flyio.deploy.model import ObservedApp
from score_flyio.deploy.observe import Wanted, observe_app
from score_flyio.engine.inputs import FlyTomlApp
from score_flyio.engine.project import Project, no_workloads
from score_flyio.engine.session import Session
from score_flyio.errors import NotInitialised, UsageError
from score_flyio.flytoml.spec import AppSpec
from score_flyio.state.model import ProjectState


@frozen(kw_only=True)
class AppRef:
    """An app, and the workload that it runs, if it is one of the project."""

    app: str
    """Its name at Fly."""
    workload: str | None = None
    """The workload's name."""
    definition: AppSpec | None = field(default=None, eq=False, repr=False)
    """The fly.toml that named the app, if one did."""

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

    Raises:
        UsageError: an unknown workload, or names that do not fit together.
        ConfigError: a fly.toml is wrong.
        NotInitialised: the project is needed, and there is none.
    """
    if app and (workloads or len(configs) > 1):
        raise UsageError(
            "--app names one app: it goes with one --config, or alone",
            hint="name workloads without --app",
        )
    state = await _state(project, needed=not (app or configs))
    known = state.workloads if state else {}
    if unknown := [name for name in workloads if name not in known]:
        raise no_workloads(unknown, known)
    chosen = [_workload(name, state) for name in workloads] if state else []
    loaded = (FlyTomlApp.load(file, project.directory, app=app) for file in configs)
    chosen += [AppRef(app=each.app, definition=each.spec) for each in loaded]
    if app and not configs:
        chosen.append(_known(app, state))
    elif state is not None and not chosen:
        chosen = [_workload(name, state) for name in sorted(state.workloads)]
    return tuple(dict.fromkeys(chosen))


async def find_app(project: Project, name: str) -> AppRef:
    """The workload of that name, where the project has one, else the app of that name."""
    state = await _state(project, needed=False)
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
        raise UsageError(
            f"{ref}: there is no such app",
            hint="deploy it first, or check the name, the token and --target",
            code="app_missing",
        )
    return observed


async def _state(project: Project, *, needed: bool) -> ProjectState | None:
    try:
        return await project.read()
    except NotInitialised as error:
        if needed:
            error.hint = f"{error.hint}; or name an app with --app NAME"
            raise
        return None


def _workload(name: str, state: ProjectState) -> AppRef:
    return AppRef(app=state.app_name(name), workload=name)


def _known(app: str, state: ProjectState | None) -> AppRef:
    return AppRef(app=app, workload=state.workload_of(app) if state else None)
