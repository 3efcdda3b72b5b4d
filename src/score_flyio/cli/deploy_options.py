"""The options of `deploy` and `plan`, and what they mean for the engine."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, Final

import asyncclick as click

from score_flyio.cli.go_flags import (
    max_unavailable,
    nonempty,
    retries,
    seconds,
    variable,
    whole_number,
)
from score_flyio.cli.options import (
    CONSENT,
    OVERRIDES,
    app_option,
    config_option,
    flag_option,
    image_option,
    refresh_option,
    section,
)
from score_flyio.errors import UsageError
from score_flyio.flytoml.names import LARGEST_VOLUME_GB, STRATEGY_NAMES

if TYPE_CHECKING:
    from score_flyio.deploy.options import DeployOptions
    from score_flyio.engine.selection import Selection
    from score_flyio.flytoml.spec import FileSpec
    from score_flyio.images.options import ImageOptions


def _listed(_ctx: click.Context, _param: click.Parameter, values: tuple[str, ...]) -> Any:
    return tuple(part for value in values for part in value.replace(",", " ").split())


listing_option = partial(click.option, type=nonempty, multiple=True, callback=_listed)
"""An option that takes `a,b`, and may be repeated."""
pairs_option = partial(click.option, type=variable, multiple=True, metavar="NAME=VALUE")
"""An option that takes `NAME=VALUE`, and may be repeated."""
time_option = partial(click.option, type=seconds, metavar="TIME")
"""An option that takes a time such as `5m`."""

_SO_ANYWAY: Final = (
    *("--now", "--dns-checks", "--depot", "--recreate-builder", "--wg", "--http-failover"),
    *("--provision-extensions", "--no-extensions"),
)
_IN_PLACE_OF: Final = {
    "--nixpacks": "write a Dockerfile: nothing else is built from",
    "--buildpacks-docker-host": "write a Dockerfile: nothing else is built from",
    "--signal": 'write kill_signal = "SIGTERM" into the fly.toml',
    "--vm-gpus": "choose a size without GPU: Fly refuses them since August 2026",
    "--vm-gpu-kind": "choose a size without GPU: Fly refuses them since August 2026",
    "--host-dedication-id": "write host_dedication_id into a [[vm]] of the fly.toml",
    "--export-manifest": "use plan --out FILE.plan",
    "--from-manifest": "use deploy FILE.plan",
}


def _refuse(_ctx: click.Context, option: click.Parameter, value: str | None) -> None:
    if value is not None:
        name = option.opts[0]
        raise UsageError(f"{name} of flyctl has no meaning here", hint=_IN_PLACE_OF[name])


_meaningless = partial(click.option, hidden=True, expose_value=False)
OF_FLYCTL: Final[tuple[Any, ...]] = (
    *(_meaningless(name, is_flag=True) for name in _SO_ANYWAY),
    *(
        _meaningless(name, callback=_refuse, is_flag=name == "--nixpacks", default=None)
        for name in _IN_PLACE_OF
    ),
)
"""Options of flyctl that its users have in scripts, and that mean nothing here.

Some ask for what is so anyway; the others are refused with what to do in their place.
"""

INPUTS: Final = section(
    "What is deployed",
    click.argument("files", type=nonempty, nargs=-1, metavar="[FILE]..."),
    config_option(help="A fly.toml to deploy without Score; repeatable."),
    app_option,
    *OVERRIDES,
    refresh_option,
)

GUEST: Final = section(
    "Size of machines",
    click.option("--vm-size", metavar="SIZE", help="Machine size, such as shared-cpu-2x."),
    click.option("--vm-cpus", type=whole_number(1), metavar="N", help="Number of CPUs."),
    click.option(
        "--vm-cpu-kind", type=click.Choice(["shared", "performance"]), help="Kind of CPUs."
    ),
    click.option("--vm-memory", metavar="SIZE", help="Memory, such as 512mb or 1gb."),
)

(release_record_option,) = section(
    "The app",
    click.option(
        "--release-record/--no-release-record",
        default=True,
        help="Tell Fly of the release, so that fly releases shows it.",
    ),
)

WAITING: Final = section(
    "How machines are changed",
    click.option(
        "--strategy",
        type=click.Choice(STRATEGY_NAMES),
        help="How machines are replaced; otherwise as in the fly.toml, else rolling.",
    ),
    click.option(
        "--max-unavailable",
        type=max_unavailable,
        metavar="N|SHARE",
        help="Machines of a group that may be out at once: a count, or a share such as 0.33.",
    ),
    time_option("--wait-timeout", help="Time for a machine to become healthy, such as 5m or 300."),
    click.option(
        "--smoke-checks/--no-smoke-checks", default=True, help="Watch started machines for crashes."
    ),
    time_option(
        "--smoke-window", help="How long they are watched, from their start; 10s unless given."
    ),
    time_option(
        "--bluegreen-pause",
        help="Time for the proxy to learn of new machines, and again to leave old ones: bluegreen "
        "waits so long twice; 10s unless given.",
    ),
    click.option(
        "--max-concurrent",
        "--concurrency",
        "concurrency",
        type=whole_number(1),
        metavar="N",
        help="Machines changed at once by the immediate strategy.",
    ),
    flag_option("--detach", help="Do not wait until machines are started and healthy."),
    time_option("--lease-timeout", help="Life of a lease."),
    time_option(
        "--lease-wait",
        help="How long to wait for a machine that somebody else holds; 0: not at all; 40s unless "
        "given.",
    ),
    click.option(
        "--on-failure",
        type=click.Choice(["rollback", "keep", "stop"]),
        default="rollback",
        show_default=True,
        help="What becomes of machines that were updated before one turned out bad.",
    ),
    click.option(
        "--on-change",
        type=click.Choice(["replan", "refuse"]),
        default="replan",
        show_default=True,
        help="What to do if somebody else changed the app before this run held its machines.",
    ),
)
"""How machines are changed one after another, and what is waited for."""

IMAGES: Final = section(
    "Images",
    click.option(
        "--builder",
        default="auto",
        show_default=True,
        metavar="NAME",
        help="What builds images: docker, buildah, podman, buildkit or fly; auto: the first there "
        "is; local: the same without fly.",
    ),
    flag_option("--no-cache", help="Carry out every step of builds anew."),
    pairs_option("--build-arg", "build_args", help="A build argument; repeatable."),
    pairs_option(
        "--build-secret",
        "build_secrets",
        help="A secret for RUN --mount=type=secret,id=NAME; repeatable.",
    ),
    click.option("--build-target", default="", metavar="STAGE", help="The stage to build."),
    pairs_option("--label", "labels", help="A label of built images; repeatable."),
    click.option("--dockerfile", default="", metavar="FILE", help="The Dockerfile to build."),
    click.option("--ignorefile", default="", metavar="FILE", help="In place of .dockerignore."),
    click.option(
        "--image-label", "image_tag", default="", metavar="TAG", help="The tag of a built image."
    ),
    time_option(
        "--build-idle-timeout",
        help="How long a build or push may make no progress before it is given up; 0: for ever; "
        "30m unless given.",
    ),
    flag_option("--no-resolve", help="Deploy images by their tags, whatever these mean now."),
)
"""How images are built and named."""

FILES: Final = section(
    "What runs",
    *(
        pairs_option(
            f"--file-{kind}",
            metavar=f"PATH={value}",
            help=f"A file in every machine, {of}; repeatable.",
        )
        for kind, value, of in (
            ("local", "FILE", "with the content of a local one"),
            ("literal", "TEXT", "with this content"),
            ("secret", "SECRET", "with the value of a secret in base64"),
        )
    ),
)
"""Files of machines beside those of the fly.toml."""

SETTINGS: Final = (
    *section(
        "What runs",
        image_option(
            metavar="[NAME=]IMAGE",
            help="The image of the only app deployed, or of its container NAME.",
        ),
        pairs_option("-e", "--env", help="One more environment variable; repeatable."),
    ),
    *FILES,
    *section(
        "The app",
        click.option(
            "-r",
            "--region",
            "--primary-region",
            "region",
            metavar="REGION",
            help="The primary region; where none is named, what is new goes to FLY_REGION.",
        ),
        time_option("--release-command-timeout", help="Time for the release command."),
        flag_option("--skip-release-command", help="Do not run the release command."),
        flag_option("--no-public-ips", help="Allocate no public addresses."),
        flag_option(
            "--dedicated-ipv4",
            help="Give each app that is public an IPv4 of its own, for 2 USD a month.",
        ),
        flag_option("--flycast", help="Allocate a private address only."),
    ),
    release_record_option,
    *OF_FLYCTL,
    *GUEST,
    *section(
        "Which machines",
        click.option("--ha/--no-ha", default=True, help="Two machines of each group at first."),
        listing_option(
            "--only-regions",
            "--regions",
            "only_regions",
            metavar="REGION,…",
            help="Touch machines of these regions only.",
        ),
        listing_option(
            "--exclude-regions",
            metavar="REGION,…",
            help="Leave the machines of these regions alone.",
        ),
        listing_option(
            "--process-groups",
            metavar="GROUP,…",
            help="Deploy these process groups only; the others stay as they are.",
        ),
        listing_option(
            "--only-machines", metavar="ID,…", help="Touch these machines only, and create none."
        ),
        listing_option("--exclude-machines", metavar="ID,…", help="Leave these machines alone."),
        flag_option("--update-only", help="Create no machines for groups that have none."),
        flag_option("--force", help="Update machines that do not differ, too: they restart."),
        flag_option(
            "--start",
            help="Start machines at rest, too; else they stay so, but for min_machines_running.",
        ),
        listing_option(
            "--fallback-regions",
            metavar="REGION,…",
            help="Where machines, and new volumes, are made when their region has no room.",
        ),
        click.option(
            "--volume-initial-size",
            type=whole_number(1, LARGEST_VOLUME_GB),
            metavar="GB",
            help="Size of new volumes whose mount names none.",
        ),
        click.option(
            "--deploy-retries",
            type=retries,
            expose_value=False,
            metavar="N|auto",
            help="Accepted for flyctl's users: what may pass is always tried again.",
        ),
    ),
    *WAITING,
    *IMAGES,
    *section(
        CONSENT,
        flag_option(
            "-y",
            "--yes",
            help="Agree to changes of mounts, and to the end of process groups that left the app.",
        ),
    ),
)
"""How it is deployed."""


def selection(settings: dict[str, Any], environ: Mapping[str, str]) -> Selection:
    """What INPUTS say; takes them out of the other settings.

    The variable FLY_APP names the app of the only fly.toml, as for flyctl.

    An image for one Score file is what `.` stands for in it, also in later runs. With the name of
    a container, it is only that.

    Raises UsageError: a container is named, but there is no Score file, or more than one.
    """
    from score_flyio.engine.project import Overrides
    from score_flyio.engine.selection import Selection

    own = {name: settings.pop(name) for name in ("files", "configs", "app", "refresh")}
    single = len(own["files"]) == 1 and not own["configs"]
    if len(own["configs"]) == 1 and not own["files"] and not own["app"]:
        own["app"], own["app_from"] = environ.get("FLY_APP") or None, "FLY_APP"
    overrides = Overrides(
        file=settings.pop("overrides_file"),
        properties=settings.pop("override_properties"),
        image=settings["image"] if single else None,
    )
    if "=" in (settings["image"] or ""):
        if not single:
            raise UsageError(
                f"--image {settings['image']}: it names a container of one Score file",
                hint="name exactly one Score file",
            )
        settings["image"] = None
    return Selection(overrides=overrides, **own)


def deploy_options(
    *,
    env: tuple[tuple[str, str], ...] = (),
    lease_timeout: float | None = None,
    no_public_ips: bool = False,
    no_resolve: bool = False,
    push: bool = True,
    yes: bool = False,
    **rest: Any,
) -> DeployOptions:
    """What SETTINGS say; of what is not given, the engine knows what it is then."""
    from score_flyio.deploy.options import DeployOptions

    if rest.get("dedicated_ipv4") and (no_public_ips or rest.get("flycast")):
        other = "--no-public-ips" if no_public_ips else "--flycast"
        raise click.UsageError(f"--dedicated-ipv4 asks for a public address, and {other} for none")
    guest, images = _guest(rest), _images(rest, resolve=not no_resolve, push=push)
    files, given = _files(rest), {**rest, "lease_ttl": lease_timeout}
    return DeployOptions(
        env=dict(env),
        guest=guest,
        images=images,
        files=files,
        public_ips=not no_public_ips,
        allow_destructive=yes,
        **{name: value for name, value in given.items() if value is not None},
    )


def _images(rest: dict[str, Any], *, resolve: bool, push: bool) -> ImageOptions:
    """Takes what IMAGES say out of the other settings."""
    from score_flyio.base.secret import Secret
    from score_flyio.images.options import ImageOptions

    secrets = {name: Secret(value) for name, value in rest.pop("build_secrets", ())}
    names = {"build_target": "target", "image_tag": "tag", "build_idle_timeout": "idle_timeout"}
    names |= {name: name for name in ("builder", "no_cache", "dockerfile", "ignorefile")}
    given = {name: rest.pop(option, None) for option, name in names.items()}
    return ImageOptions(
        args=dict(rest.pop("build_args", ())),
        labels=dict(rest.pop("labels", ())),
        secrets=secrets,
        resolve=resolve,
        push=push,
        **{name: value for name, value in given.items() if value is not None},
    )


def _files(rest: dict[str, Any]) -> tuple[FileSpec, ...]:
    """Takes what FILES say out of the other settings.

    Raises UsageError where nothing is named to take the content from.
    """
    from score_flyio.flytoml.spec import FileSpec

    keys = {"local": "local_path", "literal": "raw_value", "secret": "secret_name"}
    files = []
    for kind, key in keys.items():
        for path, value in rest.pop(f"file_{kind}", ()):
            if not value and kind != "literal":
                raise UsageError(
                    f"--file-{kind} {path}=: it names no {'file' if kind == 'local' else 'secret'}",
                    hint=f"write --file-{kind} {path}=NAME",
                )
            files.append(FileSpec(guest_path=path, **{key: value}))
    return tuple(files)


def _guest(rest: dict[str, Any]) -> Any:
    """Takes the `--vm-*` settings out of the others."""
    from score_flyio.deploy.options import GuestOptions

    names = ("size", "cpus", "cpu_kind", "memory")
    given = {name: rest.pop(f"vm_{name}", None) for name in names}
    return GuestOptions(**given) if any(v is not None for v in given.values()) else None
