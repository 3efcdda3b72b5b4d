"""Commands about one app: `COMMAND WORKLOAD ARG…`, or `COMMAND ARG… --app NAME`."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import TYPE_CHECKING, Any

import asyncclick as click
from attrs import field, frozen

from score_flyio.cli.app_options import ONE, WHERE, chosen, session
from score_flyio.cli.context import CliContext
from score_flyio.cli.deploy_options import Decorator, options
from score_flyio.errors import UsageError

if TYPE_CHECKING:
    from score_flyio.flytoml.spec import AppSpec
    from score_flyio.operations.apps import AppRef, Chosen
    from score_flyio.operations.records import Records
    from score_flyio.operations.session import Session


def names_one_app(*arguments: str) -> Decorator[Any]:
    """The arguments and options by which a command names one app, and where it is."""
    metavar = " ".join(("[WORKLOAD]", *arguments))
    return options((click.argument("arguments", nargs=-1, metavar=metavar),), ONE, WHERE)


@frozen(kw_only=True)
class OneApp:
    """What a command line names."""

    cli: CliContext
    apps: Chosen
    rest: tuple[str, ...]
    """The arguments behind the workload."""
    place: dict[str, Any] = field(factory=dict)

    @property
    def ref(self) -> AppRef:
        """The app. Raises UsageError when there are several."""
        return self.apps.single()

    def no_more(self) -> None:
        """Raises UsageError for an argument that is left."""
        if self.rest:
            raise UsageError(
                f"unexpected argument {self.rest[0]!r}", hint="name one workload; see --help"
            )

    def session(self) -> AbstractAsyncContextManager[Session]:
        """A visit to the place that the command line names."""
        return session(self.cli, **self.place)

    @asynccontextmanager
    async def changing(
        self, owner: str, *, dry_run: bool = False
    ) -> AsyncIterator[tuple[Session, Records]]:
        """A visit with the project state, locked in the name of `owner` unless for a dry run."""
        from score_flyio.cli.project import open_project
        from score_flyio.operations.records import open_records

        async with (
            self.session() as visit,
            open_records(
                visit, open_project(self.cli), self.apps.state, owner, to_look=dry_run
            ) as records,
        ):
            yield visit, records

    def definition(self, visit: Session) -> AppSpec | None:
        """The fly.toml of the app, where one is known."""
        from score_flyio.cli.project import open_project
        from score_flyio.operations.definition import known_definition

        return known_definition(visit, open_project(self.cli), self.ref)


async def named_app(cli: CliContext, settings: dict[str, Any]) -> OneApp:
    """What the options of `names_one_app` say; takes them out of the other settings.

    Raises:
        UsageError: it is not clear which workload is meant.
    """
    own = [settings.pop(name) for name in ("arguments", "configs", "app")]
    names = ("target", "emulate", "org", "events_file")
    place = {name: settings.pop(name) for name in names if name in settings}
    apps, rest = await _split(cli, *own)
    return OneApp(cli=cli, apps=apps, rest=rest, place=place)


async def _split(
    cli: CliContext, arguments: Sequence[str], configs: Sequence[str], app: str | None
) -> tuple[Chosen, tuple[str, ...]]:
    """The app and the arguments that are left.

    The first argument is the workload, unless --app or --config names the app, or the project has
    only one workload and the argument is not its name.
    """
    if app or configs:
        return await chosen(cli, (), configs, app), tuple(arguments)
    every = await chosen(cli, (), (), None)
    known = every.state.workloads if every.state else {}
    if arguments and arguments[0] in known:
        return await chosen(cli, arguments[:1], (), None), tuple(arguments[1:])
    if len(known) == 1:
        return every, tuple(arguments)
    named = [name for name in arguments[:1] if "=" not in name and not name.isdigit()]
    chosen_one = await chosen(cli, named, (), None)
    chosen_one.single()
    return chosen_one, tuple(arguments)
