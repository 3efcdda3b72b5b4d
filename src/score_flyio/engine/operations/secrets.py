"""Secrets of an app, beside those that a deploy sets: listed, set, unset, and handed out.

Machines see new secrets when they start anew. Which ones a machine has seen stands in its metadata,
as a hash over the digests; an interrupted command is therefore finished by repeating it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import deepcopy
from typing import Final, TypeAlias

from fly_machines import models
from score_flyio.base.document import Document
from score_flyio.base.misspelt import did_you_mean, nearest
from score_flyio.base.record import evolve, frozen
from score_flyio.base.secret import Secret
from score_flyio.deploy.app_step import SetSecrets
from score_flyio.deploy.condition import host_answers
from score_flyio.deploy.execution.report import Report
from score_flyio.deploy.metadata import STAGED, STAGED_REMOVAL, Marks, without_marks
from score_flyio.deploy.model import ObservedApp
from score_flyio.deploy.observe import Wanted
from score_flyio.deploy.options import DeployOptions
from score_flyio.deploy.planning.model import AppPlan
from score_flyio.deploy.planning.secrets import digests_hash, have_arrived
from score_flyio.deploy.planning.updates import Reconfiguration, plan_reconfiguration
from score_flyio.deploy.releases.known import next_number
from score_flyio.deploy.step import Step, UpdateMachine
from score_flyio.engine.apply import Work
from score_flyio.engine.operations.apps import AppRef, observe
from score_flyio.engine.operations.change import Before, Change, Operation, ask, operation
from score_flyio.engine.session import Session
from score_flyio.errors import Conflict, NotFound, UsageError
from score_flyio.errors.unwrap import at_once
from score_flyio.events import Scope, WarningRaised
from score_flyio.fly.repeats import SecretsVersion, resent, set_secrets
from score_flyio.flytoml.spec import AppSpec
from score_flyio.state.deployments import DeploymentRecord

HELD_FOR: Final = 10.0
"""Seconds that a machine may be held by somebody else before it takes no note."""
Values: TypeAlias = Mapping[str, Secret | None]
"""Secrets by name; None deletes."""


@frozen(kw_only=True)
class SecretStatus(Document):
    """One secret, by its digest alone."""

    name: str
    """As programs in the machines see it."""
    digest: str
    """What the platform gives in place of the value."""
    updated_at: str | None
    """When it was set, in RFC 3339, as the platform writes it."""


async def list_secrets(session: Session, ref: AppRef) -> tuple[SecretStatus, ...]:
    """The secrets of an app by name. Raises UsageError when there is no such app."""
    await observe(session, ref)
    answer = await session.client.api.secrets_list(ref.app)
    found = (
        SecretStatus(
            name=secret.name or "",
            digest=secret.digest or "",
            updated_at=secret.updated_at or secret.created_at or None,
        )
        for secret in answer.secrets or []
    )
    return tuple(sorted(found, key=lambda secret: secret.name))


@frozen(kw_only=True)
class _Setting:
    """What an app's machines are told of changed secrets, and how."""

    do: Operation
    ref: AppRef
    known: DeploymentRecord
    options: DeployOptions
    definition: AppSpec | None
    """The app's fly.toml, where it is known."""
    before: ObservedApp
    """The app before the change: what is set again as it was is nothing new to machines."""

    def foreseen(self, observed: ObservedApp, values: Values, *, stage: bool) -> AppPlan:
        """All that the change would do, as far as it can be told before.

        Values cannot be read, so any that is there already may turn out to be the same.
        """
        if not values:
            return self.handed_out(observed)
        changes = {name: _foreseen(name, values, observed) for name in values}
        step = SetSecrets(id="secrets", values=values, changes=changes)
        if stage:
            return self.do.session.plan(observed.name, self.ref.label, step)
        plan = self._plan(observed, observed.machines)
        return evolve(plan, steps=(step, *(_if_changed(each, step) for each in plan.steps)))

    def handed_out(self, observed: ObservedApp, stored: SecretsVersion | None = None) -> AppPlan:
        """Restarts, with their present configs, the machines that have not seen all secrets yet."""
        seen = digests_hash(observed.secrets)
        stale = tuple(m for m in observed.machines if Marks.of(m).all_secrets_seen != seen)
        if stored is not None and observed.secrets == self.before.secrets:
            stale = tuple(m for m in stale if not have_arrived(m, self.before))
        return self._plan(observed, stale, stored)

    def change(self, observed: ObservedApp, stored: SecretsVersion | None = None) -> Change:
        """How the secrets are handed out to an app that was just seen."""
        plan = self.handed_out(observed, stored)
        told = self.do.definition_after(self.ref, observed, plan, self.definition)
        work = Work(plan=plan, observed=observed, options=self.options, definition=told)
        return Change(ref=self.ref, work=work)

    def _plan(
        self,
        observed: ObservedApp,
        stale: tuple[models.Machine, ...],
        stored: SecretsVersion | None = None,
    ) -> AppPlan:
        everything, known = digests_hash(observed.secrets), self.known.secrets
        names = known.keys() & observed.secrets.keys()
        own = digests_hash({name: observed.secrets[name] for name in names}) if known else None
        return plan_reconfiguration(
            Reconfiguration(
                observed=observed,
                label=self.ref.label,
                configs={machine.id or "": _seeing(machine, everything, own) for machine in stale},
                release=self.do.session.release(
                    next_number(observed.machines, self.known.releases)
                ),
                new_id=self.do.session.new_id,
                options=self.options,
                definition=self.definition,
                restart=True,
                min_secrets_version=stored.version if stored else None,
            )
        )


async def change_secrets(
    session: Session,
    ref: AppRef,
    values: Values,
    *,
    stage: bool = False,
    options: DeployOptions | None = None,
    before: Before | None = None,
    dry_run: bool = False,
) -> Change:
    """Sets secrets, deletes those given as None, and restarts the machines that have not seen all.

    With `stage`, no machine is restarted: they see the secrets when they next start. Raises
    UsageError, and ConfigError for a strategy that is impossible for a group.
    """
    options, wanted = options or DeployOptions(), Wanted(secrets=True)
    async with operation(session, "secrets", ref, dry_run=dry_run) as do:
        for name in values:
            _check_name(name)
        observed = await observe(session, ref, wanted)
        _warn_of_unknown(do, ref, observed, values)
        definition = do.known_definition(ref)
        known = do.recorder.met(ref.app, observed.machines)
        setting = _Setting(
            do=do,
            ref=ref,
            known=known,
            options=options,
            definition=definition,
            before=observed,
        )
        plan = setting.foreseen(observed, values, stage=stage)
        foreseen = Change(ref=ref, work=Work(plan=plan, observed=observed, options=options))
        if dry_run:
            return foreseen
        await ask(before, foreseen)
        removes = any(values[name] is None and name in observed.secrets for name in values)
        if stage or removes:  # of a removal that is cut short, nothing else would tell
            await _mark(session, observed, removes=removes, stage=stage)
        stored = await set_secrets(session.client.api, ref.app, values) if values else None
        if stage:
            return evolve(foreseen, report=Report(target=session.target.name))

        async def look() -> Change:
            return setting.change(await observe(session, ref, wanted), stored)

        change = setting.change(observed) if stored is None else await look()
        return await do.carry_out(change, look=look)


def _warn_of_unknown(do: Operation, ref: AppRef, observed: ObservedApp, values: Values) -> None:
    """A name that is to go and is not there may be misspelt."""
    for name in sorted(name for name, value in values.items() if value is None):
        if name not in observed.secrets:
            meant = did_you_mean(nearest(name, observed.secrets), before="; ")
            do.warn(ref, f"there is no secret {name}{meant}", "unknown_secret")


async def _mark(session: Session, observed: ObservedApp, *, removes: bool, stage: bool) -> None:
    """Has the machines tell the next deploy that secrets wait, before these are there."""
    mark = STAGED_REMOVAL if removes else "true"
    body = models.UpsertMetadataKeyRequest(value=mark)

    async def tell(machine: str) -> None:
        upsert = session.client.api.machines_upsert_metadata
        try:
            await resent(
                lambda: upsert(observed.name, machine, STAGED, body),
                lambda error: isinstance(error, Conflict),
                within=HELD_FOR,
                longest=2.0,
            )
        except NotFound:
            return
        except Conflict:  # whoever holds it so long gives it a config, and most likely all secrets
            if removes and stage:
                message = (
                    f"machine {machine} is held by somebody else, and takes no note of the secrets "
                    "that are to go: the next deploy may leave it as it is; secrets deploy starts "
                    "it without them"
                )
                scope = Scope(app=observed.name, machine=machine)
                session.emit(WarningRaised(scope=scope, message=message, code="staged_untold"))

    done = {mark, STAGED_REMOVAL}
    there = (m for m in observed.machines if host_answers(m))
    await at_once(tell, [m.id or "" for m in there if Marks.of(m).staged not in done])


def _if_changed(step: Step, secrets: SetSecrets) -> Step:
    behind = step if step.needs else step.after(secrets.id)
    if isinstance(behind, UpdateMachine):
        return evolve(behind, secrets_from=secrets.id, only_if_secrets_differ=True)
    return behind


def _foreseen(name: str, values: Values, observed: ObservedApp) -> str:
    if values[name] is None:
        return "removed" if name in observed.secrets else "absent"
    return "unknown" if name in observed.secrets else "new"


def parse_pairs(texts: Sequence[str]) -> list[tuple[str, Secret]]:
    """`NAME=VALUE` arguments; values never show in messages. Raises UsageError."""
    pairs = []
    for text in texts:
        name, separator, value = text.partition("=")
        if not separator:
            raise UsageError(
                f"{name!r} has no value" if name.isidentifier() else "an argument has no `=`",
                hint="write NAME=VALUE, or use secrets import to read lines from stdin",
            )
        _check_name(name)
        pairs.append((name, Secret(value)))
    return pairs


def _check_name(name: str) -> None:
    if not (name.isascii() and name.isidentifier()):
        raise UsageError(
            f"{name!r} cannot be the name of a secret",
            hint="use letters, digits and underscores, and start with a letter",
            code="secret_name_invalid",
        )


def _seeing(machine: models.Machine, everything: str, own: str | None) -> models.FlyMachineConfig:
    """The config with what it sees: of `own`, the workload's secrets, only who deploys it knows."""
    told = Marks.of(machine).secrets_seen is not None
    marks = Marks(all_secrets_seen=everything, secrets_seen=own if told else None)
    config = deepcopy(machine.config) or models.FlyMachineConfig()
    return marks.stamp(without_marks(config, {STAGED}))
