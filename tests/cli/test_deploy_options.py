"""What the options of `deploy` mean for the engine."""

from __future__ import annotations

from typing import Any

import anyio
import pytest

from score_flyio.base.secret import Secret
from score_flyio.cli.commands.deploy import flyctl_flags
from score_flyio.cli.deploy_options import deploy_options
from score_flyio.cli.go_flags import seconds
from score_flyio.deploy.options import DeployOptions
from score_flyio.errors import UsageError
from score_flyio.flytoml.spec import FileSpec
from score_flyio.images.options import ImageOptions

BESIDE = (
    "target", "emulate", "org", "build_only", "local_only", "push", "remote_only", "verbose",
    "jobs", "report", "events", "summary",
)  # fmt: skip


def options(*arguments: str) -> DeployOptions:
    settings = anyio.run(flyctl_flags, arguments)
    return deploy_options(**{k: v for k, v in settings.items() if k not in BESIDE})


@pytest.mark.parametrize(
    ("arguments", "name", "value"),
    [
        (["--lease-wait", "0"], "lease_wait", 0.0),
        (["--lease-wait=2m"], "lease_wait", 120.0),
        (["--on-change", "refuse"], "on_change", "refuse"),
        (["--bluegreen-pause", "0"], "bluegreen_pause", 0.0),
        (["--bluegreen-pause", "1m30s"], "bluegreen_pause", 90.0),
        (["--smoke-window", "25"], "smoke_window", 25.0),
        (["--no-resolve", "--no-cache"], "images", ImageOptions(resolve=False, no_cache=True)),
        (
            [
                *("--builder", "buildah", "--build-arg", "A=1", "--build-secret", "T=x"),
                *("--build-target", "prod", "--label", "l=2", "--dockerfile", "D"),
                *("--ignorefile", "I", "--image-label", "v1", "--build-idle-timeout", "1h"),
            ],
            "images",
            ImageOptions(
                builder="buildah",
                args={"A": "1"},
                secrets={"T": Secret("x")},
                target="prod",
                labels={"l": "2"},
                dockerfile="D",
                ignorefile="I",
                tag="v1",
                idle_timeout=3600.0,
            ),
        ),
        (["--fallback-regions", "ams,fra"], "fallback_regions", ("ams", "fra")),
        (["--process-groups", "a,b", "--process-groups=c"], "process_groups", ("a", "b", "c")),
        (["--only-machines", "m1,m2"], "only_machines", ("m1", "m2")),
        (["--exclude-machines", "m1 m2"], "exclude_machines", ("m1", "m2")),
        (["--update-only"], "update_only", True),
        (["--volume-initial-size", "5"], "volume_initial_size", 5),
        (
            ["--file-local", "/a=b", "--file-literal=/c=d=e", "--file-secret", "/f=G"],
            "files",
            (
                FileSpec(guest_path="/a", local_path="b"),
                FileSpec(guest_path="/c", raw_value="d=e"),
                FileSpec(guest_path="/f", secret_name="G"),
            ),
        ),
        (
            ["--fallback-regions", "ams", "--fallback-regions", "fra"],
            "fallback_regions",
            ("ams", "fra"),
        ),
    ],
)
def test_options(arguments: list[str], name: str, value: Any) -> None:
    assert getattr(options(*arguments), name) == value


@pytest.mark.parametrize("value", ["0", "3", "auto"])
def test_retries_of_flyctl_are_accepted(value: str) -> None:
    assert options("--deploy-retries", value) == DeployOptions()


@pytest.mark.parametrize(
    "arguments",
    [
        ["--deploy-retries", "many"],
        ["--deploy-retries=-1"],
        ["--volume-initial-size", "0"],
        ["--file-local", "/a"],
        ["--access-token", "fo1_x"],
    ],
)
def test_what_flyctl_would_not_take_either(arguments: list[str]) -> None:
    with pytest.raises(UsageError, match=f"--deploy-args: {arguments[0].partition('=')[0]}"):
        options(*arguments)


def test_what_is_not_given_is_as_the_engine_has_it() -> None:
    assert options() == DeployOptions()
    assert seconds("10s") == DeployOptions().bluegreen_pause
