"""Which apps a command is about and where they are, by its arguments and options."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, Final

import asyncclick as click

from score_flyio.base.record import frozen
from score_flyio.cli.context import CliContext
from score_flyio.cli.options import WHERE, Decorator, app_option, config_option, options, section
from score_flyio.errors import NotInitialised, RunInterrupted, UsageError

if TYPE_CHECKING:
    from score_flyio.engine.operations.apps import AppRef
    from score_flyio.engine.session import Session
    from score_flyio.engine.target import Target

_config_option = config_option(help="A fly.toml that names the app, instead of a workload.")
APPS: Final = section(
    "Which apps",
    click.argument("workloads", nargs=-1, metavar="[WORKLOAD]..."),
    _config_option,
    app_option,
)
"""Any number of apps; without any, all workloads of the project."""
ONE: Final = section("Which app", _config_option, app_option)
"""One app, beside arguments of the command's own."""


def target_of(cli: CliContext) -> Target:
    """`--emulate`, `--target` and `--org`, else what the environment says.

    Raises UsageError for --emulate with another target, and ConfigError as `Target.parse` does.
    """
    from score_flyio.engine.target import Target

    if cli.emulate and cli.target not in {None, "emulator"}:
        raise UsageError(
            f"--emulate and --target {cli.target} name different targets", hint="give one of them"
        )
    if cli.emulate or cli.target is not None:
        chosen = Target.parse(
            cli.target or "emulator", cli.environ, directory=cli.directory, named="--target"
        )
    else:
        chosen = Target.from_environment(cli.environ, directory=cli.directory)
    if cli.org is not None:
        chosen.org = cli.org
    return chosen


@asynccontextmanager
async def session(cli: CliContext, *, silent: bool = False) -> AsyncIterator[Session]:
    """A visit to the place that the command line names, shown as fits the terminal.

    It begins with telling where it goes to, unless it is `silent`: operations tell it themselves.

    Raises RunInterrupted where a signal ended it; its report says how far a change came.
    """
    import anyio

    from score_flyio.cli.render import follow
    from score_flyio.engine.session import open_session
    from score_flyio.events import EventLog

    target = target_of(cli)
    async with follow(cli) as listener:
        log = EventLog(cli.clock.time, listener)
        async with open_session(cli.project(), target, log, clock=cli.clock) as visit:
            if not silent:
                visit.tell_target()
            with anyio.CancelScope() as scope, cli.interrupted_by(scope.cancel):
                yield visit
            if scope.cancelled_caught:
                raise RunInterrupted("interrupted", report=visit.so_far())


async def chosen(
    cli: CliContext, workloads: Sequence[str], configs: Sequence[str] = (), app: str | None = None
) -> tuple[AppRef, ...]:
    """The apps that the command line names; which there are depends on the target."""
    from score_flyio.engine.operations.apps import choose_apps

    if len(configs) == 1 and not workloads:
        app = app or cli.environ.get("FLY_APP") or None
    try:
        return await choose_apps(cli.project(), workloads, configs=configs, app=app)
    except NotInitialised as error:
        error.hint = f"{error.hint}; or name an app with --app NAME"
        raise


def names_one_app(*arguments: str) -> Decorator[Any]:
    """The arguments and options by which a command names one app, and where it is.

    `COMMAND WORKLOAD ARG…`, or `COMMAND ARG… --app NAME`.
    """
    metavar = " ".join(("[WORKLOAD]", *arguments))
    return options((click.argument("arguments", nargs=-1, metavar=metavar),), ONE, WHERE)


@frozen(kw_only=True)
class NamedApp:
    """The one app that a command line names."""

    cli: CliContext
    ref: AppRef
    rest: tuple[str, ...]
    """The arguments behind the workload."""
    told: bool = True
    """Whether the command line names the app, and not only the project has no other."""

    def no_workload(self) -> None:
        """Raises UsageError where the first argument is the misspelt name of the workload."""
        from score_flyio.engine.project import no_workloads

        if self.rest and not self.told:
            raise no_workloads(self.rest[:1], [self.ref.label])


async def named_app(cli: CliContext, settings: dict[str, Any], *, more: bool = False) -> NamedApp:
    """What the options of `names_one_app` say; takes them out of the other settings.

    The first argument is the workload, unless --app or --config names the app, or the project has
    only one workload and the argument is not its name. Unless the command takes `more` arguments,
    one that is left is refused.

    Raises UsageError: it is not clear which workload is meant.
    """
    from score_flyio.engine.operations.apps import single

    arguments, configs, app = (settings.pop(name) for name in ("arguments", "configs", "app"))
    rest = tuple(arguments)
    apps = await chosen(cli, (), configs, app or None)
    told = bool(configs or app)
    if not told:
        own = tuple(ref for ref in apps if arguments and ref.workload == arguments[0])
        if own:
            apps, rest, told = own[:1], rest[1:], True
        elif len(apps) != 1:
            meant = [name for name in arguments[:1] if "=" not in name and not name.isdigit()]
            apps = await chosen(cli, meant)
    named = NamedApp(cli=cli, ref=single(apps), rest=rest, told=told)
    if rest and told and not more:
        raise UsageError(f"unexpected argument {rest[0]!r}", hint="name one workload; see --help")
    if not more:
        named.no_workload()
    return named
