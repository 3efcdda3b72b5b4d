"""YAML as Go's reader resolves it, which flyctl uses.

Unlike YAML 1.1, `on`, `off`, `yes` and `no` are texts here, and so is `22:22`.
"""

from __future__ import annotations

import re
from typing import Any, Final

import yaml

_NUMERIC: Final = list("-+.0123456789")


class CoreLoader(yaml.SafeLoader):
    """Resolves plain scalars as Go's reader does, and refuses keys that stand there twice."""

    yaml_implicit_resolvers: dict[str, Any] = {}  # noqa: RUF012 - the attribute that PyYAML reads

    def flatten_mapping(self, node: yaml.MappingNode) -> None:
        """As inherited, with the keys of the text itself checked before merged ones join them."""
        seen: set[tuple[str, str]] = set()
        for key, _ in node.value:
            name = (key.tag, str(key.value))
            if name in seen and isinstance(key, yaml.ScalarNode):
                raise yaml.constructor.ConstructorError(
                    None, None, f"key {key.value!r} is already there", key.start_mark
                )
            seen.add(name)
        super().flatten_mapping(node)


for _tag, _pattern, _starts in (
    ("null", r"~|null|Null|NULL|", ["~", "n", "N", ""]),
    ("bool", r"true|True|TRUE|false|False|FALSE", list("tTfF")),
    ("int", r"[-+]?(?:0[xX][0-9a-fA-F_]+|0[bB][01_]+|0[oO]?[0-7_]*|[1-9][0-9_]*)",
     _NUMERIC),
    ("float", r"[-+]?(?:\.[0-9]+|[0-9][0-9_]*(?:\.[0-9_]*)?)(?:[eE][-+]?[0-9]+)?", _NUMERIC),
    ("float", r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)", _NUMERIC),
    ("merge", r"<<", ["<"]),
):  # fmt: skip
    CoreLoader.add_implicit_resolver(
        f"tag:yaml.org,2002:{_tag}", re.compile(rf"(?:{_pattern})\Z"), _starts
    )


def load_yaml(text: str) -> Any:
    """The one document of a text.

    Raises:
        yaml.YAMLError: the text is not YAML.
        ValueError: a number in it cannot be read.
    """
    return yaml.load(text, Loader=CoreLoader)  # noqa: S506 - a SafeLoader with fewer types
