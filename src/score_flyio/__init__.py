"""Deploy Score workloads to Fly.io: concurrently, over the Machines REST API, without flyctl.

The names of `__all__` are the public interface, together with the modules `errors`, `events`,
`score`, `emulator` and `testing`. Each is imported on first use, so that importing this package
costs nothing.
"""

from score_flyio._version import __version__

TYPE_CHECKING = False  # the real one would import typing; type checkers know this name too
if TYPE_CHECKING:
    from score_flyio.errors import Problem, ScoreFlyError
    from score_flyio.events import Event, Listener
    from score_flyio.secret import Secret

_HOMES = {
    "Event": "events",
    "Listener": "events",
    "Problem": "errors",
    "ScoreFlyError": "errors",
    "Secret": "secret",
}

__all__ = ["Event", "Listener", "Problem", "ScoreFlyError", "Secret", "__version__"]


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
