"""One more machine like another one. Pure."""

from __future__ import annotations

from copy import deepcopy

from fly_machines import models
from score_flyio.deploy.metadata import ALL_SECRETS_SEEN, PASSING_KEYS, STANDS_FOR
from score_flyio.fly.present import LAUNCH_KEY

_OF_ANOTHER = PASSING_KEYS | {LAUNCH_KEY, STANDS_FOR, ALL_SECRETS_SEEN}
"""Metadata that a machine has not in common with others of its group."""


def new_machine_config(template: models.FlyMachineConfig) -> models.FlyMachineConfig:
    """The config of one more machine like another one: nothing that was that one's alone."""
    config = deepcopy(template)
    config.standbys = None
    config.env = {k: v for k, v in (config.env or {}).items() if k != "FLY_STANDBY_FOR"}
    config.metadata = {k: v for k, v in (config.metadata or {}).items() if k not in _OF_ANOTHER}
    for mount in config.mounts or []:
        mount.volume = None
    return config
