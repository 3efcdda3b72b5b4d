"""What is written reads as the same app."""

from __future__ import annotations

import json
import re
import tomllib

import attrs
from hypothesis import HealthCheck, given, settings

from score_flyio.flytoml import read_fly_toml, to_json, to_toml
from score_flyio.flytoml.groups import default_group, flatten, process_groups
from score_flyio.flytoml.spec import AppSpec, Service
from tests.unit.flytoml.strategies import APP_SPECS

examples = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@examples
@given(APP_SPECS)
def test_written_toml_reads_as_the_same_spec(spec: AppSpec) -> None:
    text = to_toml(spec)
    document = read_fly_toml(text)
    assert document.spec == spec
    assert to_toml(document.spec) == text


@examples
@given(APP_SPECS)
def test_written_toml_has_tables_under_headers(spec: AppSpec) -> None:
    text = to_toml(spec)
    keys = [*tomllib.loads(text)]
    scalars = [key for key in keys if f"[{key}" not in text]
    assert keys[: len(scalars)] == scalars
    assert not re.search(r"^ {20}|\n\n\n|\A\n|\n\n\Z", text, re.MULTILINE)


@examples
@given(APP_SPECS)
def test_json_form_reads_as_the_same_json_form(spec: AppSpec) -> None:
    given_services = tuple(service for service in spec.services if service != Service())
    spec = attrs.evolve(spec, services=given_services)
    document = read_fly_toml(json.dumps(to_json(spec)), form="json")
    assert document.spec is not None
    assert to_json(document.spec) == to_json(spec)


@examples
@given(APP_SPECS)
def test_flattening_twice_changes_nothing(spec: AppSpec) -> None:
    for group in process_groups(spec):
        once = flatten(spec, group)
        if group in once.processes or group == default_group(once):
            assert flatten(once, group) == once
