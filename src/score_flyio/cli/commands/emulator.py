"""`score-flyio emulator serve`: the embedded Fly platform on a local port."""

from __future__ import annotations

import errno
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import asyncclick as click

from score_flyio.base.document import Document
from score_flyio.base.record import frozen
from score_flyio.cli.command import Group
from score_flyio.cli.context import CliContext
from score_flyio.cli.go_flags import seconds, whole_number
from score_flyio.cli.options import flag_option, json_option
from score_flyio.errors import ConfigError

if TYPE_CHECKING:
    from fly_emulator import Emulator


@frozen(kw_only=True)
class Serving(Document):
    """An emulator that answers."""

    url: str
    """Where."""


PORT = 4280
AUTOSTOP_EVERY = 300.0
"""Seconds between looks at machines that run and that nobody visits."""
KEPT_REQUESTS = 10_000
"""How many of the latest requests a served emulator remembers."""

command = Group("emulator", help="The embedded Fly platform emulator.")


def _times(_ctx: click.Context, _param: click.Parameter, value: str) -> float | tuple[float, float]:
    """A time in seconds, or a range of times such as `0.05..0.2`."""
    low, dots, high = value.partition("..")
    try:
        times = (float(low), float(high if dots else low))
    except ValueError as error:
        raise click.BadParameter(
            f"{value!r} is neither a number of seconds nor a range such as 0.05..0.2"
        ) from error
    if not 0 <= times[0] <= times[1] < float("inf"):
        raise click.BadParameter(f"{value!r} is not a time from 0 up, or a range goes backwards")
    return times if dots else times[0]


def _address(_ctx: click.Context, _param: click.Parameter, value: str) -> str:
    from ipaddress import ip_address

    try:
        return str(ip_address("127.0.0.1" if value == "localhost" else value))
    except ValueError as error:
        raise click.BadParameter(
            f"{value!r} is not an address of this computer, such as 127.0.0.1 or 0.0.0.0"
        ) from error


@command.command("serve")
@click.option(
    "--port",
    type=whole_number(0, 65535),
    default=PORT,
    show_default=True,
    help="The port; 0 takes any free one.",
)
@click.option(
    "--host",
    default="127.0.0.1",
    show_default=True,
    callback=_address,
    metavar="ADDRESS",
    help="The address to listen on; 0.0.0.0 in a service container, open to its network.",
)
@click.option(
    "--allow-host",
    "names",
    multiple=True,
    metavar="NAME",
    help="A further host name that it may be called by, such as host.docker.internal.",
)
@click.option(
    "--latency",
    default="0",
    callback=_times,
    metavar="SECONDS",
    help="Time of an answer; a range such as 0.05..0.2 is drawn from.",
)
@click.option("--boot", type=seconds, metavar="SECONDS", help="Time a machine takes to start.")
@click.option(
    "--checks",
    "healthy_after",
    type=seconds,
    metavar="SECONDS",
    help="Time from a machine's start until its checks pass.",
)
@flag_option("--no-limits", "rate_limits", flag_value=False, default=True, help="No rate limits.")
@click.option("--seed", type=whole_number(), default=0, help="Seed of all ids, choices and faults.")
@click.option(
    "--journal",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Append every request as a line of JSON.",
)
@click.option(
    "--faults",
    default="",
    metavar="SPEC",
    help="Faults on purpose, such as 'changes: lost p=0.1; reads: 503 times=2'.",
)
@click.option(
    "--world",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Keep the apps and machines in this file.",
)
@click.option(
    "--runtime",
    type=click.Choice(["model", "process"]),
    default="model",
    show_default=True,
    help="Whether machines are only played, or run as processes of this computer.",
)
@click.option(
    "--run",
    "images",
    multiple=True,
    metavar="IMAGE=COMMAND",
    help="What runs for an image, such as 'nginx=python3 -m http.server $PORT'.",
)
@flag_option(
    "--allow-exec",
    help="Let machines bring commands of their own, and run commands that are executed in them.",
)
@click.option(
    "--app-port",
    type=whole_number(0, 65000),
    default=0,
    metavar="PORT",
    help="The port of the first app that runs, the next app's is one more; 0 takes any free one.",
)
@json_option
async def serve(
    cli: CliContext, port: int, host: str, names: tuple[str, ...], **settings: Any
) -> None:
    """Answer Fly's APIs on a local port, until interrupted.

    The first line on stdout is the URL: give it to score-flyio as FLY_FLAPS_BASE_URL, to flyctl as
    FLY_API_BASE_URL and FLY_UIEX_BASE_URL, too, with any FLY_API_TOKEN. Its page is there for a
    browser, and URL/_emulator has what can be done to the platform.
    """
    import anyio

    from fly_emulator.graphql import INSTALL, is_installed
    from score_flyio.net.web_address import is_loopback

    if settings["allow_exec"] and not is_loopback(host):
        raise ConfigError(
            f"--allow-exec: whoever reaches {host} could run commands on this computer",
            hint="listen on 127.0.0.1, or leave out --allow-exec",
        )
    if not is_loopback(host):
        cli.output.warn(
            f"everyone who reaches {host} can read and change all that is emulated, secrets too; "
            "listen there in containers and networks that you trust"
        )
    if not is_installed():
        cli.output.warn(f"flyctl needs GraphQL, which is not installed: {INSTALL}")
    async with _emulator(cli, **settings) as emulator:
        try:
            async with emulator.serve(port, host, names=names) as url:
                # one line, for whoever waits for it
                line = json.dumps(Serving(url=url).to_json()) if cli.output.json else url
                cli.output.write(line)
                names = ("FLY_FLAPS_BASE_URL", "FLY_API_BASE_URL", "FLY_UIEX_BASE_URL")
                addresses = " ".join(f"{name}={url}" for name in names)
                registry = f"FLY_REGISTRY_HOST={url.removeprefix('http://')}"
                cli.output.info(f"export {addresses} {registry} FLY_API_TOKEN=emulator")
                await anyio.sleep_forever()
        except OSError as error:
            if error.errno == errno.EADDRNOTAVAIL:
                raise ConfigError(
                    f"{host} is not an address of this computer", hint="give another with --host"
                ) from error
            if error.errno != errno.EADDRINUSE:
                raise
            raise ConfigError(
                f"port {port} of {host} is in use", hint="choose another with --port, or --port 0"
            ) from error


def _emulator(
    cli: CliContext,
    *,
    seed: int,
    journal: Path | None,
    faults: str,
    world: Path | None,
    runtime: str,
    images: tuple[str, ...],
    allow_exec: bool,
    app_port: int,
    **played: Any,
) -> Emulator:
    from fly_emulator import Commands, Emulator, EmulatorSettings, parse_faults

    if runtime == "process" and not images:
        raise ConfigError(
            "--runtime process: no image has a command",
            hint="give some, such as --run 'nginx=python3 -m http.server $PORT'",
        )
    if runtime == "model" and (images or allow_exec):
        raise ConfigError(
            "--run and --allow-exec are about machines that run", hint="add --runtime process"
        )
    settings = EmulatorSettings(
        registry=True,
        seed=seed,
        autostop_every=AUTOSTOP_EVERY if runtime == "process" else None,
        **{name: value for name, value in played.items() if value is not None},
    )
    return Emulator(
        settings,
        faults=parse_faults(faults, seed),
        journal=journal and cli.output_path("--journal", str(journal)),
        keep_journal=KEPT_REQUESTS,
        commands=Commands.parse(images, of_machines=allow_exec) if images else None,
        first_app_port=app_port,
        file=world and cli.output_path("--world", str(world)),
    )
