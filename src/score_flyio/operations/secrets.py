"""Secrets of an app, beside those that a deploy sets: listed, set, unset, and handed out.

Machines see new secrets when they start anew. Which ones a machine has seen stands in its metadata,
as a hash over the digests; an interrupted command is therefore finished by repeating it.
"""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from typing import Any, Final

from attrs import frozen

from fly_machines import models
from score_flyio.app.spec import AppSpec
from score_flyio.deploy.observe import Wanted, observe_app
from score_flyio.deploy.options import DeployOptions
from score_flyio.deploy.planning.plan import AppPlan
from score_flyio.deploy.planning.reconfigure import (
    Reconfiguration,
    next_release,
    plan_reconfiguration,
)
from score_flyio.deploy.planning.secrets import SEEN_KEY, digests_hash
from score_flyio.errors import UsageError
from score_flyio.fly.present import metadata
from score_flyio.fly.repeats import SecretsVersion, set_secrets
from score_flyio.operations.apps import AppRef, existing
from score_flyio.operations.session import Session
from score_flyio.secret import Secret
from score_flyio.state.model import DeploymentRecord

ALL_SEEN_KEY: Final = "score_flyio_all_secrets"
"""Metadata key of the hash over the digests of all secrets that the app had."""


@frozen(kw_only=True)
class SecretStatus:
    """One secret, by its digest alone."""

    name: str
    digest: str
    updated_at: str

    def to_json(self) -> dict[str, Any]:
        """One JSON object."""
        return {"name": self.name, "digest": self.digest, "updated_at": self.updated_at or None}


async def list_secrets(session: Session, ref: AppRef) -> tuple[SecretStatus, ...]:
    """The secrets of an app by name. Raises UsageError when there is no such app."""
    existing(await observe_app(session.client, ref.app, Wanted()), ref)
    answer = await session.client.api.secrets_list(ref.app)
    found = [
        SecretStatus(
            name=secret.name or "",
            digest=secret.digest or "",
            updated_at=secret.updated_at or secret.created_at or "",
        )
        for secret in answer.secrets or []
    ]
    return tuple(sorted(found, key=lambda secret: secret.name))


async def store_secrets(
    session: Session, ref: AppRef, values: Mapping[str, Secret | None]
) -> SecretsVersion:
    """Sets them, and deletes those given as None, in one call; machines do not see them yet.

    Raises:
        UsageError: a name cannot be one, or there is no such app.
    """
    for name in values:
        _check_name(name)
    existing(await observe_app(session.client, ref.app, Wanted()), ref)
    return await set_secrets(session.client.api, ref.app, values)


async def plan_handing_out(
    session: Session,
    ref: AppRef,
    known: DeploymentRecord,
    *,
    stored: SecretsVersion | None = None,
    options: DeployOptions | None = None,
    definition: AppSpec | None = None,
) -> AppPlan:
    """Restarts, with their present configs, the machines that have not seen all secrets yet."""
    observed = existing(await observe_app(session.client, ref.app, Wanted(secrets=True)), ref)
    everything = digests_hash(observed.secrets)
    own = {name: observed.secrets[name] for name in known.secrets if name in observed.secrets}
    stale = [m for m in observed.machines if metadata(m).get(ALL_SEEN_KEY) != everything]
    change = Reconfiguration(
        observed=observed,
        label=ref.label,
        configs={
            machine.id or "": _seeing(machine, everything, digests_hash(own)) for machine in stale
        },
        release=session.release(next_release(observed)),
        new_id=session.new_id,
        options=options or DeployOptions(),
        definition=definition,
        restart=True,
        min_secrets_version=stored.version if stored else None,
    )
    return plan_reconfiguration(change)


def parse_pairs(texts: tuple[str, ...]) -> dict[str, Secret | None]:
    """`NAME=VALUE` arguments; values never show in messages.

    Raises UsageError.
    """
    values: dict[str, Secret | None] = {}
    for text in texts:
        name, separator, value = text.partition("=")
        if not separator:
            raise UsageError(
                f"{name!r} has no value" if name.isidentifier() else "an argument has no `=`",
                hint="write NAME=VALUE, or use secrets import to read lines from stdin",
            )
        _check_name(name)
        values[name] = Secret(value)
    return values


def _check_name(name: str) -> None:
    if not (name.isascii() and name.isidentifier()):
        raise UsageError(
            f"{name!r} cannot be the name of a secret",
            hint="use letters, digits and underscores, and start with a letter",
            code="secret_name_invalid",
        )


def _seeing(machine: models.Machine, everything: str, own: str) -> models.FlyMachineConfig:
    config = deepcopy(machine.config) or models.FlyMachineConfig()
    marks = {ALL_SEEN_KEY: everything}
    if SEEN_KEY in (config.metadata or {}):
        marks[SEEN_KEY] = own
    config.metadata = {**(config.metadata or {}), **marks}
    return config
