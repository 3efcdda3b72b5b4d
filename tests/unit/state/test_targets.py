"""A target's state beside the project's."""

from __future__ import annotations

from pathlib import Path

import pytest

from score_flyio.errors import ConfigError, NotInitialised, StateLocked
from score_flyio.state.file import FileStore
from score_flyio.state.model import ProjectState, WorkloadRecord
from score_flyio.state.resources import ProvisionerDefinition, StaticSpec
from score_flyio.state.targets import TargetStore, folder_name, kept_as


@pytest.fixture
async def store(tmp_path: Path) -> TargetStore:
    project = FileStore(tmp_path)
    state = ProjectState.new("pfx-")
    state.provisioners = (
        ProvisionerDefinition(id="p", resource_type="thing", spec=StaticSpec(values={})),
    )
    state.workloads = {"web": WorkloadRecord(spec={"of": "the project"})}
    await project.save(state)
    return TargetStore(project, tmp_path, "emulator")


async def test_what_people_set_up_is_shared(store: TargetStore) -> None:
    state = await store.load()
    assert state is not None
    assert (state.target, state.app_prefix, [p.id for p in state.provisioners]) == (
        "emulator",
        "pfx-",
        ["p"],
    )
    assert state.workloads["web"].spec == {"of": "the project"}


async def test_what_a_target_saves_stays_with_it(store: TargetStore) -> None:
    state = await store.load()
    assert state is not None
    state.workloads["web"] = WorkloadRecord(spec={"of": "the target"})
    state.shared["key"] = "value"
    await store.save(state)
    again, project = await store.load(), await store.project.load()
    assert again is not None
    assert project is not None
    assert again.workloads["web"].spec == {"of": "the target"}
    assert again.shared["key"] == "value"
    assert project.workloads["web"].spec == {"of": "the project"}
    assert "key" not in project.shared


async def test_its_lock_is_its_own(store: TargetStore) -> None:
    async with store.lock("deploy"), store.project.lock("deploy"):
        with pytest.raises(StateLocked):
            async with store.lock("scale"):
                pytest.fail("both hold it")


async def test_without_a_project_there_is_none(tmp_path: Path) -> None:
    store = TargetStore(FileStore(tmp_path / "none"), tmp_path / "none", "emulator")
    assert await store.load() is None
    with pytest.raises(NotInitialised):
        async with store.lock("deploy"):
            pytest.fail("there is nothing to lock")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (None, "fly"),
        ("emulator", "emulator"),
        ("HTTP://127.0.0.1:4280/v1/", "http://127.0.0.1:4280"),
        ("https://u:p@fly.example/?key=1", "https://fly.example"),
    ],
)
def test_whose_state_it_is(text: str | None, expected: str) -> None:
    assert kept_as(text, {}) == expected
    assert kept_as(None, {"SCORE_FLYIO_TARGET": text or ""}) == expected


def test_an_address_that_is_none_is_refused() -> None:
    with pytest.raises(ConfigError, match="--target"):
        kept_as("http://", {})


@pytest.mark.parametrize(
    ("target", "folder"),
    [
        ("emulator", "emulator"),
        ("http://127.0.0.1:4280", "127.0.0.1-4280"),
        ("https://../..", "other"),
    ],
)
def test_folders_stay_below_the_project(target: str, folder: str) -> None:
    assert folder_name(target) == folder
