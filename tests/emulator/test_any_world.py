"""Any world, whatever is in it, is the same after it was kept in a file."""

from __future__ import annotations

import json
from types import UnionType
from typing import Any, get_args, get_origin, get_type_hints

from attrs import fields
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from fly_emulator import World
from fly_emulator.records import App, Host, MachineRecord, TokenRecord, VolumeRecord
from fly_emulator.settings import EmulatorSettings
from fly_emulator.world_file import dump, restore

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=4)
NUMBERS = st.floats(allow_nan=False, allow_infinity=False)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | NUMBERS | TEXT,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(TEXT, inner, max_size=2),
    max_leaves=3,
)
PLAIN: dict[Any, st.SearchStrategy[Any]] = {
    str: TEXT,
    int: st.integers(-(2**60), 2**60),
    float: NUMBERS,
    bool: st.booleans(),
    type(None): st.none(),
    Any: JSON,
}


def values(kind: Any) -> st.SearchStrategy[Any]:
    """Anything that a member of that type may hold."""
    if kind in PLAIN:
        return PLAIN[kind]
    inner = get_args(kind)
    if get_origin(kind) is list:
        return st.lists(values(inner[0]), max_size=2)
    if get_origin(kind) is dict:
        return st.dictionaries(TEXT, values(inner[1]), max_size=2)
    if isinstance(kind, UnionType):
        return st.one_of([values(one) for one in inner])
    hints = get_type_hints(kind)
    return st.builds(kind, **{member.name: values(hints[member.name]) for member in fields(kind)})


def some(kind: type[Any], least: int = 0) -> st.SearchStrategy[list[Any]]:
    return st.lists(values(kind), min_size=least, max_size=2)


def with_a_version(machines: list[MachineRecord]) -> list[MachineRecord]:
    return [machine for machine in machines if machine.versions]


def belong_together(
    apps: list[App], machines: list[MachineRecord], volumes: list[VolumeRecord], hosts: list[Host]
) -> None:
    """Makes them name each other: a world that names what is not there is refused."""
    for volume in volumes:
        volume.app, volume.host = apps[0].name, hosts[0].id
    for machine in machines:
        machine.app, machine.host = apps[0].name, hosts[0].id
        machine.versions[-1].config["guest"] = {}
    for app in apps:
        app.machines = [machine.id for machine in machines]
        app.volumes = [volume.id for volume in volumes]


@hypothesis_settings(max_examples=60, deadline=None)
@given(
    apps=some(App, least=1),
    machines=some(MachineRecord).map(with_a_version),
    volumes=some(VolumeRecord),
    hosts=some(Host, least=1),
    tokens=some(TokenRecord),
    sequence=st.integers(0, 2**40),
)
def test_a_world_survives_a_round_trip(
    apps: list[App],
    machines: list[MachineRecord],
    volumes: list[VolumeRecord],
    hosts: list[Host],
    tokens: list[TokenRecord],
    sequence: int,
) -> None:
    belong_together(apps, machines, volumes, hosts)
    world = World(
        settings=EmulatorSettings(),
        sequence=sequence,
        apps={app.name: app for app in apps},
        machines={machine.id: machine for machine in machines},
        volumes={volume.id: volume for volume in volumes},
        hosts={host.id: host for host in hosts},
        tokens=tokens,
    )
    again = restore(json.loads(json.dumps(dump(world))), world.settings)
    for part in ("sequence", "apps", "machines", "volumes", "hosts", "tokens"):
        assert getattr(again, part) == getattr(world, part), part
