"""Options that many commands share."""

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any, TypeVar

import asyncclick as click

from score_flyio._version import __version__
from score_flyio.cli.go_flags import image_name, nonempty, whole_number

F = TypeVar("F", bound=Callable[..., Any])
Decorator = Callable[[F], F]


class GlobalOption(click.Option):
    """An option that every command takes, before or after its name."""


def _keep(ctx: click.Context, param: click.Parameter, value: Any) -> None:
    """Collect what is given, before or after the command, in the `obj` of the command line."""
    if value is not None and param.name is not None:
        ctx.obj[param.name] = value


def _print_version(ctx: click.Context, _param: click.Parameter, value: Any) -> None:
    if value and not ctx.resilient_parsing:
        click.echo(f"score-flyio {__version__}")
        raise click.exceptions.Exit(0)


def _global(*names: str, **settings: Any) -> GlobalOption:
    name = names[-1].strip("-").replace("-", "_")
    return GlobalOption(
        [*names, name], default=None, expose_value=False, callback=_keep, **settings
    )


def global_options(*, of_group: bool) -> list[click.Parameter]:
    """The global options, as parameters of a group, or of one command.

    `-v` is the version before a command, as in the Go score-flyio, and more output behind one, as
    in other Score tools.
    """
    return [
        _global(
            "-d",
            *(() if of_group else ("-v", "--verbose")),
            "--debug",
            is_flag=True,
            help="More output, tracebacks included (or SCORE_FLYIO_DEBUG=true).",
        ),
        _global(
            "-q", "--quiet", is_flag=True, help="No log lines; only results and the final error."
        ),
        _global("--no-color", is_flag=True, help="No colours (or NO_COLOR)."),
        _global(
            "--state",
            type=nonempty,
            metavar="URL",
            help="Where the project state is: a path, s3://… or https://… (or SCORE_FLYIO_STATE).",
        ),
        _global(
            "-t",
            "--access-token",
            metavar="TOKEN",
            help="The Fly token; FLY_ACCESS_TOKEN shows it to nobody else on this computer.",
        ),
        GlobalOption(
            ["-v", "--version"] if of_group else ["--version"],
            is_flag=True,
            is_eager=True,
            expose_value=False,
            callback=_print_version,
            help="Print the version.",
        ),
    ]


def section(title: str, *decorators: Decorator[Any]) -> tuple[Decorator[Any], ...]:
    """Options that help shows together, under a title."""
    return tuple(partial(_in_section, title, decorate) for decorate in decorators)


def _in_section(title: str, decorate: Decorator[Any], function: Any) -> Any:
    decorated = decorate(function)
    decorated.__click_params__[-1].section = title
    return decorated


flag_option = partial(click.option, is_flag=True)
"""An option that is given or not."""
kept_option = partial(click.option, expose_value=False, callback=_keep)
"""An option that is a part of `CliContext`, and no argument of the command."""
OUTPUT = "What is told"
CONSENT = "Consent"

STEP_SUMMARY = "GITHUB_STEP_SUMMARY"
"""The environment variable that names the file of a GitHub step's summary."""

# `--json` is for commands that print a result with `cli.output.result`, `--format` for lists, as
# other Score tools have it (`Output.formatted`), `--events` for commands with a run to follow
# (`cli.render.follow`), `--summary` for those that a CI system tells of (`cli.ci`).
json_option, format_option, events_option, summary_option = section(
    OUTPUT,
    kept_option(
        "--json", is_flag=True, default=None, help="Print the result as one JSON document."
    ),
    click.option(
        "-f",
        "--format",
        "form",
        type=click.Choice(["table", "json", "yaml"]),
        help="How to print it.",
    ),
    kept_option("--events", metavar="FILE.jsonl", help="Write every event as a line of JSON."),
    kept_option(
        "--summary",
        metavar="FILE.md",
        help=f"Write a summary in Markdown; appended to ${STEP_SUMMARY} by itself.",
    ),
)

yes_option, dry_run_option = section(
    CONSENT,
    kept_option("-y", "--yes", is_flag=True, help="Do not ask for confirmation."),
    flag_option(
        "--dry-run",
        help="Show the plan, with --debug or --json each API call too, and change nothing.",
    ),
)
"""See `CliContext.agree` and `cli.deploy_run.show_plan`."""

emulate_option, target_option, org_option = section(
    "Where to",
    kept_option(
        "--emulate", is_flag=True, help="Use the emulator kept under .score-flyio/emulator."
    ),
    kept_option(
        "--target",
        type=nonempty,
        metavar="fly|emulator|URL",
        help="Where to: Fly, the emulator kept in this folder, or a Machines API at a URL.",
    ),
    kept_option("-o", "--org", type=nonempty, metavar="SLUG", help="The Fly organization."),
)
WHERE = (org_option, target_option, emulate_option)
"""Where apps are: see `cli.apps.target_of`."""

config_option = partial(
    click.option, "-c", "--config", "configs", type=nonempty, multiple=True, metavar="FILE"
)
image_option = partial(click.option, "-i", "--image", type=image_name)
region_option = partial(click.option, "-r", "--region", type=nonempty, metavar="REGION")
jobs_option = partial(click.option, "--jobs", type=whole_number(1), metavar="N")
"""Options that commands tell of in words of their own."""

refresh_option = flag_option(
    "--refresh", help="Without FILE: read the Score files of the workloads again."
)

OVERRIDES = (
    click.option("--overrides-file", metavar="FILE", help="YAML map laid over the Score file."),
    click.option(
        "--override-property",
        "override_properties",
        multiple=True,
        metavar="PATH=VALUE",
        help="Set one value of the Score file, or remove it with an empty VALUE; repeatable.",
    ),
)
"""For commands that read Score files."""

app_option = click.option("-a", "--app", type=nonempty, metavar="NAME", help="The Fly app.")

CHANGE = (dry_run_option, events_option, json_option)
"""For commands that change apps."""


def options(*groups: Iterable[Decorator[Any]]) -> Decorator[Any]:
    """All the options of some groups, as one decorator."""
    decorators = [decorator for group in groups for decorator in group]

    def decorate(function: Any) -> Any:
        for decorator in reversed(decorators):
            function = decorator(function)
        return function

    return decorate
