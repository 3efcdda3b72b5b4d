"""The report of `deploy --report` in a real browser: it renders, complains of nothing, asks for nothing."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import pytest

from score_flyio.deploy.execution.report import AppReport, Report
from score_flyio.errors import DeployError
from score_flyio.events import StepFinished, StepStarted
from score_flyio.report_html import render_html
from tests.browser.chromium import SETUP, BrowserError, Page, chromium, find_chromium
from tests.browser.runs import RUNS, Recorded

CONTRAST = """
(() => {
  const channel = c => (c /= 255, c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
  const light = ([r, g, b]) => 0.2126 * channel(r) + 0.7152 * channel(g) + 0.0722 * channel(b);
  const parts = text => text.match(/[\\d.]+/g).map(Number);
  const background = element => {
    for (let e = element; e; e = e.parentElement) {
      const color = parts(getComputedStyle(e).backgroundColor);
      if (color.length === 3 || color[3] === 1) return color;
    }
    return [255, 255, 255];
  };
  const low = [];
  for (const element of document.querySelectorAll("body *")) {
    const own = [...element.childNodes].some(n => n.nodeType === 3 && n.data.trim());
    if (!own) continue;
    const [a, b] = [parts(getComputedStyle(element).color), background(element)].map(light);
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (ratio < 4.5) low.push([element.tagName, element.className, element.textContent, ratio]);
  }
  return low.slice(0, 5);
})()
"""
"""Texts that are harder to read than WCAG AA allows."""

BEGUN = (StepStarted, StepFinished)

OUTSIDE = """
[...document.querySelectorAll("body *")]
  .filter(e => e.getClientRects().length)
  .filter(e => e.getBoundingClientRect().right > innerWidth + 0.5 || e.getBoundingClientRect().left < -0.5)
  .map(e => [e.tagName, e.className, e.textContent.slice(0, 40)]).slice(0, 5)
"""


@cache
def recorded(name: str) -> Recorded:
    return RUNS[name]()


@pytest.fixture(scope="module")
def new_page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[], Page]]:
    with chromium(tmp_path_factory.mktemp("profile")) as opened:
        yield opened


@pytest.fixture
def show(new_page: Callable[[], Page], tmp_path: Path) -> Iterator[Callable[..., Page]]:
    pages: list[Page] = []

    def opened(html: str, **settings: object) -> Page:
        file = tmp_path / "report.html"
        file.write_text(html, encoding="utf-8")
        page = new_page()
        pages.append(page)
        page.open(file.as_uri(), **settings)  # type: ignore[arg-type]  # the keywords of open
        return page

    yield opened
    for page in pages:
        page.call("Page.close")


@pytest.mark.parametrize("name", sorted(RUNS))
def test_it_renders_quietly_and_alone(show: Callable[..., Page], name: str) -> None:
    run = recorded(name)
    page = show(run.page)
    assert page.complaints() == []
    assert [url for url in page.requests() if not url.startswith("file:")] == []
    assert len(page.requests()) == 1
    machines = page.evaluate(
        "[...document.querySelectorAll('.row.machine code')].map(e => e.textContent)"
    )
    touched = {e.scope.machine for e in run.events if isinstance(e, BEGUN) and e.scope.machine}
    assert set(machines) == touched
    assert page.evaluate("document.querySelectorAll('#timeline .app').length") == len(
        run.report.apps
    )
    assert page.evaluate("document.querySelector('h1').offsetHeight") > 0
    assert page.evaluate("document.scripts.length") == 0


@pytest.mark.parametrize("name", sorted(RUNS))
@pytest.mark.parametrize("width", [320, 400, 1200])
def test_nothing_sticks_out(show: Callable[..., Page], name: str, width: int) -> None:
    page = show(recorded(name).page, width=width)
    page.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
    assert page.evaluate("document.documentElement.scrollWidth") == width
    assert page.evaluate(OUTSIDE) == []


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("name", ["failing", "shop"])
def test_texts_can_be_read(show: Callable[..., Page], name: str, dark: bool) -> None:
    page = show(recorded(name).page, dark=dark)
    shade = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert (shade != "rgb(255, 255, 255)") is dark
    assert page.evaluate(CONTRAST) == []


def test_bars_lie_where_their_times_are(show: Callable[..., Page]) -> None:
    page = show(recorded("update").page)
    wide = page.evaluate(
        "[...document.querySelectorAll('#path .lane.big i')].map(e => parseFloat(e.style.width))"
    )
    assert sum(wide) == pytest.approx(100, abs=0.1)
    turns = page.evaluate("document.querySelectorAll('.row.machine i.turn').length")
    assert turns == 2  # five machines, two at a time after the first
    drawn = page.evaluate(
        "[...document.querySelectorAll('.row.machine i.smoke')].map(e => getComputedStyle(e).backgroundColor)"
    )
    assert len(drawn) == 5
    assert len(set(drawn)) == 1


def test_what_is_folded_opens_and_is_printed(show: Callable[..., Page]) -> None:
    page = show(recorded("many").page)
    row = "document.querySelector('.row.machine').getBoundingClientRect().height"
    assert page.evaluate("document.querySelectorAll('#timeline details[open]').length") == 0
    page.evaluate("document.querySelector('#timeline details.app > summary').click()")
    assert page.evaluate("document.querySelectorAll('#timeline details[open]').length") == 1
    assert page.evaluate(row) > 0
    page.evaluate("document.querySelector('#timeline details.app > summary').click()")
    page.show(media="print")
    assert page.evaluate(row) > 0
    assert page.pdf().startswith(b"%PDF")


def test_hostile_texts_stay_texts(show: Callable[..., Page]) -> None:
    nasty = "</style></title><img src=x onerror=alert(1)><script>alert(2)</script>'\"&{{7*7}}"
    error = DeployError(nasty, hint=nasty)
    report = Report(
        apps=(
            AppReport(app=nasty, label=nasty, outcome="failed", failures=(error,), notes=(nasty,)),
        )
    )
    page = show(render_html(report, ()))
    assert page.complaints() == []
    assert page.evaluate("document.querySelectorAll('img, script').length") == 0
    assert page.evaluate("document.querySelector('.failure .message').textContent") == nasty


def test_without_chromium_the_tests_say_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(os.environ, "PATH", "")
    with pytest.raises(BrowserError, match=r"tests/setup\.sh browser") as caught:
        find_chromium()
    assert str(caught.value) == SETUP
