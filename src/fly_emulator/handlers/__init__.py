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

_MODULES: Final = (
    *(apps, machines, actions, processes, wait, leases, metadata, volumes, secrets),
    *(addresses, certificates, platform, organizations, tokens, secret_keys, network_policies),
    postgres,
)
HANDLERS: Final[dict[str, Handler]] = {
    operation: handler for module in _MODULES for operation, handler in module.HANDLERS.items()
}
