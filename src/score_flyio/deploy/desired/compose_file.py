"""Reading a compose file, with every scalar as it is written.

`8080`, `true` and `1e3` have to reach a container as they stand in the file, and what counts as a
text follows YAML 1.2, as flyctl's reader does.
"""

from __future__ import annotations

from typing import Any, Final, NoReturn

import yaml
from attrs import frozen

from score_flyio.deploy.desired.errors import ConversionError

FIELD: Final = "build.compose.file"


@frozen
class Scalar:
    """A value that is neither list nor map, as it is written."""

    text: str
    is_text: bool
    """Whether flyctl takes it for a text rather than a number, a boolean or a date."""


def text_of(value: Any) -> str:
    """The text of a scalar, whatever it means; empty for anything else."""
    return value.text if isinstance(value, Scalar) else ""


def read_services(content: bytes, path: str) -> dict[str, dict[str, Any]]:
    """The services of a compose file, by name; scalars in them are `Scalar`, null is None.

    Raises:
        ConversionError: it is no YAML, has not the shape of a compose file, or no services.
    """
    try:
        document = _load(content)
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError) as error:
        place = " ".join(str(error).split())
        refuse(f"{path} is not YAML: {place}", "mend the file at that place")
    if document is None:
        document = {}
    services = document.get("services") if isinstance(document, dict) else document
    if services is None:
        services = {}
    if not isinstance(services, dict) or not isinstance(document, dict):
        refuse(f"{path}: services is not a map", "write services: {NAME: {image: …}}")
    if not services:
        raise ConversionError(
            FIELD, "no_services", f"{path} has no services", hint="add a service with an image"
        )
    for name, service in services.items():
        if service is not None and not isinstance(service, dict):
            refuse(f"{path}: service {name!r} is not a map", "write NAME: {image: …}")
    return {name: service or {} for name, service in services.items()}


def _load(content: bytes) -> Any:
    loader = yaml.SafeLoader(content)
    try:
        node = loader.get_single_node()
        return None if node is None else _value(node, loader)
    finally:
        loader.dispose()


def _value(node: yaml.Node, loader: yaml.SafeLoader) -> Any:
    if isinstance(node, yaml.MappingNode):
        loader.flatten_mapping(node)
        return {str(key.value): _value(item, loader) for key, item in node.value}
    if isinstance(node, yaml.SequenceNode):
        return [_value(item, loader) for item in node.value]
    if node.tag == "tag:yaml.org,2002:null":
        return None
    # texts in YAML 1.2, and so for flyctl: yes, no, on, off, and 12:30, which is no base 60 number
    word = str(node.value)
    is_text = node.tag == "tag:yaml.org,2002:str" or (
        (node.tag == "tag:yaml.org,2002:bool" and word.lower() not in {"true", "false"})
        or (node.tag in {"tag:yaml.org,2002:int", "tag:yaml.org,2002:float"} and ":" in word)
    )
    return Scalar(text=word, is_text=is_text)


def refuse(message: str, hint: str) -> NoReturn:
    """Say that the file is no compose file that can be used."""
    raise ConversionError(FIELD, "invalid_compose", message, hint=hint)
