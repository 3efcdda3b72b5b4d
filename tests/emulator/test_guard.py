"""Pages in a browser have no way to a served emulator, but its own page has."""

from __future__ import annotations

import httpx
import pytest

from fly_emulator import Emulator
from fly_emulator.guard import Guard
from fly_emulator.wire import ApiRequest

EVERYWHERE = "0.0.0.0"
PATHS = ("/v1/apps", "/_emulator/reset", "/graphql", "/v2/", "/", "/health")


def refuses(
    guard: Guard, method: str = "POST", path: str = "/_emulator/reset", **headers: str
) -> bool:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return guard.refusal(ApiRequest(method=method, path=path, headers=named)) is not None


def guard(bound: str = "127.0.0.1", *names: str) -> Guard:
    return Guard(bound=bound, names=frozenset(names))


@pytest.mark.parametrize("bound", ["127.0.0.1", "::1", EVERYWHERE])
@pytest.mark.parametrize(
    "host",
    ["127.0.0.1:4280", "localhost:4280", "LOCALHOST", "[::1]:4280", "fly.localhost", "127.9.9.9"],
)
def test_it_is_always_known_by_its_own_names(bound: str, host: str) -> None:
    assert not refuses(guard(bound), host=host)


@pytest.mark.parametrize("bound", ["127.0.0.1", EVERYWHERE])
@pytest.mark.parametrize(
    "host",
    [
        "",
        "evil.example:4280",
        "127.0.0.1.evil.example",
        "localhost.evil.example",
        "[",
        "a@evil.example",
        "evil.example.",
    ],
)
def test_a_name_that_was_made_to_lead_here_is_refused(bound: str, host: str) -> None:
    assert refuses(guard(bound), host=host)


def test_containers_call_it_by_short_names_and_addresses() -> None:
    for host in ("fly:4280", "10.0.0.7:4280", "[fd00::1]:4280"):
        assert refuses(guard(), host=host)
        assert not refuses(guard(EVERYWHERE), host=host)


def test_names_that_were_given_count() -> None:
    assert refuses(guard(), host="host.docker.internal:4280")
    assert not refuses(guard("127.0.0.1", "Host.Docker.internal"), host="host.docker.internal:4280")


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(
    ("origin", "bad"),
    [
        ("http://127.0.0.1:4280", False),
        ("http://127.0.0.1:3000", True),
        ("http://localhost:4280", True),
        ("https://evil.example", True),
        ("null", True),
        ("", True),
    ],
)
def test_only_its_own_page_may_call_it(path: str, origin: str, bad: bool) -> None:
    assert refuses(guard(), "POST", path, host="127.0.0.1:4280", origin=origin) is bad


@pytest.mark.parametrize(
    ("method", "path", "site", "mode", "bad"),
    [
        ("GET", "/v1/apps", "cross-site", "no-cors", True),
        ("GET", "/_emulator/snapshot", "same-site", "no-cors", True),
        ("GET", "/_emulator/snapshot", "same-origin", "cors", False),
        ("GET", "/_emulator/snapshot", "cross-site", "navigate", True),
        ("GET", "/", "cross-site", "navigate", False),
        ("POST", "/", "cross-site", "navigate", True),
        ("GET", "/", "cross-site", "no-cors", True),
        ("GET", "/", "none", "navigate", False),
    ],
)
def test_what_browsers_say_of_other_sites_counts(
    method: str, path: str, site: str, mode: str, bad: bool
) -> None:
    headers = {"host": "localhost:4280", "sec_fetch_site": site, "sec_fetch_mode": mode}
    assert refuses(guard(), method, path, **headers) is bad


@pytest.mark.parametrize("path", PATHS)
async def test_a_served_emulator_is_guarded_everywhere(path: str) -> None:
    async with Emulator() as fly, fly.serve() as url, httpx.AsyncClient(base_url=url) as client:
        rebound = await client.get(path, headers={"host": "evil.example"})
        assert rebound.status_code == 403
        assert "evil.example" in rebound.json()["hint"]
        crossing = await client.post(path, headers={"origin": "https://evil.example"})
        assert crossing.status_code == 403
        assert fly.journal.entries == []
        assert (await client.get(path)).status_code != 403
