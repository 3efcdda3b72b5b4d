"""fly.toml as flyctl reads, checks and writes it.

Each name is imported on first use: writing needs nothing of what reading and checking need.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from score_flyio.flytoml.document import FlyTomlDocument, read_fly_toml
    from score_flyio.flytoml.strict import StrictReport
    from score_flyio.flytoml.validate import validate_group, warnings_of
    from score_flyio.flytoml.write import to_json, to_toml, to_workload_toml

_HOMES = {
    "FlyTomlDocument": "document",
    "StrictReport": "strict",
    "read_fly_toml": "document",
    "to_json": "write",
    "to_toml": "write",
    "to_workload_toml": "write",
    "validate_group": "validate",
    "warnings_of": "validate",
}

__all__ = [
    "FlyTomlDocument",
    "StrictReport",
    "read_fly_toml",
    "to_json",
    "to_toml",
    "to_workload_toml",
    "validate_group",
    "warnings_of",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
