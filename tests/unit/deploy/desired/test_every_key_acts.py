"""Every key of a fly.toml does something, or is told to do nothing: no key can be silent."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import attrs
import pytest

from fly_machines.models import Machine
from score_flyio.deploy.desired.errors import ConversionError
from score_flyio.deploy.desired.mounts import first_deploy_volumes
from score_flyio.deploy.desired.render import render
from score_flyio.deploy.desired.requests import launch_request
from score_flyio.deploy.desired.special import group_machine_checks, machine_check_input
from score_flyio.fly.codec import unstructure
from score_flyio.flytoml import read_fly_toml
from score_flyio.flytoml.findings import recorded
from score_flyio.flytoml.groups import process_groups
from score_flyio.flytoml.remarks import unused
from score_flyio.flytoml.schema import Shape, keys_of
from score_flyio.flytoml.spec import AppSpec
from score_flyio.flytoml.values import Duration
from score_flyio.state.deployments import Release

BASE = """
app = "shop"
machine_config = '{"containers": [{"name": "a", "image": "."}, {"name": "b", "image": "x"}]}'
[processes]
app = ""
worker = "work"
[deploy]
release_command = "migrate"
[[mounts]]
source = "data"
destination = "/data"
[http_service]
internal_port = 8080
processes = ["app"]
[[http_service.machine_checks]]
command = ["curl"]
[[services]]
processes = ["app"]
[[services.machine_checks]]
command = ["curl"]
[checks.alive]
type = "http"
port = 80
[[files]]
guest_path = "/etc/a"
raw_value = "a"
[[machine_checks]]
command = ["curl"]
[[restart]]
policy = "always"
[[vm]]
size = "shared-cpu-1x"
[[metrics]]
port = 9100
[[statics]]
guest_path = "/public"
url_prefix = "/static"
"""
RELEASE = Release(id="r", version=1, tool_version="t")
BUILDERS = "build."
"""Keys of these are about how an image is made, which is no part of what is compared here."""
VALUES: dict[str, tuple[Any, ...]] = {
    "processes": (("app",), ("worker",)),
    "size": ("shared-cpu-1x", "shared-cpu-2x"),
    "memory": ("512mb", "1gb"),
    "cpu_kind": ("shared", "performance"),
    "strategy": ("canary", "immediate"),
    "policy": ("always", "never"),
    "initial_size": ("1gb", "2gb"),
    "auto_extend_size_increment": ("1gb", "2gb"),
    "auto_extend_size_limit": ("1gb", "2gb"),
    "machine_config": ('{"auto_destroy": true}', '{"auto_destroy": false}'),
    "container": ("a", "b"),
    "type": ("tcp", "http"),
}
BY_KIND: dict[str, tuple[Any, ...]] = {
    "text": ("a", "b"),
    "int": (7, 8),
    "float": (0.5, 2.0),
    "bool": (True, False),
    "duration": (Duration.of_seconds(7), Duration.of_seconds(8)),
    "auto_stop": ("off", "stop"),
    "persist_rootfs": ("never", "always"),
    "any": ("a", "b"),
}
Path = tuple[tuple[str, Shape], ...]


class Files:
    """Has every file; its content is its name."""

    def read(self, path: str) -> bytes:
        return path.encode()


def keys_below(section: type, path: Path = ()) -> Iterator[Path]:
    for key in keys_of(section).values():
        here = (*path, (key.attribute, key.shape))
        inner = key.shape.item if key.shape.section is None else key.shape
        if inner is not None and inner.section is not None:
            yield from keys_below(inner.section, here)
        else:
            yield here


def place_of(path: Path) -> str:
    return ".".join(attribute for attribute, _ in path)


def with_value(section: Any, path: Path, value: Any) -> Any:
    """The section with a value at the path; the first of a list, or the name `alive` of a map."""
    (attribute, shape), *rest = path
    present = getattr(section, attribute)
    if rest:
        below, item = tuple(rest), shape.item or shape
        assert item.section is not None
        if shape.kind == "section":
            value = with_value(present or item.section(), below, value)
        elif shape.kind == "list":
            first, *others = present or (item.section(),)
            value = (with_value(first, below, value), *others)
        else:
            first = present.get("alive") or item.section()
            value = {**present, "alive": with_value(first, below, value)}
    return attrs.evolve(section, **{attribute: value})


def values_for(path: Path) -> tuple[Any, ...]:
    attribute, shape = path[-1]
    if (attribute in VALUES and len(path) > 1) or attribute in ("machine_config", "container"):
        return VALUES[attribute]
    if shape.kind == "list":
        return (("a",), ("b",))
    if shape.kind == "map":
        return ({"app": "a"}, {"app": "b"})
    return BY_KIND[shape.kind]


def effects(spec: AppSpec) -> str:
    """All that a deploy sends or goes by."""
    files = Files()
    found: list[Any] = [spec.app]
    try:
        found.append(render(spec, files=files)[0].to_json())
        for group in process_groups(spec):
            first = launch_request(spec, group, image="i", release=RELEASE, files=files)
            tested = Machine(config=first.config)
            checks = group_machine_checks(spec, group)
            made = (machine_check_input(spec, each, tested, release=RELEASE) for each in checks)
            found += [unstructure(first), *map(unstructure, made)]
        found += map(unstructure, first_deploy_volumes(spec, image="i"))
    except ConversionError as error:
        found.append(str(error))
    return json.dumps(found, sort_keys=True, default=str)


@pytest.mark.parametrize("path", [*keys_below(AppSpec)], ids=place_of)
def test_every_key_acts_or_is_told(path: Path) -> None:
    base = read_fly_toml(BASE).spec
    assert base is not None
    one, other = (with_value(base, path, value) for value in values_for(path))
    place = place_of(path)
    told = {recorded(problem)["field"] for problem in unused(one)}
    acts = effects(one) != effects(other) or place.startswith(BUILDERS)
    assert acts != (place in told)
