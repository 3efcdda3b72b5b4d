"""The provisioners `postgres-instance` and `postgres`.

One makes a server for a resource, the other a database on a server that the project shares.

Notes and outputs have the form of the Go score-flyio, so that either tool carries on from the
other. Beyond that, `incomplete: true` marks what a failed run began: the next run completes it,
and deprovisioning removes it.
"""

from __future__ import annotations

from typing import Any, Final

from attrs import define, field, frozen

from score_flyio.base.secret import Secret
from score_flyio.resources.postgres import database as databases
from score_flyio.resources.postgres import instance, names
from score_flyio.resources.postgres.access import FlyAccess
from score_flyio.resources.postgres.attempt import Attempt
from score_flyio.resources.provisioner import ProvisionRequest, ProvisionResult
from score_flyio.score.resources import JsonObject

SHARED_KEY: Final = "builtin-provisioners-postgres"
INCOMPLETE: Final = "incomplete"
SUPERUSER: Final = "postgres"


@frozen
class PostgresInstanceProvisioner:
    """A Postgres server for one resource; its outputs are those of the superuser."""

    access: FlyAccess

    @property
    def uses_shared(self) -> bool | None:
        return False

    async def provision(self, request: ProvisionRequest) -> ProvisionResult:
        attempt = Attempt.of(request, self.access, request.state)
        complete = bool(attempt.app) and not request.state.get(INCOMPLETE)

        def kept() -> ProvisionResult | None:
            unfinished = attempt.begun and (attempt.fresh or not complete)
            mark = {INCOMPLETE: True} if unfinished else {}
            return ProvisionResult(state={**attempt.notes, **mark}) if attempt.app else None

        async with attempt.client(kept) as client:
            await attempt.instance(client, complete=complete)
        return ProvisionResult(
            state=attempt.notes,
            values={
                **attempt.values,
                "username": SUPERUSER,
                "name": SUPERUSER,
                "database": SUPERUSER,
            },
            secrets={"password": attempt.password.reveal()},
        )

    async def deprovision(self, request: ProvisionRequest) -> ProvisionResult:
        attempt = Attempt.of(request, self.access, request.state)
        if not attempt.app:
            return ProvisionResult()
        async with attempt.client(lambda: None) as client:
            await instance.delete(client, attempt.app)
        return ProvisionResult(state={})


@frozen
class PostgresProvisioner:
    """A database with a role of its own, on the server that the project shares."""

    access: FlyAccess

    @property
    def uses_shared(self) -> bool | None:
        return True

    async def provision(self, request: ProvisionRequest) -> ProvisionResult:
        shared = _Shared.of(request)
        attempt = Attempt.of(request, self.access, shared.entry)
        account = _Account.of(request, shared.databases)
        made = False

        def kept() -> ProvisionResult | None:
            if not attempt.app:
                return None
            if not attempt.begun:
                return ProvisionResult(shared={SHARED_KEY: attempt.notes})
            if attempt.fresh and not made:
                # The server that these were on is gone.
                shared.databases, shared.complete, account.complete = (), False, False
            return ProvisionResult(
                state=None if account.complete else {**account.state, INCOMPLETE: True},
                shared=shared.patch(attempt, account.database, incomplete=not shared.complete),
            )

        async with attempt.client(kept) as client:
            await attempt.instance(client, complete=shared.complete)
            made = shared.complete = True
            if attempt.fresh:
                shared.databases, account.complete = (), False
            if not account.complete:
                await databases.create(
                    client.api,
                    attempt.app,
                    database=account.database,
                    user=account.user,
                    password=account.password,
                )
        return ProvisionResult(
            state=None if account.complete else account.state,
            values={
                **attempt.values,
                "username": account.user,
                "name": account.database,
                "database": account.database,
            },
            secrets={"password": account.password.reveal()},
            shared=shared.patch(attempt, account.database, incomplete=False),
        )

    async def deprovision(self, request: ProvisionRequest) -> ProvisionResult:
        shared = _Shared.of(request)
        attempt = Attempt.of(request, self.access, shared.entry)
        database = request.state.get("database")
        if not isinstance(database, str) or database not in shared.databases or not attempt.app:
            return ProvisionResult()
        left = [name for name in shared.databases if name != database]
        user = request.state.get("username") or names.user_name(database)
        async with attempt.client(lambda: None) as client:
            if not left:
                await instance.delete(client, attempt.app)
                return ProvisionResult(shared={SHARED_KEY: None})
            await databases.drop(client.api, attempt.app, database=database, user=user)
        return ProvisionResult(shared={SHARED_KEY: {**attempt.notes, "dbNames": left}})


@define(kw_only=True)
class _Shared:
    """What the project's shared state says about the server."""

    entry: JsonObject = field(repr=False)
    databases: tuple[str, ...]
    complete: bool

    @classmethod
    def of(cls, request: ProvisionRequest) -> _Shared:
        entry = request.shared.get(SHARED_KEY)
        entry = entry if isinstance(entry, dict) else {}
        listed = entry.get("dbNames")
        databases = tuple(map(str, listed)) if isinstance(listed, list) else ()
        complete = bool(databases) and not entry.get(INCOMPLETE)
        return cls(entry=entry, databases=databases, complete=complete)

    def patch(self, attempt: Attempt, database: str, *, incomplete: bool) -> JsonObject:
        """The change of the shared state that enters a database."""
        others = [name for name in self.databases if name != database]
        known = self.databases if database in self.databases else (*others, database)
        entry: dict[str, Any] = {**attempt.notes, "dbNames": list(known)}
        if incomplete:
            entry[INCOMPLETE] = True
        elif INCOMPLETE in self.entry:
            entry[INCOMPLETE] = None
        return {SHARED_KEY: entry}


@define(kw_only=True)
class _Account:
    """The database of one resource, with its role."""

    database: str
    user: str
    password: Secret
    complete: bool
    """Whether it is known to be there."""

    @classmethod
    def of(cls, request: ProvisionRequest, databases: tuple[str, ...]) -> _Account:
        state = request.state
        database = state.get("database")
        if isinstance(database, str) and database:
            password = state.get("password")
            has_password = isinstance(password, str) and bool(password)
            return cls(
                database=database,
                user=str(state.get("username") or names.user_name(database)),
                password=Secret(str(password)) if has_password else names.new_password(),
                complete=has_password and not state.get(INCOMPLETE) and database in databases,
            )
        database = names.database_name(request.uid.id, request.guid, databases)
        return cls(
            database=database,
            user=names.user_name(database),
            password=names.new_password(),
            complete=False,
        )

    @property
    def state(self) -> JsonObject:
        return {
            "database": self.database,
            "username": self.user,
            "password": self.password.reveal(),
        }
