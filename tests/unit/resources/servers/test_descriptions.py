"""Descriptions of servers in files of provisioners: what they give, and what is wrong with them."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NoReturn

import pytest
import yaml

from score_flyio.errors import ConfigError
from score_flyio.resources.registry import Means
from score_flyio.resources.servers.instance import machine_request, volume_request
from score_flyio.resources.servers.native import ServerProvisioner
from score_flyio.resources.template.entry import Entry, read_entries
from score_flyio.resources.template.files import servers


def nothing() -> NoReturn:
    raise AssertionError("descriptions are read without it")


WORK = servers(Means(nothing, nothing)).values()
BUILT_IN = {
    each.resource_type: work.entry for each, work in WORK if isinstance(work, ServerProvisioner)
}
TYPES = {"postgres", "postgres-instance", "redis", "mysql", "mongodb", "amqp", "s3"}
GOOD: dict[str, Any] = {
    "uri": "server://mine/cache",
    "type": "cache",
    "server": {"name": "cache", "image": "i", "port": 1, "password": ["P"]},
}


def read(**more: Any) -> Entry:
    text = yaml.safe_dump([GOOD | more], sort_keys=False)
    (entry,) = read_entries(text.encode(), file="f.yaml", directory=Path())
    return entry


def test_these_types_come_with_score_flyio() -> None:
    assert set(BUILT_IN) == TYPES


@pytest.mark.parametrize("type_", sorted(TYPES))
def test_each_makes_one_machine_with_a_volume_a_check_and_a_private_port(type_: str) -> None:
    server = BUILT_IN[type_].server
    assert server is not None
    assert server.volume is not None
    config = machine_request(server, "lhr", "vol_1", None).config
    assert config is not None
    assert config.image == server.image
    assert ":" in server.image
    ((name, check),) = (config.checks or {}).items()
    assert (name, check.port) == (server.name, server.port)
    (service,) = config.services or []
    assert [port.port for port in service.ports or ()] == [server.port]
    assert not any(port.handlers for port in service.ports or ())
    (mount,) = config.mounts or []
    assert (mount.volume, mount.path) == ("vol_1", server.volume.path)
    assert volume_request(server, server.volume, "lhr").compute_image == server.image


def test_defaults() -> None:
    entry = read()
    assert entry.server is not None
    assert (entry.server.app, entry.server.memory_mb, entry.server.volume) == ("cache", 256, None)
    assert not entry.shared_server


def test_what_can_be_dropped_is_on_a_shared_server() -> None:
    admin = {"program": "p", "command": "p", "create": "c"}
    assert not read(admin=admin).shared_server
    assert read(admin={**admin, "drop": "d"}).shared_server


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"server": 1}, r"\[0\].server: .*must be a map"),
        ({"server": None}, r"\[0\].server: .*name is missing"),
        ({"server": {"image": "i"}}, "name is missing"),
        ({"server": GOOD["server"] | {"port": "x"}}, r"server.port: .*whole number"),
        ({"server": GOOD["server"] | {"port": 70_000}}, r"server.port: .*whole number"),
        ({"server": GOOD["server"] | {"name": "No_Name"}}, r"server.name: .*app's name"),
        ({"server": GOOD["server"] | {"password": ["1x"]}}, r"server.password: .*1x"),
        ({"server": GOOD["server"] | {"password": []}}, "at least one"),
        ({"server": GOOD["server"] | {"env": {"A": 1}}}, r"server.env.A: .*must be text"),
        ({"server": GOOD["server"] | {"password": [None]}}, r"server.password\[0\]: .*not null"),
        ({"server": GOOD["server"] | {"memory": 1}}, r"server.memory: .*unknown key"),
        ({"server": GOOD["server"] | {"command": "x"}}, r"server.command: .*must be a list"),
        (
            {"server": GOOD["server"] | {"volume": {"name": "a-b", "path": "/x"}}},
            r"server.volume.name: .*.a-b. cannot be the name of a volume",
        ),
        ({"server": GOOD["server"] | {"volume": {"name": "a"}}}, "path is missing"),
        ({"admin": {"program": "p"}}, "command is missing"),
        (
            {"admin": {"program": "p", "command": "c", "create": "{{"}},
            r"admin.create: .*not a template",
        ),
        ({"outputs": "{{"}, r"outputs: .*not a template"),
        ({"state": "a: b"}, "state has no meaning with server://"),
        ({"args": ["x"]}, "args has no meaning with server://"),
        ({"uri": "template://x"}, "server has no meaning with template://"),
    ],
)
def test_what_is_wrong_is_told_with_its_place(change: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message) as caught:
        read(**change)
    assert all(problem.file == "f.yaml" and problem.line for problem in caught.value.problems)
