"""What `[build]` and the options of a build come to, as flyctl has it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from score_flyio.deploy.options import DeployOptions
from score_flyio.engine.builds import build_settings
from score_flyio.engine.images import Wanted
from score_flyio.engine.inputs import FlyTomlApp
from score_flyio.errors import ImageError
from score_flyio.images.build import BuildSettings, prepare
from score_flyio.images.options import ImageOptions
from score_flyio.images.reference import ImageReference

CASES = Path(__file__).parents[2] / "conformance" / "fly_toml" / "cases"
DOCKERFILE = "FROM scratch AS base\nFROM scratch AS last\n"


def wanted(folder: Path, build: str) -> Wanted:
    (folder / "fly.toml").write_text(f"app = 'web'\n[build]\n{build}\n")
    return wanted_of(FlyTomlApp.load("fly.toml", folder))


def wanted_of(item: FlyTomlApp) -> Wanted:
    return Wanted.of(item, item.resolve(item.app, {}), DeployOptions())


def settings(folder: Path, build: str, **options: Any) -> BuildSettings:
    chosen = DeployOptions(images=ImageOptions(**options))
    return build_settings(wanted(folder, build), chosen)


@pytest.mark.parametrize(
    ("build", "options", "args"),
    [
        ("", {}, {}),
        ("[build.args]\nA = '1'", {}, {"A": "1"}),
        ("[build.args]\nA = '1'\nB = '2'", {"args": {"A": "3"}}, {"A": "3", "B": "2"}),
        ("", {"args": {"A": "3"}}, {"A": "3"}),
    ],
)
def test_arguments_of_the_command_line_count_before_those_of_the_file(
    tmp_path: Path, build: str, options: dict[str, Any], args: dict[str, str]
) -> None:
    assert settings(tmp_path, build, **options).args == args


@pytest.mark.parametrize("key", ["build-target", "build_target"])
@pytest.mark.parametrize(("option", "target"), [("", "base"), ("last", "base")])
def test_the_target_of_the_file_counts_before_the_option(
    tmp_path: Path, key: str, option: str, target: str
) -> None:
    assert settings(tmp_path, f"{key} = 'base'", target=option).target == target
    assert settings(tmp_path, "", target=option).target == option


@pytest.mark.parametrize(
    ("build", "option", "left"),
    [
        ("", "", {".dockerignore", "Dockerfile", "b"}),
        ("ignorefile = 'other'", "", {".dockerignore", "Dockerfile", "a", "other"}),
        ("ignorefile = 'other'", "none", {".dockerignore", "Dockerfile", "a", "other"}),
        ("", "none", {".dockerignore", "Dockerfile", "a", "b"}),
    ],
)
async def test_ignore_files(tmp_path: Path, build: str, option: str, left: set[str]) -> None:
    for name, text in (
        *((".dockerignore", "a\nother\nnone\nfly.toml\n"), ("other", "b\nnone\nfly.toml\n")),
        *(("none", "other\nnone\nfly.toml\n"), ("Dockerfile", DOCKERFILE), ("a", ""), ("b", "")),
    ):
        (tmp_path / name).write_text(text)
    ignorefile = str(tmp_path / option) if option else ""
    chosen = settings(tmp_path, build, ignorefile=ignorefile)
    found = await prepare(chosen, ImageReference.parse("web:1"))
    assert {entry.path for entry in found.context.entries} == left


@pytest.mark.parametrize(
    ("build", "compression", "level"),
    [
        ("", "", None),
        ("compression = 'gzip'\ncompression_level = 9", "", 9),
        ("compression = 'zstd'\ncompression_level = 3", "zstd", 3),
    ],
)
def test_compression(tmp_path: Path, build: str, compression: str, level: int | None) -> None:
    found = settings(tmp_path, build)
    assert (found.compression, found.compression_level) == (compression, level)


@pytest.mark.parametrize(
    ("build", "there", "kind"),
    [
        ("builder = 'b'", False, "buildpacks"),
        ("builder = 'b'\ndockerfile = 'Dockerfile'", True, "buildpacks"),
        ("builder = 'b'\nbuiltin = 'node'", True, "buildpacks"),
        ("buildpacks = ['b']", True, None),
        ("builtin = 'node'", False, "builtin"),
        ("builtin = 'node'", True, None),
        ("builtin = 'node'\ndockerfile = 'Dockerfile'", True, None),
        ("dockerfile = 'https://example.com/Dockerfile'", True, "not fetched"),
        ("build-target = 'base'", True, None),
    ],
)
def test_of_several_ways_to_build_flyctls_first_is_taken(
    tmp_path: Path, build: str, there: bool, kind: str | None
) -> None:
    if there:
        (tmp_path / "Dockerfile").write_text(DOCKERFILE)
    if kind is None:
        settings(tmp_path, build)
        return
    with pytest.raises(ImageError, match=f"web: .*{kind}") as raised:
        settings(tmp_path, build)
    assert raised.value.hint


@pytest.mark.parametrize("name", sorted(path.name for path in CASES.glob("build-*")))
def test_the_cases_of_flyctl(name: str) -> None:
    app = FlyTomlApp.load(f"{name}/fly.toml", CASES, app="web")
    item, build = wanted_of(app), app.spec.build
    expected = json.loads((CASES / name / "expected.json").read_text())
    sources = expected["deploy"]["build_strategies"]
    if build is not None and build.image:
        assert build.image in sources[0]
        return
    assert item.is_built
    if build is not None and (build.builder or "://" in build.dockerfile):
        with pytest.raises(ImageError):
            build_settings(item, DeployOptions())
    else:
        target = (expected["config"].get("build") or {}).get("build-target", "")
        assert build_settings(item, DeployOptions()).target == target
