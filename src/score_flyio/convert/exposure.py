"""Who can reach the app of a workload: nothing is public by accident, and nothing costs money so.

A workload is public if a port has handlers, if a resource is a name or a path of it, or if an
annotation says so.
"""

from __future__ import annotations

from score_flyio.convert.draft import Draft
from score_flyio.flytoml.exposure import Exposure
from score_flyio.flytoml.spec import Service


def exposure(draft: Draft, services: tuple[Service, ...]) -> Exposure:
    """The widest that anything in the workload asks for."""
    if "dedicated" in draft.exposures:
        return "dedicated"
    handled = any(port.handlers for service in services for port in service.ports)
    asked = handled or draft.ways_in or "shared" in draft.exposures
    return "shared" if asked else "private"
