"""How machines and volumes are recognised: by metadata, and by states that mean they are gone."""

from __future__ import annotations

from typing import Final

from fly_machines import models

LAUNCH_KEY: Final = "score_flyio_launch_id"
"""Metadata key by which a machine is found again whose creation was not answered."""
SENT_KEY: Final = "score_flyio_sent"
"""Metadata key of a machine whose creation was sent again: how often. Of those with one launch key
the one that was sent last counts; copies that somebody made of it say the same."""
_GONE: Final = frozenset({"destroyed", "destroying"})
_VANISHING: Final = frozenset(
    {"scheduling_destroy", "fork_cleanup", "waiting_for_detach", "pending_destroy", "destroying",
     "destroyed"}
)  # fmt: skip
"""Volumes in these states are gone for every practical purpose (fly-go)."""


def shown_config(machine: models.Machine) -> models.FlyMachineConfig:
    """The machine's config, or what is known of it where its host does not answer."""
    return machine.config or machine.incomplete_config or models.FlyMachineConfig()


def is_standby(machine: models.Machine) -> bool:
    """Whether it starts only when the host of another machine fails, as far as its host shows."""
    return bool(shown_config(machine).standbys)


def metadata(machine: models.Machine) -> dict[str, str]:
    """The machine's metadata, as far as it is known."""
    return shown_config(machine).metadata or {}


def was_deployed(app: models.App | None) -> bool:
    """Whether the app had machines before (flyctl)."""
    return app is not None and app.status in {"deployed", "suspended"}


def living(machine: models.Machine) -> bool:
    """Whether the machine is there, in whatever state, and not on its way out."""
    return machine.state not in _GONE


def kept(volume: models.Volume) -> bool:
    """Whether the volume is there, and not on its way out."""
    return volume.state not in _VANISHING


def leads_in(assignment: models.IPAssignment) -> bool:
    """Whether the app is reached at the address; from others its own connections come."""
    return not assignment.egress


def ip_type(assignment: models.IPAssignment) -> str:
    """The type of an address, as it was asked for."""
    ip = (assignment.ip or "").lower()
    if assignment.egress:
        return "egress_v6" if ":" in ip else "egress_v4"
    if ":" in ip:
        return "private_v6" if ip.startswith("fdaa:") else "v6"
    return "shared_v4" if assignment.shared else "v4"
