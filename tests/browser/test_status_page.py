"""The emulator's page in a real browser: it shows what is there, as it changes, and acts on clicks."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from attrs import frozen

from tests.browser.chromium import PATIENCE, Page, chromium
from tests.browser.test_report import CONTRAST, OUTSIDE

HOSTILE = '<img src=x onerror="document.title=1">'
SERVICE = {
    "protocol": "tcp",
    "internal_port": 8080,
    "ports": [{"port": 443, "handlers": ["tls", "http"]}],
    "checks": [{"type": "http", "interval": "5s", "timeout": "2s", "path": "/"}],
}


@frozen
class Served:
    """A served emulator, its address, and its page in a browser."""

    url: str
    page: Page

    def call(self, method: str, path: str, body: Any = None) -> Any:
        headers = {"authorization": "Bearer any"}
        answer = httpx.request(method, f"{self.url}{path}", json=body, headers=headers)
        assert answer.is_success, answer.text
        return answer.json() if answer.content else None

    def until(self, expression: str) -> Any:
        """The value of an expression in the page, as soon as it says anything."""
        script = (
            f"new Promise((done, no) => {{ const look = () => {{ const found = {expression};"
            "found ? done(found) : Date.now() < end ? setTimeout(look, 30) : no(document.body.innerText) };"
            f"const end = Date.now() + {PATIENCE / 2 * 1000}; look() }})"
        )
        return self.page.evaluate(script)

    def click(self, selector: str) -> None:
        self.page.evaluate(f"document.querySelector({json.dumps(selector)}).click()")

    def machine(self, app: str, **body: Any) -> Any:
        body = {"config": {"image": "nginx:1", "services": [SERVICE]}, **body}
        return self.call("POST", f"/v1/apps/{app}/machines", body)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    command = [sys.executable, "-m", "score_flyio", "emulator", "serve", "--port", "0"]
    with (
        subprocess.Popen(
            [*command, "--checks", "0.2", "--no-limits"],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        ) as process,
        chromium(tmp_path_factory.mktemp("profile")) as opened,
    ):
        try:
            assert process.stdout is not None
            yield Served(process.stdout.readline().strip(), opened())
        finally:
            process.terminate()


@pytest.fixture
def shop(served: Served) -> Served:
    """An app with two machines, a volume, an address and a secret, some of it with hostile names."""
    served.call("POST", "/_emulator/reset")
    served.call("POST", "/v1/apps", {"name": "shop"})
    volume = served.call("POST", "/v1/apps/shop/volumes", {"name": "data", "region": "iad"})
    served.call("POST", "/v1/apps/shop/secrets", {"values": {"TOKEN": "a dummy value"}})
    served.call("POST", "/v1/apps/shop/ip_assignments", {"type": "v6"})
    mounts = [{"volume": volume["id"], "path": "/data"}]
    config = {"image": HOSTILE, "services": [SERVICE], "mounts": mounts}
    metadata = {"fly_process_group": HOSTILE, "fly_release_version": "3"}
    served.machine("shop", name=HOSTILE, config={**config, "metadata": metadata}, lease_ttl=600)
    served.machine("shop", region="lhr")
    served.page.open(served.url)
    served.until("document.querySelectorAll('.machines li.serves').length === 2")
    return served


def shown(served: Served, selector: str) -> str:
    return str(served.page.evaluate(f"document.querySelector({json.dumps(selector)}).innerText"))


def test_all_that_is_there_shows_and_hostile_names_are_text(shop: Served) -> None:
    text = shown(shop, "#apps")
    for told in ("shop", "2 of 2 serve", HOSTILE, f"{HOSTILE} v3", "iad on iad-", "lhr on lhr-"):
        assert told in text
    for told in ("checks 1/1", "leased by", "volume data", "attached to", "(v6)", "secrets TOKEN"):
        assert told in text
    assert shop.page.evaluate("document.images.length") == 0
    assert shop.page.evaluate("document.title") == "Fly emulator"
    assert shop.page.complaints() == []
    assert {url.rpartition("/")[0] for url in shop.page.requests()} <= {
        shop.url,
        f"{shop.url}/_emulator",
        "data:,",
    }


def test_it_changes_with_the_platform(shop: Served) -> None:
    assert shown(shop, "#live") == "live"
    shop.machine(
        "shop", config={"image": "nginx:2", "services": [SERVICE], "env": {"UNHEALTHY": "1"}}
    )
    shop.until("document.querySelectorAll('.machines li.failing').length === 1")
    assert "2 of 3 serve" in shown(shop, "#apps")
    assert shown(shop, "#count-machines") == "3"
    shop.until("document.querySelectorAll('.app .bars i').length > 1")
    shop.until("document.querySelectorAll('#calls b.call').length > 0")
    shop.call("DELETE", "/v1/apps/shop")
    shop.until("!document.getElementById('no-apps').hidden")
    assert shop.url in shown(shop, "#how")


def test_a_fault_by_a_click(shop: Served) -> None:
    shop.click("[data-rules='changes: 503 times=1']")
    assert "changes: 503 times=1" in shop.until("document.querySelector('#troubles li')?.innerText")
    with pytest.raises(AssertionError, match="injected fault 503"):
        shop.machine("shop")
    shop.until("document.querySelector('#troubles li').innerText.includes('struck 1 of 1 call')")
    shop.until(
        "document.querySelector('#journal .entry.failed')?.innerText.includes('injected fault 503')"
    )
    shop.click("#troubles button")
    shop.until("!document.querySelector('#troubles li')")
    assert shop.call("GET", "/_emulator/faults") == {"faults": []}


def test_a_wrong_rule_is_told_in_place(shop: Served) -> None:
    shop.page.evaluate("document.getElementById('rule').value = 'Machine_create: 503'")
    shop.click("#rule-form button")
    shop.until("!document.getElementById('problem').hidden")
    assert "did you mean Machines_create?" in shown(shop, "#problem")


def test_a_host_is_lost_and_found_by_clicks(shop: Served) -> None:
    shop.click(".machines button.quiet")
    shop.until("document.querySelector('.machines .more .badge.bad')?.innerText === 'host lost'")
    assert "1 of 2 serve" in shown(shop, "#apps")
    shop.click("#troubles button")
    shop.until("document.querySelectorAll('.machines li.serves').length === 2")


def test_time_passes_by_a_click(shop: Served) -> None:
    shop.click("[data-advance='3600']")
    shop.until("document.getElementById('clock').innerText.includes('3600 s ahead')")
    assert "leased by" not in shown(shop, "#apps")


def test_the_journal_is_filtered(shop: Served) -> None:
    shop.until("document.querySelectorAll('.entry').length >= 5")
    assert "Machines_create 2 times" in shown(shop, "#journal")
    type_in = "document.getElementById('filter').value = {}; document.getElementById('filters').dispatchEvent(new Event('input'))"
    shop.page.evaluate(type_in.format("'volumes_create'"))
    assert "Volumes_create" in shown(shop, "#journal")
    assert shop.page.evaluate("document.querySelectorAll('.entry').length") == 1
    shop.page.evaluate(type_in.format("'no such thing'"))
    assert not shop.page.evaluate("document.getElementById('no-journal').hidden")
    shop.page.evaluate(type_in.format("''"))
    shop.page.evaluate("document.getElementById('failures').click()")
    assert shop.page.evaluate("document.querySelectorAll('.entry:not(.failed)').length") == 0


def test_the_calls_about_a_machine_by_a_click_and_what_one_carried(shop: Served) -> None:
    machine = shop.machine("shop", name="third")["id"]
    shop.call("POST", f"/v1/apps/shop/machines/{machine}/cordon")
    shop.until("document.querySelectorAll('.machines li').length === 3")
    shop.click(f"[aria-label='calls of machine {machine}']")
    shop.until("document.querySelectorAll('.entry').length === 1")
    assert "Machines_cordon" in shown(shop, "#journal")
    shop.click("[aria-label='calls of app shop']")
    shop.until("document.querySelectorAll('.entry').length > 1")
    shop.page.evaluate(
        "[...document.querySelectorAll('.entry')].find(e => e.innerText.includes('Machines_create')).open = true"
    )
    assert '"name": "third"' in shown(shop, ".entry[open] pre")


def test_what_did_not_change_stays_under_the_mouse(shop: Served) -> None:
    shop.page.evaluate("window.button = document.querySelector('.machines button.quiet')")
    shop.page.evaluate("window.bars = document.querySelectorAll('.app .bars i').length")
    shop.machine("shop", name="another")
    shop.until("document.querySelectorAll('.machines li').length === 3")
    shop.until("document.querySelectorAll('.app .bars i').length > window.bars")
    assert shop.page.evaluate("window.button.isConnected")


def test_many_machines_are_squares_and_those_that_do_not_serve_are_cards(shop: Served) -> None:
    for _ in range(30):
        shop.machine("shop")
    shop.machine("shop", config={"image": "a", "services": [SERVICE], "env": {"UNHEALTHY": "1"}})
    shop.until("document.querySelectorAll('.squares i.good').length === 32")
    shop.until("document.querySelectorAll('.squares i.bad').length === 1")
    shop.until("document.querySelectorAll('.machines li').length === 1")
    shop.click(".app > button")
    shop.until("document.querySelectorAll('.machines li').length === 33")
    shop.click(".app > button")
    shop.until("document.querySelectorAll('.machines li').length === 1")


@pytest.mark.parametrize("width", [320, 390, 1200])
def test_nothing_sticks_out(shop: Served, width: int) -> None:
    shop.click("[data-rules='503 p=0.1']")
    shop.until("document.querySelector('#troubles li')")
    shop.page.show(width=width)
    assert shop.page.evaluate("document.documentElement.scrollWidth") == width
    assert shop.page.evaluate(OUTSIDE) == []


@pytest.mark.parametrize("dark", [False, True])
def test_texts_can_be_read(shop: Served, dark: bool) -> None:
    shop.page.show(dark=dark)
    shade = shop.page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert (shade != "rgb(255, 255, 255)") is dark
    assert shop.page.evaluate(CONTRAST) == []


def test_it_says_when_nobody_answers(served: Served) -> None:
    served.page.open(served.url)
    served.until("document.getElementById('live').innerText === 'live'")
    served.page.call(
        "Network.emulateNetworkConditions",
        offline=True,
        latency=0,
        downloadThroughput=0,
        uploadThroughput=0,
    )
    served.until("document.getElementById('live').innerText === 'no answer'")
    served.page.call(
        "Network.emulateNetworkConditions",
        offline=False,
        latency=0,
        downloadThroughput=-1,
        uploadThroughput=-1,
    )
    served.until("document.getElementById('live').innerText === 'live'")
