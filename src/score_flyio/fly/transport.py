"""One HTTP exchange with the Machines API: no retries, no limits, no decoding into classes.

Exceptions of the network end here.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final, TypeAlias
from urllib.parse import quote, urlencode

import anyio

from fly_machines.operations import Operation, QueryValue
from score_flyio._version import __version__
from score_flyio.base.place import leaves
from score_flyio.base.record import field, frozen
from score_flyio.base.secret import Secret
from score_flyio.errors import FlyConnectionError, FlyProtocolError, FlyTimeout, Problem, Request
from score_flyio.fly.auth import Tokens
from score_flyio.fly.elements import Elements
from score_flyio.fly.errors import api_error
from score_flyio.fly.login import Login
from score_flyio.net.credentials import is_stand_in
from score_flyio.net.exchange import (
    Answered,
    Asked,
    Network,
    NoAnswerError,
    UnreadableError,
    network_reason,
    open_network,
)
from score_flyio.net.in_flight import in_flight
from score_flyio.net.web_address import WebAddress, read_web_address

if TYPE_CHECKING:
    import httpx

TransportFactory: TypeAlias = "Callable[[], httpx.AsyncBaseTransport]"

DEFAULT_BASE_URL: Final = "https://api.machines.dev"
WEB_TAG: Final = "Web"
"""Tag of operations beside the Machines API: they are below `/api/v1`, and take other tokens."""
GRAPHQL_TAG: Final = "GraphQL"
"""Tag of operations of GraphQL, which stand at their own path."""
_ROOTS: Final = {WEB_TAG: "/api/v1", GRAPHQL_TAG: ""}
"""Where operations begin that are none of the Machines API."""
READ_SECONDS: Final = 90.0
"""Longer than the service's own limit of 60 seconds, so that its 408 is seen."""
BEYOND_WAIT: Final = 15.0
"""How much longer than a wait's or a command's own time limit the client waits."""
LONGEST_WAIT: Final = 60.0
AGAIN: Final = (
    "run the same command again: it finds what was done, and goes on from there; if it stays so, "
    "see what ends connections on the way, such as a proxy (HTTPS_PROXY) or a firewall"
)
"""What to do where an answer got lost."""


def web_operation(name: str, method: str, path: str) -> Operation:
    """An operation beside the Machines API, by the id that it has in events and faults."""
    return Operation(id=f"Web_{name}", method=method, path=path, tag=WEB_TAG, success=(200, 201))


@frozen(kw_only=True)
class Call:
    """One call, ready to be sent."""

    operation: Operation
    path: Mapping[str, str]
    query: Mapping[str, QueryValue] = field(factory=dict)
    headers: Mapping[str, str | None] = field(factory=dict)
    body: Any = field(default=None, repr=False)
    """A JSON value, or None for no body."""

    @cached_property
    def url_path(self) -> str:
        """The path below the base URL, values escaped."""
        url = self.operation.path
        for name, value in self.path.items():
            url = url.replace("{" + name + "}", quote(value, safe=""))
        return _ROOTS.get(self.operation.tag, "/v1") + url

    @property
    def request(self) -> Request:
        """What errors and events say about the call: neither query nor body."""
        operation = self.operation
        return Request(method=operation.method, path=self.url_path, operation=operation.id)


@frozen(kw_only=True)
class Answer:
    """A success: the status, and the body as JSON value, text, or None when it is empty.

    The value of an array is `Elements`.
    """

    status: int
    value: Any = field(default=None, repr=False)


class HttpTransport:
    """Carries calls out over HTTP, or over the transports that a factory makes."""

    def __init__(
        self, base_url: str, login: Login, *, factory: TransportFactory | None = None
    ) -> None:
        address = api_address(base_url, confidential=factory is None)
        self._url, self._shown, self._encrypted = address.url, address.shown, address.encrypted
        self._login = login
        self._factory = factory
        self._opened: Network | None = None

    async def aclose(self) -> None:
        """Close what is open."""
        opened, self._opened = self._opened, None
        if opened is not None:
            with anyio.move_on_after(5, shield=True):
                await opened.aclose()

    async def exchange(self, call: Call) -> Answer:
        """Send the call once.

        Raises FlyConnectionError or FlyTimeout without an answer (`sent` tells whether it may have
        been carried out), an error of `fly.errors.api_error` for a refusal, and FlyProtocolError
        for a success that cannot be read.
        """
        tokens = await self._login.fresh()
        response = await self._send(call, tokens)
        if 200 <= response.status < 300:
            return Answer(status=response.status, value=_content(call, response))
        secrets = self._secrets_of(call)
        raise api_error(call.request, response.status, response.headers, response.body, secrets)

    async def _send(self, call: Call, tokens: Tokens) -> Answered:
        seconds = read_seconds(call)
        waits = seconds != READ_SECONDS
        method, path = call.operation.method, call.operation.path
        # What only looks, or is about a lease, has no machine do anything.
        brief = not waits and (method == "GET" or path.endswith("/lease"))
        asked = Asked(
            method=method,
            url=self._url + call.url_path + _query(call.query),
            headers=_headers(call, tokens),
            body=None if call.body is None else json.dumps(call.body).encode(),
            seconds=seconds,
            brief=brief,
        )
        try:
            with nullcontext() if waits else in_flight(f"{method} {self._shown}{call.url_path}"):
                return await self._network().exchange(asked)
        except NoAnswerError as error:
            kind = FlyTimeout if error.late else FlyConnectionError
            what = "no answer in time" if error.late else "the connection failed"
            raise kind(
                f"{_named(call)}: {what}: {network_reason(error)}",
                request=call.request,
                sent=error.sent,
                hint=AGAIN if error.sent else f"is {self._shown} reachable from here?",
            ) from error
        except UnreadableError as error:
            raise unreadable(call, f"the answer cannot be read ({error})") from error

    def _network(self) -> Network:
        if self._opened is None and self._factory is not None:
            from score_flyio.net.http import OverHttpx

            transport = self._factory()
            self._opened = OverHttpx(transport.handle_async_request, transport.aclose)
        self._opened = self._opened or open_network(encrypted=self._encrypted)
        return self._opened

    def _secrets_of(self, call: Call) -> list[Secret]:
        """What a refusal may repeat."""
        secrets = [token for token in self._login.tokens.values if not is_stand_in(token)]
        if call.operation.tag == "Secrets":
            secrets += [Secret(text) for _, text in leaves(call.body) if isinstance(text, str)]
        return secrets


def api_address(
    url: str,
    *,
    confidential: bool = True,
    name: str = "the address of the Machines API",
    example: str = DEFAULT_BASE_URL,
) -> WebAddress:
    """The address of a Machines API, without `/v1` and slashes at its end.

    `name` says where it was given.

    Raises ConfigError when it is none, or when `confidential` calls would go out unencrypted.
    """
    code = "base_url_invalid"
    return read_web_address(
        url, name=name, example=example, code=code, confidential=confidential
    ).root


def read_seconds(call: Call) -> float:
    """How long to wait for an answer: beyond the call's own time limit, where it has one."""
    own: Any = None
    if call.operation.id == "Machines_wait":
        own = call.query.get("timeout") or LONGEST_WAIT
    elif call.operation.id == "Machines_exec" and isinstance(call.body, dict):
        own = call.body.get("timeout")
    return float(own) + BEYOND_WAIT if own else READ_SECONDS


def unreadable(call: Call, why: str, problems: Sequence[Problem] = ()) -> FlyProtocolError:
    """The error for an answer that says nothing."""
    return FlyProtocolError(f"{_named(call)}: {why}", request=call.request, problems=problems)


def not_json(call: Call, status: int) -> FlyProtocolError:
    """The error for a success whose body is not JSON."""
    return unreadable(call, f"{status} with a body that is not JSON")


def _content(call: Call, response: Answered) -> Any:
    if not response.body.strip():
        return None
    if "json" not in response.headers.get("content-type", "json"):
        return response.text
    try:
        if response.body.startswith(b"["):
            return Elements(response.body.decode())
        return json.loads(response.body)
    except (ValueError, RecursionError) as error:
        raise not_json(call, response.status) from error


def _headers(call: Call, tokens: Tokens) -> dict[str, str]:
    match call.operation.tag:
        case "Web":
            authorization = tokens.web_authorization()
        case "GraphQL":
            authorization = tokens.graphql_authorization()
        case _:
            authorization = tokens.authorization
    headers = {
        "authorization": authorization.reveal(),
        "accept": "application/json",
        "accept-encoding": "gzip, deflate",
        "user-agent": f"score-flyio/{__version__}",
    }
    if call.body is not None:
        headers["content-type"] = "application/json"
    headers.update({k: v for k, v in call.headers.items() if v is not None})
    return headers


def _query(query: Mapping[str, QueryValue]) -> str:
    given = {
        name: str(value).lower() if isinstance(value, bool) else value
        for name, value in query.items()
        if value is not None
    }
    text = urlencode(given, doseq=True)
    return f"?{text}" if text else ""


def _named(call: Call) -> str:
    return f"{call.operation.method} {call.url_path}"
