"""Fly's own list of releases, which `fly releases` and the dashboard show.

The interface is not documented; paths, members and statuses are those that flyctl uses. Nothing at
Fly depends on these records but what people see there, and what later commands of flyctl take for
the latest fly.toml and image.
"""

from __future__ import annotations

from typing import Any, Final, Literal, TypeAlias

from fly_machines.operations import Operation
from score_flyio.base.record import define, field, frozen
from score_flyio.fly.sender import HttpSender
from score_flyio.fly.transport import GRAPHQL_TAG, web_operation

Status: TypeAlias = Literal["running", "complete", "failed", "interrupted"]

_CREATE: Final = web_operation("create_release", "POST", "/releases")
_UPDATE: Final = web_operation("update_release", "PATCH", "/releases/{release_id}")
_LIST: Final = web_operation("list_releases", "GET", "/apps/{app_name}/releases")
_GRAPHQL: Final = Operation(
    id="GraphQL", method="POST", path="/graphql", tag=GRAPHQL_TAG, success=(200,)
)
_DEFINITION: Final = """
query ($name: String!) { app(name: $name) { currentReleaseUnprocessed { configDefinition } } }
"""


@frozen(kw_only=True)
class Notice:
    """What is told of a release that begins."""

    app: str
    definition: dict[str, Any] = field(repr=False)
    """The fly.toml as flyctl's JSON."""
    image: str
    strategy: str


@define(kw_only=True)
class _Numbered:
    id: str
    version: int


@define(kw_only=True)
class _Created:
    release: _Numbered


@define(kw_only=True)
class _Listed:
    id: str
    status: str = ""


@define(kw_only=True)
class _List:
    releases: list[_Listed] = field(factory=list)


@define(kw_only=True)
class _Found:
    data: dict[str, Any] | None = None


class ReleaseApi:
    """Makes records of releases, says how they end, and reads what the last one was made from."""

    def __init__(self, sender: HttpSender) -> None:
        self._sender = sender

    async def create(self, notice: Notice) -> tuple[str, int]:
        """Begin a release; its id and its number. Raises FlyError.

        A repeated call begins another one.
        """
        body = {
            "app_name": notice.app,
            "build_id": 0,  # the image was not built by Fly
            "definition": notice.definition,
            "image": notice.image,
            "strategy": notice.strategy.upper(),
        }
        created = await self._sender.send(
            _CREATE, _Created, path={"app_name": notice.app}, body=body
        )
        return created.release.id, created.release.version

    async def update(
        self, app: str, release_id: str, status: Status, metadata: dict[str, Any] | None = None
    ) -> None:
        """Say how a release stands. Raises FlyError."""
        await self._sender.send(
            _UPDATE,
            type(None),
            path={"app_name": app, "release_id": release_id},
            body={"status": status, "metadata": metadata},
        )

    async def statuses(self, app: str, newest: int) -> dict[str, str]:
        """How so many of the newest releases stand, by id. Raises FlyError."""
        listed = await self._sender.send(
            _LIST, _List, path={"app_name": app}, query={"limit": newest}
        )
        return {release.id: release.status for release in listed.releases}

    async def definition(self, app: str) -> dict[str, Any] | None:
        """The fly.toml of the last release, as flyctl's JSON. Raises FlyError.

        None where nobody told Fly of one, or the token may not ask.
        """
        body = {"query": _DEFINITION, "variables": {"name": app}}
        answer = await self._sender.send(_GRAPHQL, _Found, path={"app_name": app}, body=body)
        found: Any = answer.data
        for name in ("app", "currentReleaseUnprocessed", "configDefinition"):
            found = found.get(name) if isinstance(found, dict) else None
        return found if isinstance(found, dict) and found else None
