"""Keeps pages in a browser away from the emulator.

A page of any site can send requests to a port of this computer. What it sends carries its `Origin`,
or the browser's word that it comes from another site; and a page whose host name was made to lead
here (DNS rebinding) names that host. Clients that are no browsers send none of it.
"""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import ip_address
from typing import Final
from urllib.parse import urlsplit

from attrs import field, frozen

from fly_emulator.server import Handle
from fly_emulator.wire import ApiRequest, ApiResponse
from score_flyio.net.web_address import is_loopback

_SAME: Final = frozenset({"same-origin", "none"})
"""What browsers say of requests that no other site made."""
_NO_PAGE: Final = "open the emulator's own page, or call it from a program"


def _lower(names: Iterable[str]) -> frozenset[str]:
    return frozenset(map(str.lower, names))


@frozen(kw_only=True)
class Guard:
    """Which hosts a server that is bound to an address may be called by.

    Loopback addresses and `localhost` always; where it is bound to others, every address and every
    name without a dot, as containers have them; else only the `names` that were given.
    """

    bound: str
    """The address that it listens on."""
    names: frozenset[str] = field(default=frozenset(), converter=_lower)
    """Further host names."""

    def before(self, handle: Handle) -> Handle:
        """The handler, for requests that no page of another site made."""

        async def guarded(request: ApiRequest) -> ApiResponse:
            return self.refusal(request) or await handle(request)

        return guarded

    def refusal(self, request: ApiRequest) -> ApiResponse | None:
        """Why a request is refused; None: it is not."""
        authority = request.headers.get("host", "").strip().lower()
        host = _host(authority)
        if not self._is_own(host):
            hint = f"call it by an address, or serve with --allow-host {host or 'NAME'}"
            return _forbidden(f"the emulator is not known as {host!r}", hint)
        origin = request.headers.get("origin")
        if origin is not None and origin.strip().lower().partition("://")[2] != authority:
            return _forbidden(f"pages of {origin} may not call the emulator", _NO_PAGE)
        site = request.headers.get("sec-fetch-site", "none")
        if site not in _SAME and not _follows_link(request):
            return _forbidden("pages of other sites may not call the emulator", _NO_PAGE)
        return None

    def _is_own(self, host: str) -> bool:
        if is_loopback(host) or host.endswith(".localhost") or host in self.names:
            return True
        return not is_loopback(self.bound) and (_is_address(host) or bool(host and "." not in host))


def _follows_link(request: ApiRequest) -> bool:
    """Whether somebody opens the page about the emulator by a link elsewhere."""
    mode = request.headers.get("sec-fetch-mode")
    return mode == "navigate" and request.method == "GET" and request.path == "/"


def _host(authority: str) -> str:
    """Without port and brackets; empty where it cannot be one."""
    try:
        return urlsplit(f"//{authority}").hostname or ""
    except ValueError:
        return ""


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def _forbidden(error: str, hint: str) -> ApiResponse:
    return ApiResponse(status=403, document={"error": error, "hint": hint})
