"""Secrets of an app, beside those that a deploy sets: listed, set, unset, and handed out.

Machines see new secrets when they start anew. Which ones a machine has seen stands in its metadata,
as a hash over the digests; an interrupted command is therefore finished by repeating it.
"""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from typing import Any

from attrs import evolve, field, frozen

from fly_machines import models
from score_flyio.base.secret import Secret
from score_flyio.deploy.metadata import ALL_SECRETS_SEEN
from score_flyio.deploy.model import ObservedApp
from score_flyio.deploy.observe import Wanted, observe_app
from score_flyio.deploy.options import DeployOptions
from score_flyio.deploy.planning.plan import AppPlan
from score_flyio.deploy.planning.reconfigure import (
    Reconfiguration,
    plan_reconfiguration,
)
from score_flyio.deploy.planning.secrets import SEEN_KEY, digests_hash
from score_flyio.deploy.releases.known import next_number
from score_flyio.deploy.step import SetSecrets, Step, UpdateMachine
from score_flyio.errors import UsageError
from score_flyio.fly.present import metadata
from score_flyio.fly.repeats import SecretsVersion, set_secrets
from score_flyio.flytoml.spec import AppSpec
from score_flyio.operations.apps import AppRef, existing
from score_flyio.operations.session import Session
from score_flyio.state.deployments import DeploymentRecord


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


@frozen(kw_only=True)
class SecretsChange:
    """What an app's machines are told of changed secrets, and how."""

    ref: AppRef
    known: DeploymentRecord
    options: DeployOptions = field(factory=DeployOptions)
    definition: AppSpec | None = None
    """The app's fly.toml, where it is known."""
    values: Mapping[str, Secret | None] = field(factory=dict, repr=False)
    """What is set; a None deletes."""
    stage: bool = False
    """Machines are not restarted."""


def plan_setting(session: Session, observed: ObservedApp, change: SecretsChange) -> AppPlan:
    """All that the change would do, as far as it can be told before: to look at, not to do.

    Values cannot be read, so any that is there already may turn out to be the same.

    Raises:
        UsageError: a name cannot be one.
        ConfigError: the strategy that the options name is impossible for a group.
    """
    for name in change.values:
        _check_name(name)
    if not change.values:
        return plan_handing_out(session, observed, change)
    changes = {name: _foreseen(name, change.values, observed) for name in change.values}
    step = SetSecrets(id="secrets", app=observed.name, values=change.values, changes=changes)
    if change.stage:
        return session.plan(observed.name, change.ref.label, step)
    plan = _plan(session, observed, change, observed.machines)
    return evolve(plan, steps=(step, *(_if_changed(each, step) for each in plan.steps)))


async def store_secrets(
    session: Session, app: str, values: Mapping[str, Secret | None]
) -> SecretsVersion:
    """Sets them, and deletes those given as None, in one call; machines do not see them yet."""
    return await set_secrets(session.client.api, app, values)


def plan_handing_out(
    session: Session,
    observed: ObservedApp,
    change: SecretsChange,
    stored: SecretsVersion | None = None,
) -> AppPlan:
    """Restarts, with their present configs, the machines that have not seen all secrets yet.

    `observed` shows the secrets as they are now.

    Raises:
        ConfigError: the strategy that the options name is impossible for a group.
    """
    seen = digests_hash(observed.secrets)
    stale = tuple(m for m in observed.machines if metadata(m).get(ALL_SECRETS_SEEN) != seen)
    return _plan(session, observed, change, stale, stored)


def _plan(
    session: Session,
    observed: ObservedApp,
    change: SecretsChange,
    stale: tuple[models.Machine, ...],
    stored: SecretsVersion | None = None,
) -> AppPlan:
    everything, known = digests_hash(observed.secrets), change.known.secrets
    own = digests_hash({n: observed.secrets[n] for n in known if n in observed.secrets})
    return plan_reconfiguration(
        Reconfiguration(
            observed=observed,
            label=change.ref.label,
            configs={machine.id or "": _seeing(machine, everything, own) for machine in stale},
            release=session.release(next_number(observed.machines, change.known.releases)),
            new_id=session.new_id,
            options=change.options,
            definition=change.definition,
            restart=True,
            min_secrets_version=stored.version if stored else None,
        )
    )


def _if_changed(step: Step, secrets: SetSecrets) -> Step:
    behind = step if step.needs else step.after(secrets.id)
    if isinstance(behind, UpdateMachine):
        return evolve(behind, secrets_from=secrets.id, only_if_secrets_differ=True)
    return behind


def _foreseen(name: str, values: Mapping[str, Secret | None], observed: ObservedApp) -> str:
    if values[name] is None:
        return "removed" if name in observed.secrets else "absent"
    return "unknown" if name in observed.secrets else "new"


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
    marks = {ALL_SECRETS_SEEN: everything}
    if SEEN_KEY in (config.metadata or {}):
        marks[SEEN_KEY] = own
    config.metadata = {**(config.metadata or {}), **marks}
    return config
