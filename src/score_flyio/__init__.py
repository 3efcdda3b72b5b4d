"""Deploy Score workloads to Fly.io: concurrently, over the Machines REST API, without flyctl.

The names of `__all__` are the public interface, together with the modules `errors`, `events`,
`score` and `testing`, and with the package `fly_emulator`. Each is imported on first use, so that
importing this package costs nothing.
"""

from score_flyio._version import __version__

TYPE_CHECKING = False  # the real one would import typing; type checkers know this name too
if TYPE_CHECKING:
    from score_flyio.base.secret import Secret
    from score_flyio.deploy.execution.report import Report
    from score_flyio.deploy.options import DeployOptions
    from score_flyio.engine.deployable import FlyTomlApp
    from score_flyio.engine.engine import Engine
    from score_flyio.engine.planning import Plan
    from score_flyio.engine.project import Project
    from score_flyio.engine.run import Run
    from score_flyio.engine.target import EmulatorTarget, FlyTarget, Target
    from score_flyio.errors import Problem, ScoreFlyError
    from score_flyio.events import Event, Listener
    from score_flyio.flytoml.spec import AppSpec
    from score_flyio.resources.provisioner import Provisioner
    from score_flyio.score.model import Workload
    from score_flyio.state.store import InMemoryStore, StateStore

_HOMES = {
    "AppSpec": "flytoml.spec",
    "DeployOptions": "deploy.options",
    "EmulatorTarget": "engine.target",
    "Engine": "engine.engine",
    "Event": "events",
    "FlyTarget": "engine.target",
    "FlyTomlApp": "engine.deployable",
    "InMemoryStore": "state.store",
    "Listener": "events",
    "Plan": "engine.planning",
    "Problem": "errors",
    "Project": "engine.project",
    "Provisioner": "resources.provisioner",
    "Report": "deploy.execution.report",
    "Run": "engine.run",
    "ScoreFlyError": "errors",
    "Secret": "base.secret",
    "StateStore": "state.store",
    "Target": "engine.target",
    "Workload": "score.model",
}

__all__ = [
    "AppSpec",
    "DeployOptions",
    "EmulatorTarget",
    "Engine",
    "Event",
    "FlyTarget",
    "FlyTomlApp",
    "InMemoryStore",
    "Listener",
    "Plan",
    "Problem",
    "Project",
    "Provisioner",
    "Report",
    "Run",
    "ScoreFlyError",
    "Secret",
    "StateStore",
    "Target",
    "Workload",
    "__version__",
]


def __getattr__(name: str) -> object:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    value = getattr(import_module(f"{__name__}.{home}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
