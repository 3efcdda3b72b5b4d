"""Who can reach the app of a workload: nothing is public by accident, and nothing costs money so.

A workload is public if a port has handlers, if a resource is a name or a path of it, or if an
annotation says so.
"""

from __future__ import annotations

from typing import Final

from score_flyio.convert.draft import Draft
from score_flyio.flytoml.exposure import Exposure
from score_flyio.flytoml.spec import Service

_NAMES: Final = frozenset({"dns", "route"})
"""Types of resources under whose names a workload is reached."""


def exposure(draft: Draft, services: tuple[Service, ...]) -> Exposure:
    """The widest that anything in the workload asks for."""
    if "dedicated" in draft.exposures:
        return "dedicated"
    handled = any(port.handlers for service in services for port in service.ports)
    named = any(resource.type in _NAMES for resource in draft.workload.resources.values())
    return "shared" if handled or named or "shared" in draft.exposures else "private"
