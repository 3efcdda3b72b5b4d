"""What a type of server is made of, as an entry `server://…` of a file of provisioners says it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from attrs import field, frozen

from score_flyio.base.place import Path, kind_of, shown
from score_flyio.flytoml.names import LONGEST_VOLUME, as_volume_name, is_app_name, is_secret_name
from score_flyio.score.resources import JsonObject

Wrong = Callable[..., None]
"""Takes the path of what is wrong, the message, and a hint."""


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


def read_server(value: Any, path: Path, wrong: Wrong) -> Server | None:
    """The server that a map describes; what is wrong is told, and gives None."""
    found = _Map.of(value, path, wrong, SERVER_KEYS, needed=("name", "image", "port", "password"))
    if found is None:
        return None
    name = found.text("name")
    app = found.text("app") or name
    if name and not is_app_name(app):
        found.wrong("app" if "app" in found.items else "name", "cannot be part of an app's name")
    password = found.texts("password")
    for variable in password:
        if not is_secret_name(variable):
            found.wrong("password", f"{shown(variable)} cannot be the name of a secret")
    if "password" in found.items and not password:
        found.wrong("password", "at least one name of a variable is needed")
    server = Server(
        name=name,
        app=app,
        image=found.text("image"),
        port=found.number("port", most=65_535),
        password=password,
        memory_mb=found.number("memory_mb", default=256),
        env=found.environment("env"),
        entrypoint=found.texts("entrypoint"),
        command=found.texts("command"),
        health=found.text("health") or None,
        volume=_read_volume(found) if "volume" in found.items else None,
    )
    return server if found.right else None


def _read_volume(server: _Map) -> Volume | None:
    path = (*server.path, "volume")
    found = _Map.of(server.items["volume"], path, server.tell, VOLUME_KEYS, needed=("name", "path"))
    if found is None:
        server.right = False
        return None
    name = found.text("name")
    if name != as_volume_name(name):
        allowed = f"up to {LONGEST_VOLUME} of a-z, 0-9 and _"
        found.wrong("name", f"{shown(name)} cannot be the name of a volume", hint=allowed)
    volume = Volume(name=name, path=found.text("path"), size_gb=found.number("size_gb", default=1))
    server.right = server.right and found.right
    return volume


def read_admin(value: Any, path: Path, wrong: Wrong) -> Admin | None:
    """What an `admin` map says; what is wrong is told, and gives None."""
    needed = ("program", "command", "create")
    found = _Map.of(value, path, wrong, ADMIN_KEYS, needed=needed)
    if found is None:
        return None
    admin = Admin(
        program=found.text("program"),
        command=found.text("command"),
        create=found.text("create"),
        drop=found.text("drop") or None,
        not_ready=found.number("not_ready", most=255) if "not_ready" in found.items else None,
    )
    return admin if found.right else None


class _Map:
    """A map that is read member by member."""

    def __init__(self, items: JsonObject, path: Path, tell: Wrong) -> None:
        self.items, self.path, self.tell = items, path, tell
        self.right = True

    @classmethod
    def of(
        cls, value: Any, path: Path, tell: Wrong, known: tuple[str, ...], *, needed: tuple[str, ...]
    ) -> _Map | None:
        if not isinstance(value, dict):
            tell(path, f"a map is needed, not {kind_of(value)}")
            return None
        found = cls(value, path, tell)
        for key in sorted(set(value) - set(known)):
            found.wrong(key, f"unknown key; there are {', '.join(known)}")
        for key in needed:
            if value.get(key) in (None, ""):
                found.right = False
                tell(path, f"{key} is missing")
        return found

    def wrong(self, key: str, message: str, *, hint: str | None = None) -> None:
        self.right = False
        self.tell((*self.path, key), message, hint=hint)

    def text(self, key: str) -> str:
        value = self.items.get(key)
        if value is not None and not isinstance(value, str):
            self.wrong(key, f"text is needed, not {kind_of(value)}")
        return value if isinstance(value, str) else ""

    def number(self, key: str, *, default: int = 0, most: int = 1_000_000) -> int:
        value = self.items.get(key)
        if value is None:
            return default
        if not isinstance(value, int) or isinstance(value, bool) or not 0 < value <= most:
            self.wrong(key, f"a whole number from 1 to {most} is needed, not {shown(value)}")
            return default
        return value

    def texts(self, key: str) -> tuple[str, ...]:
        value = self.items.get(key)
        if value is None:
            return ()
        if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
            self.wrong(key, f"a list of texts is needed, not {shown(value)}")
            return ()
        return tuple(value)

    def environment(self, key: str) -> dict[str, str]:
        value = self.items.get(key)
        if value is None:
            return {}
        if not isinstance(value, dict) or not all(isinstance(v, str) for v in value.values()):
            self.wrong(key, f"a map of texts is needed, not {shown(value)}")
            return {}
        return dict(value)
