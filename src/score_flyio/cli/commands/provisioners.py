"""`score-flyio provisioners`: what serves which resources."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import asyncclick as click

from score_flyio.base.document import MAY_BE_MISSING, Document
from score_flyio.base.record import field, frozen
from score_flyio.cli.command import Group
from score_flyio.cli.context import CliContext
from score_flyio.cli.options import json_option
from score_flyio.errors import UsageError

if TYPE_CHECKING:
    from score_flyio.state.resources import ProvisionerDefinition, ProvisionerSpec

command = Group("provisioners", help="List, add or remove provisioners.")


@frozen(kw_only=True)
class Provisioner(Document):
    """A provisioner: what it serves, and how it works."""

    id: str
    resource_type: str
    resource_class: str | None
    """Null serves every class."""
    resource_id: str | None
    """Null serves every id."""
    cmd: Mapping[str, Any] | None = field(default=None, metadata=MAY_BE_MISSING)
    """A program, and its arguments."""
    http: Mapping[str, Any] | None = field(default=None, metadata=MAY_BE_MISSING)
    """A service, without what is secret."""
    static: Mapping[str, Any] | None = field(default=None, metadata=MAY_BE_MISSING)
    """Outputs that are always the same."""
    in_process: Mapping[str, Any] | None = field(default=None, metadata=MAY_BE_MISSING)
    """Where it comes from that needs no program and no service."""

    @classmethod
    def of(cls, item: ProvisionerDefinition) -> Provisioner:
        """Without what is secret."""
        return cls(
            id=item.id,
            resource_type=item.resource_type,
            resource_class=item.resource_class,
            resource_id=item.resource_id,
            **{item.spec.kind: item.spec.shown()},
        )


@frozen(kw_only=True)
class Served(Document):
    """A type of resources that is served, and by what."""

    type: str
    class_: str
    """`(any)` where it is every class."""
    params: tuple[str, ...]
    """Of the resource, where it says which it knows."""
    outputs: tuple[str, ...]
    """Where it says which it gives."""
    description: str
    provisioner: str
    """The id of what serves it."""

    def cells(self) -> list[str]:
        """In a table."""
        params, outputs = (", ".join(names) or "-" for names in (self.params, self.outputs))
        return [self.type, self.class_, params, outputs, self.description or self.provisioner]


@frozen(kw_only=True)
class Removed(Document):
    """A provisioner that was to be removed."""

    id: str
    removed: bool
    """Whether it was there."""


@command.command("list")
@click.option(
    "-f",
    "--format",
    "form",
    type=click.Choice(["table", "json", "yaml"]),
    help="All types that are served, with those that come with score-flyio.",
)
@json_option
async def list_(cli: CliContext, form: str | None) -> None:
    """List the provisioners; the first that fits a resource serves it."""
    project = cli.project()
    registry = project.registry(await project.read())
    if form is not None:
        served = [
            Served(
                type=item.resource_type,
                class_=item.resource_class or "(any)",
                params=item.params,
                outputs=item.outputs,
                description=item.description,
                provisioner=item.id,
            )
            for item in sorted(registry.in_order(), key=lambda item: item.resource_type)
        ]
        header = ["TYPE", "CLASS", "PARAMS", "OUTPUTS", "DESCRIPTION"]
        rows = [one.cells() for one in served]
        cli.output.formatted(served, cli.output.table(header, rows), form)
        return
    definitions = registry.all()
    lines = [f"[{index}]: {_line(item)}" for index, item in enumerate(definitions)]
    cli.output.result(list(map(Provisioner.of, definitions)), "\n".join(lines))


@command.command("add")
@click.argument("provisioner_id", metavar="ID")
@click.argument("resource_type", metavar="TYPE")
@click.option("--res-class", metavar="CLASS", help="Serve only this class.")
@click.option("--res-id", metavar="ID", help="Serve only this resource id.")
@click.option("--static-json", metavar="JSON", help="Outputs that are always the same.")
@click.option("--cmd-binary", metavar="PROGRAM", help="A program that provisions.")
@click.option(
    "--cmd-args",
    multiple=True,
    metavar="ARG,…",
    help="Its arguments, separated by commas; repeatable. "
    "$SCORE_PROVISIONER_MODE stands for provision or deprovision.",
)
@click.option("--http-url", metavar="URL", help="A service that provisions.")
@json_option
async def add(
    cli: CliContext,
    *,
    provisioner_id: str,
    resource_type: str,
    res_class: str | None,
    res_id: str | None,
    cmd_args: tuple[str, ...],
    **kind: str | None,
) -> None:
    """Put a provisioner in front of the others.

    It replaces one of the same ID, and one that serves exactly the same resources.
    """
    from score_flyio.resources.define import with_first
    from score_flyio.state.resources import ProvisionerDefinition

    if not provisioner_id or not resource_type:
        raise UsageError("ID and TYPE must not be empty")
    new = ProvisionerDefinition(
        id=provisioner_id,
        resource_type=resource_type,
        resource_class=res_class or None,
        resource_id=res_id or None,
        spec=_spec(cmd_args, **kind),
    )
    if cmd_args and kind["cmd_binary"] is None:
        cli.output.warn("--cmd-args has no effect without --cmd-binary")
    project = cli.project()
    async with project.locked("provisioners add") as state:
        state.provisioners = with_first(state.provisioners, new)
        state.uses_shared.pop(new.id, None)
        await project.store.save(state)
    cli.output.info(f"added provisioner '{new.id}'")
    cli.output.result(Provisioner.of(new), "")


@command.command("remove")
@click.argument("provisioner_id", metavar="ID")
@json_option
async def remove(cli: CliContext, provisioner_id: str) -> None:
    """Remove a provisioner; its resources stay."""
    project = cli.project()
    async with project.locked("provisioners remove") as state:
        kept = tuple(item for item in state.provisioners if item.id != provisioner_id)
        removed = len(kept) < len(state.provisioners)
        left = [str(r.uid) for r in state.resources.values() if r.provisioner == provisioner_id]
        if removed:
            state.provisioners = kept
            state.uses_shared.pop(provisioner_id, None)
            await project.store.save(state)
    if not removed:
        cli.output.warn(f"there is no provisioner '{provisioner_id}'")
    elif left:
        names = ", ".join(sorted(left))
        cli.output.warn(f"nothing can deprovision these resources now: {names}")
    cli.output.result(Removed(id=provisioner_id, removed=removed), "")


def _spec(cmd_args: tuple[str, ...], **kind: str | None) -> ProvisionerSpec:
    from score_flyio.resources.define import command_spec, http_spec, static_spec

    given = [(name, text) for name, text in kind.items() if text is not None]
    if len(given) != 1:
        raise UsageError(
            "a provisioner needs exactly one of --static-json, --cmd-binary and --http-url",
            hint=f"{len(given)} were given",
        )
    match given[0]:
        case "static_json", text:
            return static_spec(text)
        case "cmd_binary", text:
            return command_spec(text, cmd_args)
        case _, text:
            return http_spec(text)


def _line(item: ProvisionerDefinition) -> str:
    serves = f"{item.resource_type}.{item.resource_class or ''}#{item.resource_id or ''}"
    return f"{item.id} ({serves}) {item.spec.line()}"
