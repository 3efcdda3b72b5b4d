"""The handlers of the Machines API, by operation id."""

from __future__ import annotations

from typing import Final

from fly_emulator.calls import Handler
from fly_emulator.handlers import (
    actions,
    addresses,
    apps,
    certificates,
    leases,
    machines,
    metadata,
    not_emulated,
    organizations,
    platform,
    processes,
    secrets,
    tokens,
    volumes,
    wait,
)

HANDLERS: Final[dict[str, Handler]] = {
    **apps.HANDLERS,
    **machines.HANDLERS,
    **actions.HANDLERS,
    **processes.HANDLERS,
    **wait.HANDLERS,
    **leases.HANDLERS,
    **metadata.HANDLERS,
    **volumes.HANDLERS,
    **secrets.HANDLERS,
    **addresses.HANDLERS,
    **certificates.HANDLERS,
    **platform.HANDLERS,
    **organizations.HANDLERS,
    **tokens.HANDLERS,
    **not_emulated.HANDLERS,
}
