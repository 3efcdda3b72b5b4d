"""The provisioners of servers: one for each resource, or accounts on one that the project shares.

Notes and outputs have the form of the Go score-flyio's Postgres, so that either tool carries on
from the other. Beyond that, `incomplete: true` marks what a failed run began: the next run
completes it, and deprovisioning removes it.
"""

from __future__ import annotations

from typing import Any, Final

from score_flyio.base.record import define, field, frozen
from score_flyio.base.secret import Secret
from score_flyio.resources.provisioner import ProvisionRequest, ProvisionResult
from score_flyio.resources.servers import execute, instance, names
from score_flyio.resources.servers.access import FlyAccess
from score_flyio.resources.servers.attempt import Attempt
from score_flyio.resources.servers.description import Admin, Server
from score_flyio.resources.servers.names import VERIFIERS
from score_flyio.resources.template.entry import Entry
from score_flyio.resources.template.provisioner import Rendering
from score_flyio.resources.template.surroundings import Surroundings
from score_flyio.score.resources import JsonObject

INCOMPLETE: Final = "incomplete"


@frozen
class _Described:
    entry: Entry
    access: FlyAccess
    surroundings: Surroundings = field(repr=False)
    named: dict[str, str]
    """Names of databases that were chosen → whose they are."""

    @property
    def server(self) -> Server:
        server = self.entry.server
        assert server is not None
        return server

    def attempt(self, request: ProvisionRequest, notes: Any) -> Attempt:
        return Attempt.of(request, self.access, self.server, notes)

    def rendering(self, request: ProvisionRequest, password: Secret) -> Rendering:
        def verifier(kind: str) -> str:
            return VERIFIERS[kind](password)

        return Rendering.of(self.entry, request, self.surroundings, verifier=verifier)

    def answer(
        self,
        rendering: Rendering,
        attempt: Attempt,
        password: Secret,
        *,
        state: JsonObject | None,
        shared: JsonObject | None = None,
        **values: Any,
    ) -> ProvisionResult:
        """The outputs, by the templates of the entry."""
        known = {**attempt.values, **values}
        outputs = rendering.section("outputs", **known) or {}
        secrets = rendering.section("secrets", **known, Password=password.reveal()) or {}
        rendering.expect_outputs({**outputs, **secrets})
        return ProvisionResult(state=state, values=outputs, secrets=secrets, shared=shared)


@frozen
class OwnServer(_Described):
    """A server for one resource; its outputs are those of the operator."""

    async def provision(self, request: ProvisionRequest) -> ProvisionResult:
        attempt, admin = self.attempt(request, request.state), self.entry.admin
        complete = bool(attempt.app) and not request.state.get(INCOMPLETE)

        def kept() -> ProvisionResult | None:
            unfinished = attempt.begun and (attempt.fresh or not complete)
            mark = {INCOMPLETE: True} if unfinished else {}
            return ProvisionResult(state={**attempt.notes, **mark}) if attempt.app else None

        async with attempt.connected(kept):
            await attempt.instance(complete=complete)
            rendering = self.rendering(request, attempt.password)
            if admin is not None and (attempt.fresh or not complete):
                stdin = rendering.text("admin.create", admin.create, **attempt.values)
                await execute.create(attempt.client.api, attempt.app, admin, stdin)
        return self.answer(rendering, attempt, attempt.password, state=attempt.notes)

    async def deprovision(self, request: ProvisionRequest) -> ProvisionResult:
        attempt = self.attempt(request, request.state)
        if not attempt.app:
            return ProvisionResult()
        async with attempt.connected(lambda: None):
            await instance.delete(attempt.client, attempt.app)
        return ProvisionResult(state={})


@frozen
class SharedServer(_Described):
    """A database (or what the server has in its place) with a user of its own, on one server."""

    @property
    def admin(self) -> Admin:
        admin = self.entry.admin
        assert admin is not None
        return admin

    async def provision(self, request: ProvisionRequest) -> ProvisionResult:
        shared = _Shared.of(request, self.entry.shared_key)
        attempt = self.attempt(request, shared.entry)
        account = _Account.of(request, shared.databases, self.named)
        made = False

        def kept() -> ProvisionResult | None:
            if not attempt.app:
                return None
            if not attempt.begun:
                return ProvisionResult(shared={self.entry.shared_key: attempt.notes})
            if attempt.fresh and not made:
                # The server that these were on is gone.
                shared.databases, shared.complete, account.complete = (), False, False
            return ProvisionResult(
                state=None if account.complete else {**account.state, INCOMPLETE: True},
                shared=shared.patch(attempt, account.database, incomplete=not shared.complete),
            )

        async with attempt.connected(kept):
            await attempt.instance(complete=shared.complete)
            made = shared.complete = True
            if attempt.fresh:
                shared.databases, account.complete = (), False
            rendering = self.rendering(request, account.password)
            if not account.complete:
                stdin = rendering.text("admin.create", self.admin.create, **account.names)
                await execute.create(attempt.client.api, attempt.app, self.admin, stdin)
        return self.answer(
            rendering,
            attempt,
            account.password,
            state=None if account.complete else account.state,
            shared=shared.patch(attempt, account.database, incomplete=False),
            **account.names,
        )

    async def deprovision(self, request: ProvisionRequest) -> ProvisionResult:
        shared = _Shared.of(request, self.entry.shared_key)
        attempt = self.attempt(request, shared.entry)
        database = request.state.get("database")
        if not isinstance(database, str) or database not in shared.databases or not attempt.app:
            return ProvisionResult()
        left = [name for name in shared.databases if name != database]
        account = _Account.of(request, shared.databases, self.named)
        async with attempt.connected(lambda: None):
            if not left:
                await instance.delete(attempt.client, attempt.app)
                return ProvisionResult(shared={self.entry.shared_key: None})
            drop = self.admin.drop or ""
            rendering = self.rendering(request, account.password)
            stdin = rendering.text("admin.drop", drop, **account.names)
            await execute.drop(attempt.client.api, attempt.app, self.admin, stdin)
        return ProvisionResult(shared={self.entry.shared_key: {**attempt.notes, "dbNames": left}})


@define(kw_only=True)
class _Shared:
    """What the project's shared state says about the server."""

    key: str
    entry: JsonObject = field(repr=False)
    databases: tuple[str, ...]
    complete: bool

    @classmethod
    def of(cls, request: ProvisionRequest, key: str) -> _Shared:
        entry = request.shared.get(key)
        entry = entry if isinstance(entry, dict) else {}
        listed = entry.get("dbNames")
        databases = tuple(map(str, listed)) if isinstance(listed, list) else ()
        complete = bool(databases) and not entry.get(INCOMPLETE)
        return cls(key=key, entry=entry, databases=databases, complete=complete)

    def patch(self, attempt: Attempt, database: str, *, incomplete: bool) -> JsonObject:
        """The change of the shared state that enters a database."""
        known = self.databases if database in self.databases else (*self.databases, database)
        entry: dict[str, Any] = {**attempt.notes, "dbNames": list(known)}
        if incomplete:
            entry[INCOMPLETE] = True
        elif INCOMPLETE in self.entry:
            entry[INCOMPLETE] = None
        return {self.key: entry}


@define(kw_only=True)
class _Account:
    """The database of one resource, with its user."""

    database: str
    user: str
    password: Secret
    complete: bool
    """Whether it is known to be there."""

    @classmethod
    def of(
        cls, request: ProvisionRequest, databases: tuple[str, ...], named: dict[str, str]
    ) -> _Account:
        state, database = request.state, request.state.get("database")
        if not isinstance(database, str) or not database:
            others = {name for name, guid in named.items() if guid != request.guid}
            database = names.database_name(request.uid.id, request.guid, others.union(databases))
            named[database] = request.guid
            state = {}
        password = state.get("password")
        has_password = isinstance(password, str) and bool(password)
        return cls(
            database=database,
            user=str(state.get("username") or names.user_name(database)),
            password=Secret(str(password)) if has_password else names.new_password(),
            complete=has_password and not state.get(INCOMPLETE) and database in databases,
        )

    @property
    def state(self) -> JsonObject:
        return {
            "database": self.database,
            "username": self.user,
            "password": self.password.reveal(),
        }

    @property
    def names(self) -> dict[str, str]:
        """What it is called, for templates."""
        return {"Database": self.database, "User": self.user}
