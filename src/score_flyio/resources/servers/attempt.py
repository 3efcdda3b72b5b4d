"""What all provisioners of servers do: find or make the server, and tell failures."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, Final

from score_flyio.base.record import define, field
from score_flyio.base.secret import Secret
from score_flyio.errors import ConfigError, FlyError, ProvisionFailed, ScoreFlyError
from score_flyio.fly.auth import WITHOUT_ACCOUNT
from score_flyio.fly.client import FlyClient
from score_flyio.resources.provisioner import ProvisionIncomplete, ProvisionRequest, ProvisionResult
from score_flyio.resources.servers import names
from score_flyio.resources.servers.access import TOKEN_VARIABLES, FlyAccess
from score_flyio.resources.servers.description import Server
from score_flyio.resources.servers.instance import Instance, is_foreign
from score_flyio.state.model import PREFIX_KEY

NAMES_TRIED: Final = 5
ENVIRONMENT_MISSING: Final = "environment_missing"
_DEPLOY_WITHOUT: Final = "try it without an account: score-flyio deploy --emulate"
"""What provisions without a session, such as `generate`, goes to no emulator."""


@define(kw_only=True)
class Attempt:
    """One call of a provisioner: what is known of the instance, and what was begun."""

    request: ProvisionRequest
    access: FlyAccess
    server: Server
    app: str = ""
    password: Secret = field(factory=names.new_password)
    known: bool = False
    """Whether the notes of an earlier run had the password."""
    begun: bool = False
    """Whether something exists at Fly that must not be forgotten."""
    fresh: bool = False
    """Whether the app was not there when this call began."""

    @classmethod
    def of(
        cls, request: ProvisionRequest, access: FlyAccess, server: Server, notes: Any
    ) -> Attempt:
        """With what the notes of an earlier run say about the instance."""
        attempt = cls(request=request, access=access, server=server)
        if not isinstance(notes, dict):
            return attempt
        app, password = notes.get("app"), notes.get("password")
        if isinstance(app, str) and app:
            attempt.app = app
        if isinstance(password, str) and password:
            attempt.password, attempt.known = Secret(password), True
        return attempt

    @property
    def notes(self) -> dict[str, Any]:
        """What the next run has to know of the instance."""
        return {"app": self.app, "password": self.password.reveal()}

    @property
    def values(self) -> dict[str, Any]:
        """Where the server is, for templates."""
        return {"App": self.app, "Host": f"{self.app}.flycast", "Port": str(self.server.port)}

    async def instance(self, client: FlyClient, *, complete: bool) -> None:
        """Find or make the instance; a complete one need only be there.

        Raises FlyError and ScoreFlyError.
        """
        remembered = bool(self.app)
        for number in range(NAMES_TRIED):
            if not remembered:
                self.app = self._new_name(number)
            instance = self._instance(client)
            try:
                present = await instance.find()
                self.fresh = present is None
                if present is None or not complete:
                    self.password = await instance.make(present)
            except FlyError as error:
                if remembered or not is_foreign(error) or number == NAMES_TRIED - 1:
                    raise
                self.begun = False
            else:
                self.begun = True
                return

    def _instance(self, client: FlyClient) -> Instance:
        def begin() -> None:
            self.begun = True

        return Instance(
            client=client,
            access=self.access,
            server=self.server,
            app=self.app,
            password=self.password,
            known=self.known,
            begun=begin,
        )

    def _new_name(self, number: int) -> str:
        prefix = self.request.shared.get(PREFIX_KEY)
        text = prefix if isinstance(prefix, str) else ""
        try:
            return names.app_name(text, self._guid, number, kind=self.server.app)
        except ValueError as error:
            raise ScoreFlyError(
                str(error),
                hint="start the project with a shorter --fly-app-prefix",
                code="app_name_invalid",
            ) from error

    @property
    def _guid(self) -> str:
        return f"{self.request.uid.type}:{self.request.guid}"

    @asynccontextmanager
    async def client(self, kept: Callable[[], ProvisionResult | None]) -> AsyncIterator[FlyClient]:
        """A client; failures inside become those of a provisioner, with what `kept` gives.

        Raises ProvisionFailed and ProvisionIncomplete.
        """
        uid = str(self.request.uid)
        try:
            async with self.access.connect() as client:
                yield client
        except ProvisionFailed:
            raise
        except ConfigError as error:
            missing = error.code.startswith("token_")
            needed = f"{TOKEN_VARIABLES[0]} is needed" if missing else "no way to Fly"
            raise ProvisionFailed(
                f"resource '{uid}': {self.server.name}: {needed}: {error.message}",
                uid=uid,
                hint=error.hint and error.hint.replace(WITHOUT_ACCOUNT, _DEPLOY_WITHOUT),
                code=ENVIRONMENT_MISSING if missing else error.code,
            ) from error
        except ScoreFlyError as error:
            message, result = f"resource '{uid}': {self.server.name}: {error.message}", kept()
            code = error.code if error.code == ENVIRONMENT_MISSING else None
            if result is None:
                raise ProvisionFailed(message, uid=uid, hint=error.hint, code=code) from error
            raise ProvisionIncomplete(
                message, uid=uid, result=result, hint=error.hint, code=code
            ) from error
