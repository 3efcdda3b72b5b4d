"""Reading provisioner definitions as they are typed, and their order in the project."""

from __future__ import annotations

import os.path
import re
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from score_flyio.errors import ConfigError
from score_flyio.net.web_address import read_web_address
from score_flyio.resources.protocol import parse_object
from score_flyio.state.resources import (
    CommandSpec,
    HttpSpec,
    ProvisionerDefinition,
    StaticSpec,
)

CODE: Final = "provisioner_definition_invalid"
BUILT_IN: Final = "builtin-provisioners"
MODE_VARIABLE: Final = "SCORE_PROVISIONER_MODE"
"""What a program is told by: `provision` or `deprovision`."""
_ITEM: Final = r'"(?:[^"]|"")*"|[^",\r\n]*'
_LIST: Final = re.compile(rf"(?:{_ITEM})(?:,(?:{_ITEM}))*")


def static_spec(text: str) -> StaticSpec:
    """From the JSON object of outputs; `null` gives none. Raises ConfigError."""
    try:
        return StaticSpec(values=parse_object(text.encode()))
    except ValueError as error:
        raise ConfigError(
            f"--static-json: {error}", hint='give an object such as {"host": "db"}', code=CODE
        ) from error


def command_spec(binary: str, arguments: Sequence[str]) -> CommandSpec:
    """From a program and its arguments, each text a comma-separated list.

    A name without slash is looked up on PATH now; a relative path becomes absolute. A built-in
    provisioner that is not told what to do is told it at each call.
    Raises ConfigError.
    """
    if "/" in binary:
        path: str | None = os.path.normpath(Path(binary).absolute())
    else:
        path = shutil.which(binary)
    if not binary or path is None:
        raise ConfigError(
            f"--cmd-binary: there is no program {binary!r} on PATH",
            hint="install it, or give its path",
            code=CODE,
        )
    args = tuple(a for text in arguments for a in _split(text))
    if len(args) == 2 and args[0] == BUILT_IN:
        args = (*args, f"${MODE_VARIABLE}")
    return CommandSpec(binary=path, args=args)


def _split(text: str) -> list[str]:
    """One line of comma-separated values; what has a comma or quotes in it stands in quotes."""
    if not text:
        return []
    if not _LIST.fullmatch(text):
        raise ConfigError(
            f"--cmd-args: {text!r} is not a comma-separated list of arguments",
            hint='put an argument with a comma or quotes in it in double quotes: "a,""b"""',
            code="cli_usage",
        )
    matches = re.finditer(rf"(?:^|,)({_ITEM})", text)
    return [_unquoted(match[1]) for match in matches]


def _unquoted(item: str) -> str:
    return item[1:-1].replace('""', '"') if item.startswith('"') else item


def http_spec(url: str) -> HttpSpec:
    """From the URL of the service. Raises ConfigError."""
    example = "https://provisioner.example.com/x"
    read_web_address(url, name="--http-url", example=example, code=CODE)
    return HttpSpec(url=url)


def with_first(
    definitions: Sequence[ProvisionerDefinition], new: ProvisionerDefinition
) -> tuple[ProvisionerDefinition, ...]:
    """`new` in front; the others without those of the same id or serving exactly the same."""

    def serves(item: ProvisionerDefinition) -> tuple[str, str | None, str | None]:
        return (item.resource_type, item.resource_class, item.resource_id)

    kept = [d for d in definitions if d.id != new.id and serves(d) != serves(new)]
    return (new, *kept)
