"""`score-flyio state`: the project state, wherever it is kept."""

from __future__ import annotations

from typing import TYPE_CHECKING

import asyncclick as click

from score_flyio.base.counted import counted
from score_flyio.base.document import MAY_BE_MISSING, Document
from score_flyio.base.record import field, frozen
from score_flyio.cli.command import Group
from score_flyio.cli.context import CliContext
from score_flyio.cli.options import emulate_option, json_option, yes_option
from score_flyio.errors import StateCorrupt, UsageError
from score_flyio.state.model import Place

if TYPE_CHECKING:
    from score_flyio.state.shown import StateShown
    from score_flyio.state.store import StateStore, Versioned

command = Group("state", help="Show, move or unlock the project state.")


@frozen(kw_only=True)
class Pulled(Document):
    """The state, or where it was written."""

    state: str | None = field(default=None, metadata=MAY_BE_MISSING)
    """All of it, as text; where no file was named."""
    file: str | None = field(default=None, metadata=MAY_BE_MISSING)
    """The file."""


@frozen(kw_only=True)
class Adopted(Document):
    """What was forgotten."""

    forgotten: Place | None
    """Where the apps were."""


@frozen(kw_only=True)
class Unlocked(Document):
    """A lock that was taken away."""

    unlocked: bool
    """Whether there was one."""
    holder: str | None
    """Whose it was."""


@command.command("show")
@emulate_option
@json_option
async def show(cli: CliContext) -> None:
    """Show what the state knows: workloads, apps, resources and provisioners."""
    from score_flyio.state.shown import StateShown

    state = await cli.project().read()
    shown = StateShown.of(state)
    cli.output.result(shown, _text(shown))


@command.command("pull")
@click.argument("file", required=False)
@click.option("--saved", metavar="ID", help="An earlier version, as state history lists them.")
@emulate_option
@json_option
async def pull(cli: CliContext, file: str | None, saved: str | None) -> None:
    """Print the state, or write it to FILE: all of it, private notes of provisioners too."""
    from score_flyio.base.atomic import write_atomically
    from score_flyio.state.deployments_form import dump_document

    project = cli.project()
    state = await (project.read() if saved is None else _versioned(project.store).earlier(saved))
    if state is None:
        raise UsageError(
            f"--saved: there is no version {saved!r} of the state",
            hint="choose one of: score-flyio state history",
            code="no_such_version",
        )
    text = dump_document(state)
    if file is None or file == "-":
        cli.output.result(Pulled(state=text), text)
        return
    write_atomically(cli.output_path("FILE", file), text.encode())
    cli.output.info(f"wrote {file}")
    cli.output.result(Pulled(file=file), "")


@command.command("push")
@click.argument("file", metavar="FILE|-")
@yes_option
@json_option
async def push(cli: CliContext, file: str) -> None:
    """Replace the state by what `state pull` wrote; - reads it from stdin."""
    from score_flyio.state.deployments_form import load_document
    from score_flyio.state.shown import StateShown

    text = cli.read_stdin() if file == "-" else cli.read_text(file, "name what `state pull` wrote")
    try:
        new = load_document(text, "stdin" if file == "-" else file)
    except StateCorrupt as error:
        hint = "give what `state pull` wrote; the state stays as it is"
        message = None if error.problems else error.message
        raise UsageError(message, hint=hint, code=error.code, problems=error.problems) from error
    project = cli.project()
    present = await project.store.load()
    if present is None:
        await project.store.save(new)
    else:
        there = counted(len(present.workloads), "workload")
        question = f"Replace the state of {there} by one of {len(new.workloads)}?"
        await cli.agree(question, "the state stays as it is")
        async with project.locked("state push"):
            await project.store.save(new)
    cli.output.info(f"the state now has {counted(len(new.workloads), 'workload')}")
    cli.output.result(StateShown.of(new), "")


@command.command("adopt")
@yes_option
@json_option
async def adopt(cli: CliContext) -> None:
    """Forget where the project's apps are; the next deploy says it anew.

    For apps that have moved to another organization, or an API at another address.
    """
    project = cli.project()
    async with project.locked("state adopt") as state:
        place = state.place
        if place is not None:
            where = f"{place.address}, organization {place.organization or '(not known)'}"
            question = f"The apps of this project are at {where}. Forget that?"
            await cli.agree(question, "the state stays as it is")
            state.place = None
            await project.store.save(state)
    cli.output.result(Adopted(forgotten=place), "the next deploy says where the apps are")


@command.command("unlock")
@yes_option
@json_option
async def unlock(cli: CliContext) -> None:
    """Take away a lock that was left behind."""
    from score_flyio.state.store import Unlockable

    store = cli.project().store
    holder: str | None = None
    if isinstance(store, Unlockable):
        question = "Take the lock away? A run that still goes on would be disturbed."
        await cli.agree(question, "the lock stays")
        holder = await store.unlock()
    else:
        async with store.lock("state unlock"):
            """Whoever held it is gone: a lock here ends with its process."""
    text = f"the lock of {holder} is gone" if holder else "the state is not locked"
    cli.output.result(Unlocked(unlocked=holder is not None, holder=holder), text)


@command.command("history")
@json_option
async def history(cli: CliContext) -> None:
    """List the versions of the state that its store still has."""
    from score_flyio.cli.render.wording import ago_of

    versions = await _versioned(cli.project().store).history()
    now = cli.clock.time()
    rows = [
        [one.id, ago_of(one.at, now), str(one.size or "-"), "*" * one.current] for one in versions
    ]
    cli.output.rows(versions, ["VERSION", "SAVED", "BYTES", ""], rows)


def _versioned(store: StateStore) -> Versioned:
    from score_flyio.state.store import Versioned

    if isinstance(store, Versioned):
        return store
    raise UsageError(
        "this store keeps no earlier versions of the state",
        hint="keep the state in a bucket: --state s3://BUCKET/KEY; "
        "SCORE_FLYIO_STATE_KEY encrypts it",
        code="no_history",
    )


def _text(shown: StateShown) -> str:
    lines = [f"app prefix: {shown.app_prefix or '(none)'}"]
    if (place := shown.place) is not None:
        lines.append(f"apps at {place.address}, organization {place.organization or '-'}")
    lines += [f"workload {one.workload}: app {one.app}" for one in shown.workloads]
    for resource in shown.resources:
        by = f"provisioned by {resource.provisioner}" if resource.provisioner else "not provisioned"
        lines.append(f"resource {resource.uid}: {by}")
    lines += [f"provisioner {name}" for name in shown.provisioners]
    for app in shown.deployments:
        releases = ", ".join(map(str, app.releases)) or "none"
        secrets = ", ".join(app.secrets) or "none"
        lines.append(f"deployed {app.app}: releases {releases}; secrets {secrets}")
    return "\n".join(lines)
