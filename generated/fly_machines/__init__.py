# Made by openapi/generate.py from the document and its corrections; do not edit.
"""The Machines API of Fly.io: data classes of its schemas and coroutines of its operations.

Importing the package is cheap; the names below load their modules when first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from fly_machines import models, operations
    from fly_machines.operations import OPERATIONS, FlyMachinesApi, Operation, Sender

VERSION: Final = "1.0"
"""Version of the document this was made from."""

__all__ = [
    "OPERATIONS",
    "VERSION",
    "FlyMachinesApi",
    "Operation",
    "Sender",
    "models",
    "operations",
]


def __getattr__(name: str) -> Any:
    if name in ("models", "operations"):
        return import_module(f"{__name__}.{name}")
    if name in __all__:
        return getattr(import_module(f"{__name__}.operations"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
