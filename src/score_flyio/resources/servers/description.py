"""What a type of server is made of, as an entry `server://…` of a file of provisioners says it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from score_flyio.base.place import Path, shown
from score_flyio.base.record import field, frozen
from score_flyio.flytoml.names import LONGEST_VOLUME, as_volume_name, is_app_name, is_secret_name

if TYPE_CHECKING:
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


SERVER_KEYS: Final = (
    "name", "app", "image", "port", "password", "memory_mb", "volume", "env", "entrypoint",
    "command", "health",
)  # fmt: skip
ADMIN_KEYS: Final = ("program", "command", "create", "drop", "not_ready")
VOLUME_KEYS: Final = ("name", "path", "size_gb")


def read_server(reader: Reader, value: Any, path: Path) -> Server:
    """The server that a map describes; what is wrong goes to the reader's problems."""
    needed = ("name", "image", "port", "password")
    found = reader.known(value, path, *SERVER_KEYS, needed=needed)
    members = {key: (found.get(key), (*path, key)) for key in SERVER_KEYS}
    name = reader.text(*members["name"])
    app = reader.text(*members["app"]) or name
    if name and not is_app_name(app):
        at = (*path, "app" if "app" in found else "name")
        reader.wrong(at, "cannot be part of an app's name")
    password = reader.texts(*members["password"])
    for variable in password:
        if variable and not is_secret_name(variable):
            message = f"{shown(variable)} cannot be the name of a secret"
            reader.wrong((*path, "password"), message)
    if found.get("password") == []:
        reader.wrong((*path, "password"), "at least one name of a variable is needed")
    return Server(
        name=name,
        app=app,
        image=reader.text(*members["image"]),
        port=reader.number(*members["port"], most=65_535),
        password=password,
        memory_mb=reader.number(*members["memory_mb"], default=256),
        env=reader.named_texts(*members["env"]),
        entrypoint=reader.texts(*members["entrypoint"]),
        command=reader.texts(*members["command"]),
        health=reader.text(*members["health"]) or None,
        volume=_read_volume(reader, *members["volume"]) if "volume" in found else None,
    )


def _read_volume(reader: Reader, value: Any, path: Path) -> Volume:
    found = reader.known(value, path, *VOLUME_KEYS, needed=("name", "path"))
    name = reader.text(found.get("name"), (*path, "name"))
    if name != as_volume_name(name):
        allowed = f"up to {LONGEST_VOLUME} of a-z, 0-9 and _"
        message = f"{shown(name)} cannot be the name of a volume"
        reader.wrong((*path, "name"), message, hint=allowed)
    return Volume(
        name=name,
        path=reader.text(found.get("path"), (*path, "path")),
        size_gb=reader.number(found.get("size_gb"), (*path, "size_gb"), default=1),
    )


def read_admin(reader: Reader, value: Any, path: Path) -> Admin:
    """What an `admin` map says; what is wrong goes to the reader's problems."""
    found = reader.known(value, path, *ADMIN_KEYS, needed=("program", "command", "create"))
    members = {key: (found.get(key), (*path, key)) for key in ADMIN_KEYS}
    return Admin(
        program=reader.text(*members["program"]),
        command=reader.text(*members["command"]),
        create=reader.text(*members["create"]),
        drop=reader.text(*members["drop"]) or None,
        not_ready=reader.number(*members["not_ready"], most=255) or None,
    )
