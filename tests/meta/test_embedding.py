"""What docs/embedding.md and docs/testing.md show works as it stands there."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from score_flyio import PluginProvisioner, ProvisionIncomplete, ProvisionRequest
from score_flyio.cli.main import run
from score_flyio.score.resources import ResourceUid
from tests.meta.source import ROOT


def programs(document: str) -> list[str]:
    return re.findall(r"```python\n(.*?)```", (ROOT / "docs" / document).read_text(), re.DOTALL)


EXAMPLE, PLUGIN = programs("embedding.md")
CONFTEST, TEST = programs("testing.md")


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_the_example_deploys(backend: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copytree(ROOT / "samples" / "worker", tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SCORE_FLYIO_TARGET", "emulator")
    assert run(["-q", "init", "--fly-app-prefix", "embedded-"], {}) == 0
    program = EXAMPLE.replace("anyio.run(main)", f'anyio.run(main, backend="{backend}")')
    assert program != EXAMPLE
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", program], capture_output=True, text=True, check=False
    )
    assert done.stderr == ""
    assert "create app embedded-worker" in done.stdout
    assert "run_finished" in done.stdout
    assert "worker (app embedded-worker): done" in done.stdout


SAMPLE = ROOT / "samples" / "embedding" / "operate.py"


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_the_sample_does_all_that_can_be_done(backend: str, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-W", "error", str(SAMPLE), backend],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stderr == ""
    lines = done.stdout.splitlines()
    assert "app: 3 machines of shared-cpu-1x, 256 MB" in lines
    assert "went back to release 1" in lines
    assert any("there is no release 99 to go back to" in line for line in lines)
    assert lines.count("hello (app embedded-hello): done") == 3
    assert list(tmp_path.iterdir()) == []


TYPED_PLUGIN = """

from score_flyio import PluginProvisioner

plugin: PluginProvisioner = buckets()
"""


def test_what_is_shown_is_typed(tmp_path: Path) -> None:
    """By pyright, with the types that the package ships; mypy sees the sample with our files."""
    (tmp_path / "shown").mkdir()
    (tmp_path / "shown" / "plugin.py").write_text(PLUGIN + TYPED_PLUGIN)
    (tmp_path / "shown" / "example.py").write_text(EXAMPLE)
    settings = {
        "include": [str(SAMPLE.parent), "shown"],
        "extraPaths": [str(ROOT / "src"), str(ROOT / "generated")],
        "typeCheckingMode": "strict",
        "pythonVersion": "3.11",
    }
    (tmp_path / "pyrightconfig.json").write_text(json.dumps(settings))
    command = [sys.executable, "-m", "basedpyright", "--outputjson", "--project", str(tmp_path)]
    command += ["--pythonpath", sys.executable]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    report = json.loads(done.stdout)
    assert report["summary"]["filesAnalyzed"] == 3
    assert report["generalDiagnostics"] == []


async def test_the_plugin_provisions() -> None:
    shown: dict[str, Any] = {}
    exec(compile(PLUGIN, "plugin.py", "exec"), shown)  # it is ours
    plugin: PluginProvisioner = shown["buckets"]()
    uid = ResourceUid.parse("bucket.default#web.files")
    made = await plugin.provision(ProvisionRequest(uid=uid, guid="g"))
    assert made.values == {"bucket": "bucket-g"}
    with pytest.raises(ProvisionIncomplete) as raised:
        await plugin.provision(ProvisionRequest(uid=uid, guid="g", params={"size": 10}))
    assert raised.value.result == made
    assert await plugin.deprovision(ProvisionRequest(uid=uid, guid="g")) is not None


def pytest_run(folder: Path, **files: str) -> subprocess.CompletedProcess[str]:
    """Run pytest on files, apart from this project's settings."""
    for name, text in files.items():
        (folder / f"{name}.py").write_text(text)
    command = [sys.executable, "-m", "pytest", "-q", "--strict-markers", "-p", "no:cacheprovider"]
    return subprocess.run(
        [*command, "--rootdir", str(folder), str(folder)],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_test_passes(tmp_path: Path) -> None:
    done = pytest_run(tmp_path, conftest=CONFTEST, test_shown=TEST)
    assert "1 passed" in done.stdout, done.stdout


SETTINGS = """
import pytest
from fly_emulator import Emulator, EmulatorSettings
from score_flyio.errors import ConfigError

pytestmark = [pytest.mark.anyio, pytest.mark.fly_emulator(seed=1, boot=3)]


async def test_usual(fly_emulator):
    assert fly_emulator.settings == EmulatorSettings(seed=1, boot=3)


@pytest.mark.fly_emulator(seed=2)
async def test_nearest_marker_counts(fly_emulator, fly_target):
    assert fly_emulator.settings == EmulatorSettings(seed=2, boot=3)
    assert fly_target.emulator is fly_emulator


class TestOverride:
    @pytest.fixture
    def emulator_settings(self):
        return EmulatorSettings(seed=3)

    async def test_fixture(self, fly_emulator):
        assert fly_emulator.settings.seed == 3


async def test_control(fly_emulator, fly_control):
    (fault,) = fly_control.add_faults("Machines_create: 503 times=1")
    assert fly_emulator.faults.active == [fault]
    before = fly_emulator.now()
    assert fly_control.advance(3600) >= before + 3600
    with pytest.raises(ConfigError, match="Machines_craete"):
        fly_control.add_faults("Machines_craete: 503")
    fly_control.reset()
    assert not fly_control.faults
    assert fly_emulator.now() < before + 3600


@pytest.mark.fly_emulator(sed=2)
async def test_unknown(fly_emulator):
    pass
"""


def test_settings_come_from_markers_and_fixtures_on_every_backend(tmp_path: Path) -> None:
    done = pytest_run(
        tmp_path, conftest='pytest_plugins = ["score_flyio.testing"]', test_settings=SETTINGS
    )
    # Without a fixture `anyio_backend`, anyio runs each test on asyncio and on trio.
    assert "8 passed, 2 errors" in done.stdout, done.stdout
    assert "unexpected keyword argument 'sed'" in done.stdout
