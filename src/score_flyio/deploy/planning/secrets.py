"""Which secrets must be set, and which machines must start anew to see them.

Fly lists a digest of each secret, made in a way that is not documented, so one is only ever
compared with one read earlier. What the project remembers is that digest together with a keyed hash
of the value that it belongs to. Machines carry, in their metadata, a hash over the digests that
they were started with; it survives a lost project state.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable, Mapping

from fly_machines import models
from score_flyio.base.record import frozen
from score_flyio.base.secret import Secret
from score_flyio.deploy.condition import rests
from score_flyio.deploy.metadata import (
    ALL_SECRETS_SEEN,
    STAGED,
    STAGED_REMOVAL,
    Marks,
    without_marks,
)
from score_flyio.deploy.model import KnownApp, ObservedApp
from score_flyio.state.deployments import SecretRecord

SET_SECRETS = "secrets"
"""Id of the step that sets the secrets of an app."""
OWN_TOOL = "score-flyio/"
"""How the tool's version begins on machines that this program configured last."""
REMOVED = "those that were removed"
"""What is told in place of names that are gone."""
_HANDING_OUT = frozenset({"launch", "update", "start", "restart"})
"""Events with which a machine gets the secrets of that time."""
_EVENT_TICK = 0.001
"""Seconds by which an event may be later than it says, in whole milliseconds."""
_LONGEST_BOOT = 60.0
"""Seconds between the moment when a machine gets its secrets and the event that tells of its start,
at most."""


def fingerprint(salt: str, secret: Secret) -> str:
    """A keyed hash of the value; useless without the project's salt."""
    return hmac.new(salt.encode(), secret.reveal().encode(), hashlib.sha256).hexdigest()


def digests_hash(digests: Mapping[str, str]) -> str:
    """One short text for the digests of all secrets of a workload."""
    lines = "\n".join(f"{name}={digest}" for name, digest in sorted(digests.items()))
    return hashlib.sha256(lines.encode()).hexdigest()[:32]


@frozen(kw_only=True)
class SecretsPlan:
    """Outcome of comparing wanted secrets with those at Fly."""

    changes: Mapping[str, str]
    """Name to `new`, `changed` or `unknown`, for each secret to set; empty: nothing to do."""
    seen: str | None
    """What machines are marked with once they see these secrets; None: known after setting."""

    @property
    def step(self) -> str | None:
        """Id of the step that sets them."""
        return SET_SECRETS if self.changes else None

    def stamp(self, config: models.FlyMachineConfig) -> models.FlyMachineConfig:
        """The config with the mark of the secrets that the machine starts with, where known."""
        return Marks(secrets_seen=self.seen).stamp(config)


def plan_secrets(
    wanted: Mapping[str, Secret], known: KnownApp, observed: Mapping[str, str]
) -> SecretsPlan:
    """Compares by remembered fingerprints; what nothing is remembered of has to be set again."""
    changes: dict[str, str] = {}
    for name, secret in wanted.items():
        if name not in observed:
            changes[name] = "new"
            continue
        record = known.secrets.get(name)
        if record is None:
            changes[name] = "unknown"
        elif (
            record.fingerprint != fingerprint(known.salt, secret) or record.digest != observed[name]
        ):
            changes[name] = "changed"
    if changes:
        return SecretsPlan(changes=changes, seen=None)
    seen = digests_hash({name: observed[name] for name in wanted}) if wanted else None
    return SecretsPlan(changes={}, seen=seen)


def has_seen_others(machine: models.Machine, secrets: SecretsPlan) -> bool:
    """Whether a machine says that it started with other secrets of the workload than these."""
    marks = Marks.of(machine)
    told = marks.secrets_seen is not None or (marks.tool_version or "").startswith(OWN_TOOL)
    return secrets.seen is not None and told and marks.secrets_seen != secrets.seen


def for_a_new_start(
    config: models.FlyMachineConfig, observed: ObservedApp
) -> models.FlyMachineConfig:
    """A config that a machine is to start with once more, or another one of its group.

    That hands out all secrets; what the config says was handed out stays where it is just these.
    """
    there = None if observed.secret_times is None else digests_hash(observed.secrets)
    stays = (config.metadata or {}).get(ALL_SECRETS_SEEN) == there
    return without_marks(config, {STAGED} if stays else {ALL_SECRETS_SEEN, STAGED})


def waiting_secrets(machine: models.Machine, observed: ObservedApp) -> tuple[str, ...]:
    """Names of the secrets that a running machine has not seen, as far as anything tells.

    Machines see them when they start, and get all of them with a new config.
    """
    if observed.secret_times is None or rests(machine):
        return ()
    marks = Marks.of(machine)
    there = digests_hash(observed.secrets)
    if there == marks.all_secrets_seen:
        return ()
    if there == marks.secrets_seen:  # those that were set again are no others, whatever their time
        return (REMOVED,) if marks.staged == STAGED_REMOVAL else ()
    since = _handed_out(machine.events or [])
    times = sorted(observed.secret_times.items())
    names = tuple(name for name, at in times if since and at >= since + _EVENT_TICK)
    removed = marks.staged == STAGED_REMOVAL or (marks.staged and not since)
    return names or ((REMOVED,) if removed else ())


def have_arrived(machine: models.Machine, observed: ObservedApp) -> bool:
    """Whether the machine certainly has all secrets that were there.

    It does where each was set some time before the machine got its present config.
    """
    times, marks = observed.secret_times, Marks.of(machine)
    if times is None or marks.staged:
        return False
    if marks.all_secrets_seen == digests_hash(observed.secrets):
        return True
    since = _handed_out(machine.events or [])
    return bool(since) and all(0 < at < since - _LONGEST_BOOT for at in times.values())


def _handed_out(events: Iterable[models.MachineEvent]) -> float:
    """When a machine got its secrets, at the earliest, in seconds; 0 where nothing tells.

    Its start is told when it has booted: what was set meanwhile, it may not have. An update that
    the platform gave up handed out nothing.
    """
    told = sorted(events, key=lambda event: event.timestamp or 0, reverse=True)
    given_up = False
    for place, event in enumerate(told):
        at = (event.timestamp or 0) / 1000
        if event.type == "update" and given_up:
            given_up = False
        elif event.type == "start":
            before = (told[place + 1].timestamp or 0) / 1000 if place + 1 < len(told) else 0.0
            return max(before, at - _LONGEST_BOOT)
        elif event.type in _HANDING_OUT:
            return at
        given_up = given_up or event.type == "revert"
    return 0.0


def remember(
    wanted: Mapping[str, Secret], salt: str, digests: Mapping[str, str]
) -> dict[str, SecretRecord]:
    """What to remember once the secrets are set and Fly has told their digests."""
    return {
        name: SecretRecord(digest=digests[name], fingerprint=fingerprint(salt, secret))
        for name, secret in wanted.items()
        if name in digests
    }
