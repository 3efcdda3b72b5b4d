"""A fly.toml made from machines gives the same machines again."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from fly_emulator import EmulatorSettings, filled
from fly_emulator.configs import accept
from fly_emulator.wire import Refusal
from fly_machines.models import (
    FlyFile,
    FlyMachineConfig,
    FlyMachineMount,
    FlyMachineRestart,
    Machine,
    Volume,
)
from score_flyio.deploy.compare import differences
from score_flyio.deploy.desired.render import render
from score_flyio.deploy.local_files import LocalFiles
from score_flyio.deploy.saved import saved_app
from score_flyio.errors import ScoreFlyError
from score_flyio.fly.codec import structure, structure_answer, unstructure
from score_flyio.flytoml import read_fly_toml, to_toml
from score_flyio.flytoml.spec import AppSpec
from tests.conformance.fly_toml.compare import CASES, Case, canonical, cases_in
from tests.conftest import corpus


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "case" in metafunc.fixturenames:
        cases = [
            c
            for c in cases_in(corpus(metafunc.config, CASES, "*/fly.toml"))
            if could_run(c.expected)
        ]
        metafunc.parametrize("case", cases, ids=[case.name for case in cases])


def could_run(expected: dict[str, Any]) -> bool:
    """Whether the case gives machines, of sizes that there can be."""
    found = expected["machine_configs"] or {}
    guests = [config.get("guest") for config in found.values() if config]
    return (
        bool(found)
        and None not in found.values()
        and all(guest["memory_mb"] > 0 for guest in guests if guest)
    )


def configs(spec: AppSpec, folder: Path) -> dict[str, FlyMachineConfig]:
    rendered, _ = render(spec, files=LocalFiles(folder), image="registry.fly.io/app:1")
    made = rendered.machine_configs or {}
    return {g: structure(config, FlyMachineConfig) for g, config in made.items() if config}


def machine(config: FlyMachineConfig, **metadata: str) -> Machine:
    config.metadata = {**(config.metadata or {}), **metadata}
    return Machine(id=metadata.get("id", "m1"), config=config)


def test_deploying_what_was_saved_changes_nothing(case: Case, tmp_path: Path) -> None:
    spec = read_fly_toml(case.text).spec
    assert spec is not None
    before = configs(spec, case.folder)
    saved = saved_app(spec.app, [machine(config) for config in before.values()])
    for path, content in saved.files.items():
        (tmp_path / path).parent.mkdir(exist_ok=True)
        (tmp_path / path).write_bytes(content)
    again = read_fly_toml(to_toml(saved.spec)).spec
    assert again is not None
    after = configs(again, tmp_path)
    if saved.notes:
        assert any(c.containers or c.schedule or c.size for c in before.values())
    else:
        assert read_back(after) == read_back(before)


SPELLINGS = {
    "numbers": EmulatorSettings(spells_with_numbers=True),
    "2022": EmulatorSettings(default_restart={"policy": "", "max_retries": 3}),
    "2024": EmulatorSettings(default_restart=None, fills_defaults=False),
}


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_what_was_saved_is_the_same_however_the_platform_spells_it(
    case: Case, spelling: str, tmp_path: Path
) -> None:
    spec = read_fly_toml(case.text).spec
    assert spec is not None
    present: dict[str, FlyMachineConfig] = {}
    for group, sent in configs(spec, case.folder).items():
        with suppress(Refusal):  # no size that there is, or the like
            made = accept(unstructure(sent), EmulatorSettings(gpus=True))
            shown = filled.read_back(made, SPELLINGS[spelling])
            present[group] = structure_answer(shown, FlyMachineConfig)
    if not present:
        return
    saved = saved_app(spec.app, [machine(config) for config in present.values()])
    for path, content in saved.files.items():
        (tmp_path / path).parent.mkdir(exist_ok=True)
        (tmp_path / path).write_bytes(content)
    again = read_fly_toml(to_toml(saved.spec)).spec
    assert again is not None
    after = {} if saved.notes else configs(again, tmp_path)
    assert {g: differences(after[g], present[g]) for g in after} == dict.fromkeys(after, ())


def read_back(made: dict[str, FlyMachineConfig]) -> str:
    """As the platform shows them, which fills in the restart policy that nobody asked for."""
    filled = {"policy": "on-failure", "max_retries": 10}
    shown = {g: {"restart": filled, **unstructure(c)} for g, c in made.items()}
    return canonical(shown)


def config(group: str = "app", **fields: object) -> FlyMachineConfig:
    made = FlyMachineConfig(**fields)  # type: ignore[arg-type]
    made.metadata = {"fly_process_group": group}
    return made


def test_the_newest_release_counts_and_standbys_do_not() -> None:
    machines = [
        machine(config(image="new"), fly_release_version="10", id="a"),
        machine(config(image="old"), fly_release_version="9", id="b"),
        machine(config(image="newest", standbys=["a"]), fly_release_version="11", id="c"),
    ]
    build = saved_app("demo", machines).spec.build
    assert build is not None
    assert build.image == "new"


def test_what_differs_between_groups_is_told() -> None:
    machines = [machine(config("web", image="a:1")), machine(config("worker", image="b:1"))]
    saved = saved_app("demo", machines)
    assert saved.notes == ("image differs between the groups web, worker: that of the first stays",)


def test_bytes_that_are_no_text_go_into_a_file_beside() -> None:
    file = FlyFile(guest_path="/etc/key.bin", raw_value="/wD/")
    saved = saved_app("demo", [machine(config(files=[file]))])
    assert saved.files == {"files/etc_key.bin": b"\xff\x00\xff"}
    assert saved.spec.files[0].local_path == "files/etc_key.bin"


def test_what_is_no_valid_fly_toml_is_refused() -> None:
    broken = config(restart=FlyMachineRestart(policy="sometimes"))  # type: ignore[arg-type]
    with pytest.raises(ScoreFlyError, match="cannot be written"):
        saved_app("demo", [machine(broken)])


def test_a_volume_that_is_not_encrypted_is_told() -> None:
    mount = FlyMachineMount(name="data", path="/data", volume="vol_1")
    volumes = [Volume(id="vol_1", encrypted=False, size_gb=2)]
    saved = saved_app("demo", [machine(config(mounts=[mount]))], volumes=volumes)
    assert saved.notes == ("volume vol_1 is not encrypted: new ones of its mount are",)
