"""What a template may use up: time, memory, and no more."""

from __future__ import annotations

import sys

import pytest

from score_flyio.resources.template.render import Renderer, RenderError

SLOW = "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}"
DOUBLED = "{% set a = 'x' * 1000 %}" + "{% set a = a OP a %}" * 40


MACRO = (
    "{% macro m(n) %}{% for a in range(99999) %}{{ n is odd }}{% endfor %}{% endmacro %}"
    "{% for a in range(99999) %}{% set x = m(a) %}{% endfor %}"
)
FILTERS = "{% for a in range(99999) %}{% set b = range(99999)|map('string')|list %}{% endfor %}"


@pytest.mark.parametrize("text", [SLOW, MACRO, FILTERS], ids=["loops", "macro", "filters"])
def test_time(text: str) -> None:
    with pytest.raises(RenderError, match=r"takes longer than 0\.2 s"):
        Renderer({}, seconds=0.2).text(text)
    assert Renderer({}, seconds=5).text("{{ 1 + 1 }}") == "2"


@pytest.mark.parametrize(
    "text",
    [
        "{{ 'x' * 1000001 }}",
        "{{ [1] * 1000001 }}",
        DOUBLED.replace("OP", "~"),
        DOUBLED.replace("OP", "+"),
        "{% set a = 'x' * 999999 %}{% set b %}{{ a }}{{ a }}{% endset %}{{ b|length }}",
        "{{ ('x' * 9999)|replace('x', 'y' * 9999) }}",
        "{{ ('x' * 9999).replace('x', 'y' * 9999) }}",
        "{{ (['x'] * 9999)|join('y' * 9999) }}",
        "{{ ('y' * 9999).join(['x'] * 9999) }}",
        "{{ 'x'.ljust(10 ** 10) }}",
        "{{ '{:>10000000000}'.format(1) }}",
        "{{ [1]|batch(10 ** 10, 'x')|list }}",
        "{{ 'x'|center(10 ** 10) }}",
        "{{ (10 ** 4000) ** 4000 }}",
        "{% set a = 10 ** 4000 %}" + "{% set a = a * a %}" * 30,
        "{% for a in range(1001) %}{{ 'x' * 1000 }}{% endfor %}",
    ],
)
def test_memory(text: str) -> None:
    with pytest.raises(RenderError):
        Renderer({}).text(text)


def test_ordinary_work_is_as_it_was() -> None:
    before = sys.gettrace()
    values = {"names": ["a", "b"], "items": [{"n": 1}, {"n": 2}], "text": "a-b-c"}
    for text, expected in {
        "{{ names|join('+') }}": "a+b",
        "{{ items|join(',', attribute='n') }}": "1,2",
        "{{ text|replace('-', '_') }}": "a_b_c",
        "{{ text|replace('-', '_', 1) }}": "a_b-c",
        "{{ text.replace('-', '') ~ 1 ~ none }}": "abc1None",
        "{{ ','.join(names) }}": "a,b",
        "{{ 2 ** 10 + 3 * 4 }}": "1036",
        "{{ [1] + [2] }}": "[1, 2]",
        "{% set x %}{{ text }}!{% endset %}{{ x|upper }}": "A-B-C!",
    }.items():
        assert Renderer(values).text(text) == expected
    assert sys.gettrace() is before
