"""The secrets file: `KEY=VALUE` lines that `fly secrets import` reads back unchanged.

flyctl reads a line up to its end as it is, but drops spaces before the value, one pair of double
quotes around it, and takes three double quotes for the start of a text over several lines. So:

| Value | Line |
|---|---|
| ordinary text | `KEY=VALUE`, nothing escaped |
| begins with a space, is in double quotes, or ends with a carriage return | `KEY="VALUE"` |
| several lines | three double quotes, the lines, three double quotes |

What cannot be written so that flyctl reads it back is refused.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from score_flyio.base.secret import Secret
from score_flyio.errors import ConfigError

CODE: Final = "secrets_file_unwritable"
_FENCE: Final = '"""'
_LONGEST_LINE: Final = 65_535
"""Bytes; flyctl stops reading at a longer line without a word."""


def render(secrets: Mapping[str, Secret]) -> str:
    """The lines for some secrets, sorted by name.

    Raises ConfigError for a secret that no line can carry.
    """
    return "".join(f"{_entry(name, secrets[name].reveal())}\n" for name in sorted(secrets))


def render_all(secrets: Mapping[str, Mapping[str, Secret]]) -> str:
    """The lines for several apps (app name → secrets), each under a comment with its name.

    Raises ConfigError, also where two apps have different values for one name.
    """
    filled = {app: values for app, values in sorted(secrets.items()) if values}
    if len(filled) == 1:
        return render(next(iter(filled.values())))
    owners: dict[str, str] = {}
    for app, values in filled.items():
        for name, value in values.items():
            owner = owners.setdefault(name, app)
            if filled[owner][name] != value:
                raise ConfigError(
                    f"secret {name} has different values for the apps {owner} and {app}, but the "
                    "secrets file has one line for it",
                    hint="generate these workloads one by one, each with its own secrets file",
                    code=CODE,
                )
    return "\n".join(f"# {app}\n{render(values)}" for app, values in filled.items())


def _entry(name: str, value: str) -> str:
    if not name or name != name.strip() or name.startswith("#") or set(name) & set("=\n\r"):
        raise _unwritable(name, "its name cannot stand in such a file")
    text = f"{name}={_quoted(name, value)}"
    if max(len(line.encode()) for line in text.split("\n")) > _LONGEST_LINE:
        raise _unwritable(name, f"a line of it is longer than {_LONGEST_LINE} bytes")
    return text


def _quoted(name: str, value: str) -> str:
    if "\n" in value:
        if any(line.endswith((_FENCE, "\r")) for line in value.split("\n")[:-1]):
            raise _unwritable(name, 'a line of it ends with """ or a carriage return')
        return f"{_FENCE}{value}{_FENCE}"
    stripped = value.startswith('"') and value.endswith('"')
    if not (stripped or value.startswith((" ", _FENCE)) or value.endswith("\r")):
        return value
    if value.startswith('""') or value == '"':
        raise _unwritable(name, "it begins with double quotes in a way that flyctl cannot read")
    return f'"{value}"'


def _unwritable(name: str, why: str) -> ConfigError:
    return ConfigError(
        f"secret {name} cannot be written to a secrets file: {why}",
        hint="use score-flyio deploy, which sets secrets without a file",
        code=CODE,
    )
