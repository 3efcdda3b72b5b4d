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
    network_policies,
    organizations,
    platform,
    postgres,
    processes,
    secret_keys,
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
    **secret_keys.HANDLERS,
    **network_policies.HANDLERS,
    **postgres.HANDLERS,
}
