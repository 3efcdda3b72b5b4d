"""Options that let a deploy touch some machines only, and those that add to all of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from attrs import evolve

from score_flyio.deploy.options import DeployOptions
from score_flyio.flytoml.spec import FileSpec
from tests.engine.lab import QUICK, Lab, toml

GROUPS = "[processes]\napp = 'serve'\nwork = 'work'\n"
MOUNT = '[[mounts]]\nsource = "data"\ndestination = "/data"\n'


def with_options(**given: Any) -> DeployOptions:
    return evolve(QUICK, **given)


async def test_one_process_group(lab: Lab) -> None:
    await lab.deploy(toml(GROUPS))
    new = toml(GROUPS, image="nginx:2")
    done = await lab.deploy(new, options=with_options(process_groups=("work",)))
    assert done.code == 0, done.text
    running = {m.config["metadata"]["fly_process_group"]: m.config["image"] for m in lab.machines()}
    assert {g: i.partition("@")[0] for g, i in running.items()} == {
        "app": "nginx:1",
        "work": "nginx:2",
    }


async def test_a_group_that_left_stays_where_another_is_deployed(lab: Lab) -> None:
    await lab.deploy(toml(GROUPS))
    before = len(lab.machines())
    done = await lab.deploy(
        toml(image="nginx:2"), options=with_options(process_groups=("app",), allow_destructive=True)
    )
    assert done.code == 0, done.text
    assert len(lab.machines()) == before


@pytest.mark.parametrize("chosen", ["only_machines", "exclude_machines"])
async def test_one_machine(lab: Lab, chosen: str) -> None:
    await lab.deploy(toml())
    first, second = lab.machines()
    done = await lab.deploy(toml(image="nginx:2"), options=with_options(**{chosen: (first.id,)}))
    assert done.code == 0, done.text
    touched, left = (first, second) if chosen == "only_machines" else (second, first)
    images = {m.id: m.config["image"].partition("@")[0] for m in lab.machines()}
    assert images == {touched.id: "nginx:2", left.id: "nginx:1"}


@pytest.mark.parametrize("option", [{"update_only": True}, {"only_machines": True}])
async def test_no_machine_is_made_for_a_new_group(lab: Lab, option: dict[str, Any]) -> None:
    await lab.deploy(toml())
    if "only_machines" in option:
        option = {"only_machines": tuple(machine.id for machine in lab.machines())}
    done = await lab.deploy(toml(GROUPS, image="nginx:2"), options=with_options(**option))
    assert done.code == 0, done.text
    assert lab.images() == ["nginx:2", "nginx:2"]
    assert lab.machines(group="work") == []


async def test_the_size_of_new_volumes(lab: Lab) -> None:
    done = await lab.deploy(toml(MOUNT), options=with_options(volume_initial_size=7))
    assert done.code == 0, done.text
    assert [volume.size_gb for volume in lab.fly.world.volumes.values()] == [7]


async def test_a_size_in_the_file_counts_more(lab: Lab) -> None:
    text = MOUNT + 'initial_size = "2gb"\n'
    await lab.deploy(toml(text), options=with_options(volume_initial_size=7))
    assert [volume.size_gb for volume in lab.fly.world.volumes.values()] == [2]


async def test_files_of_options(lab: Lab, tmp_path: Path) -> None:
    local = tmp_path / "local"
    local.write_bytes(b"\xff")
    files = (
        FileSpec(guest_path="/a", local_path=str(local)),
        FileSpec(guest_path="/b", raw_value="text"),
        FileSpec(guest_path="/c", secret_name="SECRET"),
    )
    done = await lab.deploy(toml(), options=with_options(files=files))
    assert done.code == 0, done.text
    assert [machine.config["files"] for machine in lab.machines()] == 2 * [
        [
            {"guest_path": "/a", "raw_value": "/w=="},
            {"guest_path": "/b", "raw_value": "dGV4dA=="},
            {"guest_path": "/c", "secret_name": "SECRET"},
        ]
    ]


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"process_groups": ("app", "wrok")}, "--process-groups: app web has no process group 'wrok' (use one of app)"),
        ({"only_machines": ("m1",)}, "--only-machines: app web has no machine 'm1' (use one of "),
        ({"exclude_machines": ("m1",)}, "--exclude-machines: app web has no machine 'm1' (use one of "),
        ({"files": (FileSpec(guest_path="/a", local_path="nothing"),)}, "--file-local: 'nothing' cannot be read: no such file or directory"),
        ({"files": (FileSpec(guest_path="a", raw_value="x"),)}, "--file-literal: 'a' is not an absolute path in the machine (the nearest is /a)"),
        ({"files": (FileSpec(guest_path="/a", secret_name="A-B"),)}, "--file-secret: 'A-B' cannot be the name of a secret (use letters, digits and _, no digit first: the nearest is A_B)"),
    ],
)  # fmt: skip
async def test_names_and_files_that_are_not_there(
    lab: Lab, given: dict[str, Any], told: str
) -> None:
    await lab.deploy(toml())
    done = await lab.deploy(toml(image="nginx:2"), options=with_options(**given))
    assert done.code == 2
    assert done.changes == []
    assert told in done.text
    assert "files[" not in done.text
