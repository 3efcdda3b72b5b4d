"""What a type of server is made of, as an entry `server://…` of a file of provisioners says it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from score_flyio.base.place import Path, shown
from score_flyio.base.record import field, fields, frozen
from score_flyio.flytoml.names import LONGEST_VOLUME, as_volume_name, is_app_name, is_secret_name
from score_flyio.yaml.typed import Reader


@frozen(kw_only=True)
class Volume:
    """Where a server keeps its data."""

    name: str
    path: str
    size_gb: int = 1


@frozen(kw_only=True)
class Server:
    """The machine of a server."""

    name: str
    """Of the machine, unique within the app, so that a second one is refused; and of its check."""
    app: str
    """Between the project's prefix and the digits in the name of the app."""
    image: str
    port: int
    password: tuple[str, ...]
    """The app secrets that have the operator's password."""
    memory_mb: int = 256
    volume: Volume | None = None
    env: Mapping[str, str] = field(factory=dict)
    entrypoint: tuple[str, ...] = ()
    """In place of that of the image."""
    command: tuple[str, ...] = ()
    """In place of that of the image."""
    health: str | None = None
    """The path that answers where it is healthy; None: it is once the port is open."""


@frozen(kw_only=True)
class Admin:
    """What is done in the machine for a resource."""

    program: str
    """As messages call it."""
    command: str
    """The shell command that takes the templates below on its standard input."""
    create: str = field(repr=False)
    """Makes or completes what the resource gets; safe to repeat."""
    drop: str | None = field(default=None, repr=False)
    """Takes it away again. With it, all resources of a project share one server."""
    not_ready: int | None = None
    """The exit code with which the program says that the server does not answer yet."""


def _members(
    reader: Reader, value: Any, path: Path, class_: type, *needed: str
) -> dict[str, tuple[Any, Path]]:
    """What a map has for each field of a class, with its place."""
    names = [field.name for field in fields(class_)]
    found = reader.known(value, path, *names, needed=needed)
    return {name: (found.get(name), (*path, name)) for name in names}


def read_server(reader: Reader, value: Any, path: Path) -> Server:
    """The server that a map describes; what is wrong goes to the reader's problems."""
    found = _members(reader, value, path, Server, "name", "image", "port", "password")
    name, own = reader.text(*found["name"]), reader.text(*found["app"])
    if name and not is_app_name(own or name):
        reader.wrong((*path, "app" if own else "name"), "cannot be part of an app's name")
    password = reader.texts(*found["password"])
    for variable in password:
        if variable and not is_secret_name(variable):
            message = f"{shown(variable)} cannot be the name of a secret"
            reader.wrong((*path, "password"), message)
    if found["password"][0] == []:
        reader.wrong((*path, "password"), "at least one name of a variable is needed")
    has_volume = isinstance(value, dict) and "volume" in value
    return Server(
        name=name,
        app=own or name,
        image=reader.text(*found["image"]),
        port=reader.number(*found["port"], most=65_535),
        password=password,
        memory_mb=reader.number(*found["memory_mb"], default=256),
        env=reader.named_texts(*found["env"]),
        entrypoint=reader.texts(*found["entrypoint"]),
        command=reader.texts(*found["command"]),
        health=reader.text(*found["health"]) or None,
        volume=_read_volume(reader, *found["volume"]) if has_volume else None,
    )


def _read_volume(reader: Reader, value: Any, path: Path) -> Volume:
    found = _members(reader, value, path, Volume, "name", "path")
    name = reader.text(*found["name"])
    if name != as_volume_name(name):
        allowed = f"up to {LONGEST_VOLUME} of a-z, 0-9 and _"
        message = f"{shown(name)} cannot be the name of a volume"
        reader.wrong((*path, "name"), message, hint=allowed)
    return Volume(
        name=name,
        path=reader.text(*found["path"]),
        size_gb=reader.number(*found["size_gb"], default=1),
    )


def read_admin(reader: Reader, value: Any, path: Path) -> Admin:
    """What an `admin` map says; what is wrong goes to the reader's problems."""
    found = _members(reader, value, path, Admin, "program", "command", "create")
    return Admin(
        program=reader.text(*found["program"]),
        command=reader.text(*found["command"]),
        create=reader.text(*found["create"]),
        drop=reader.text(*found["drop"]) or None,
        not_ready=reader.number(*found["not_ready"], most=255) or None,
    )
