"""The command and group classes.

Parsing a command line and running its command are apart: `invoke` does not call the command but
returns an `Invocation`. Parsing therefore never waits, needs no event loop, and `--help` and
completion stay fast.
"""

from collections.abc import Callable
from functools import partial
from importlib import import_module
from typing import Any, NamedTuple

import asyncclick as click
from asyncclick.shell_completion import CompletionItem

from score_flyio.cli.go_flags import as_click_reads
from score_flyio.cli.options import GlobalOption, global_options
from score_flyio.cli.table import COMMANDS, SECTIONS
from score_flyio.cli.usage import no_command, usage_of

_HELP = {"help_option_names": ["-h", "--help"]}


class Invocation(NamedTuple):
    """A command that was parsed and is ready to run.

    `callback` is called as `callback(cli, **params)` with a `CliContext`. It is an async function,
    or a plain one for what needs no event loop, and returns an exit code or None.
    """

    callback: Callable[..., Any]
    params: dict[str, Any]
    early: bool = False
    """Whether it begins before an event loop runs, and asks for one: see `event_loop`."""


class _Sectioned(click.Command):
    """Help with examples, and with options in sections."""

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        from score_flyio.cli.examples import EXAMPLES

        if examples := EXAMPLES.get(ctx.command_path.partition(" ")[2]):
            with formatter.section("Examples"):
                for line, what in examples:
                    formatter.write(f"  # {what}\n" if what else "")
                    formatter.write(f"  {f'{ctx.command_path} {line}'.strip()}\n")
        sections: dict[str, list[tuple[str, str]]] = {"Options": []}
        shared: list[tuple[str, str]] = []
        for param in self.get_params(ctx):
            if record := param.get_help_record(ctx):
                is_shared = isinstance(param, GlobalOption) or param.name == "help"
                title = getattr(param, "section", "Options")
                (shared if is_shared else sections.setdefault(title, [])).append(record)
        for title, records in (*sections.items(), ("Global options", shared)):
            if records:
                with formatter.section(title):
                    formatter.write_dl(records)


class Command(_Sectioned):
    """A command that takes the global options too."""

    early = False
    """Whether it begins without an event loop, because it often needs none."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # What is left over is told of in our words.
        self.context_settings = {**_HELP, "allow_extra_args": True}
        self.params.extend(global_options(of_group=False))

    def get_params(self, ctx: click.Context) -> list[click.Parameter]:
        params = super().get_params(ctx)
        if ctx.resilient_parsing:  # a shell asks how a word can go on
            from score_flyio.cli.completing import complete, kind_of

            for param in params:
                if kind := kind_of(self.name, param):
                    setattr(param, "shell_complete", partial(complete, kind))  # noqa: B010  # its method
        return params

    async def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        with usage_of(ctx):
            left = await super().parse_args(ctx, as_click_reads(args, self.params, ctx))
        if left and not ctx.resilient_parsing:
            raise click.UsageError(f"unexpected argument {left[0]!r}", ctx)
        return left

    async def invoke(self, ctx: click.Context) -> Any:
        if self.callback is None:
            raise TypeError(f"the command {self.name} has no callback")
        return Invocation(self.callback, dict(ctx.params), self.early)


@click.pass_context
def _alone(ctx: click.Context) -> None:
    """Refuses options of a group without any command behind them."""
    if ctx.invoked_subcommand is None:
        raise click.UsageError("a command is missing", ctx)


class Group(_Sectioned, click.Group):
    """A group of commands that are defined in the same module."""

    command_class = Command

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs |= {"no_args_is_help": False, "invoke_without_command": True, "callback": _alone}
        kwargs |= {"context_settings": _HELP, "subcommand_metavar": "COMMAND [ARGS]..."}
        super().__init__(*args, **kwargs)
        self.params.extend(global_options(of_group=True))

    async def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if not args and not ctx.resilient_parsing:
            click.echo(self.get_help(ctx))
            raise click.exceptions.Exit(0)
        with usage_of(ctx):
            own = as_click_reads(args, self.params, ctx, of_group=True)
            return await super().parse_args(ctx, own)

    async def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        known = self.list_commands(ctx)
        if args[0] not in known and not ctx.resilient_parsing:
            raise no_command(ctx, args[0], known)
        return await super().resolve_command(ctx, args)

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        super().format_options(ctx, formatter)
        self.format_commands(ctx, formatter)


class LazyGroup(Group):
    """The root: knows its commands from a table and imports one only to use it."""

    async def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        asked = args[:1] == ["help"]
        return await super().parse_args(ctx, [*args[1:], "--help"] if asked else args)

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002  # click's signature
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        if cmd_name not in COMMANDS:
            return None
        module = import_module(f"score_flyio.cli.commands.{cmd_name.replace('-', '_')}")
        command: click.Command = module.command
        return command

    async def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args[0] not in COMMANDS and not ctx.resilient_parsing:
            from score_flyio.cli.examples import ELSEWHERE

            if args[0] in ELSEWHERE:
                raise click.UsageError(
                    f"there is no command {args[0]!r}; instead: {ELSEWHERE[args[0]]}", ctx
                )
        return await super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        for title, commands in SECTIONS.items():
            with formatter.section(title):
                formatter.write_dl(list(commands.items()))

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem[str]]:
        commands = [
            CompletionItem(name, help=told)
            for name, told in COMMANDS.items()
            if name.startswith(incomplete)
        ]
        return [*commands, *click.Command.shell_complete(self, ctx, incomplete)]
