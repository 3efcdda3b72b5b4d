"""The entries of a `*.provisioners.yaml` file, read and checked."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path as FilePath
from typing import Any, Final

from attrs import field, frozen

from score_flyio.base.place import Path, kind_of, shown, value_at
from score_flyio.errors import ConfigError, Problem
from score_flyio.resources.servers.description import Admin, Server, read_admin, read_server
from score_flyio.resources.template import render
from score_flyio.resources.template.go import go_expressions
from score_flyio.score.resources import ResourceUid
from score_flyio.state.resources import CommandSpec
from score_flyio.yaml.reader import YamlDocument, YamlError, read_yaml

CODE: Final = "provisioner_definition_invalid"
TEMPLATE: Final = "template://"
COMMAND: Final = "cmd://"
SERVER: Final = "server://"
SECTIONS: Final = ("init", "state", "shared", "outputs", "secrets")
_TEXTS: Final = ("uri", "type", "class", "id", "description")
_LISTS: Final = ("supported_params", "expected_outputs", "optional_outputs", "args")
_OF_SERVERS: Final = ("server", "admin")
_KNOWN: Final = (*_TEXTS, *_LISTS, *SECTIONS, *_OF_SERVERS)
_UNUSABLE: Final = {
    TEMPLATE: ("args", *_OF_SERVERS),
    COMMAND: (*SECTIONS, *_OF_SERVERS),
    SERVER: ("args", "init", "state", "shared"),
}
"""The keys that have no meaning with each kind of uri."""
_DESCRIBE: Final = "at Fly, describe a server with server://, or call a program with cmd://"
_FOREIGN: Final = {
    "manifests": ("Kubernetes (score-k8s)", _DESCRIBE),
    "services": ("Compose (score-compose)", _DESCRIBE),
    "networks": (
        "Compose (score-compose)",
        "leave it out: apps see each other",
    ),
    "volumes": ("Compose (score-compose)", "a server:// has a volume of its own"),
    "files": ("Compose (score-compose)", _DESCRIBE),
    "info_logs": ("other Score tools", "leave it out"),
    "labels": ("other Score tools", "leave it out"),
}
"""Keys that files for other Score tools have: whose they are, and what to do here."""
_MOST_TOLD: Final = 3
"""Expressions of one Go template that are told; the others are like them."""
LOCAL_ENV: Final = "local-env://"


@frozen(kw_only=True)
class Entry:
    """One provisioner of a file."""

    file: str
    line: int | None
    uri: str
    type: str
    class_: str | None = None
    """None serves every class."""
    id: str | None = None
    """None serves every id."""
    description: str = ""
    supported_params: tuple[str, ...] = ()
    expected_outputs: tuple[str, ...] = ()
    optional_outputs: tuple[str, ...] | None = None
    """Given in some cases; with them there are no others than these and the expected ones."""
    sections: Mapping[str, str] = field(factory=dict, repr=False)
    """Templates by section; of `template://` and `server://`."""
    command: CommandSpec | None = None
    """Of `cmd://` only."""
    server: Server | None = None
    admin: Admin | None = None
    """Of `server://` only."""

    @property
    def shared_key(self) -> str:
        """Where the shared state has the server that the resources share, as in the Go tool."""
        name = self.uri.removeprefix(f"{SERVER}score-flyio/")
        return self.uri if name == self.uri else f"builtin-provisioners-{name}"

    @property
    def shared_server(self) -> bool:
        """Whether all its resources are on one server."""
        return self.admin is not None and self.admin.drop is not None

    def serves(self, uid: ResourceUid) -> bool:
        return (
            self.type == uid.type
            and self.class_ in {None, uid.class_}
            and self.id in {None, uid.id}
        )


def read_entries(text: str, *, file: str, directory: FilePath) -> tuple[Entry, ...]:
    """The entries of a file; programs of `cmd://./…` are relative to `directory`.

    Raises ConfigError with everything that is wrong.
    """
    try:
        document = read_yaml(text)
    except YamlError as error:
        problem = Problem(message=f"not YAML: {error.message}", file=file, line=error.line)
        raise ConfigError(problems=[problem], code=CODE) from error
    reader = _Reader(document, file, directory)
    entries = tuple(reader.entries())
    if reader.problems:
        raise ConfigError(problems=reader.problems, code=CODE)
    return entries


class _Reader:
    def __init__(self, document: YamlDocument, file: str, directory: FilePath) -> None:
        self._document, self._file, self._directory = document, file, directory
        self.problems: list[Problem] = []

    def entries(self) -> Iterator[Entry]:
        items = self._document.value
        if items is None:
            return
        if not isinstance(items, list):
            self._wrong((), f"a list of provisioners is needed, not {kind_of(items)}")
            return
        seen: set[str] = set()
        for index, item in enumerate(items):
            if not isinstance(item, dict):
                self._wrong((index,), f"a provisioner is a map, not {kind_of(item)}")
                continue
            before = len(self.problems)
            self._check(index, item, seen)
            if len(self.problems) == before:
                yield self._entry(index, item)

    def _wrong(self, path: Path, message: str, **more: Any) -> None:
        about = ""
        if path:
            uri = value_at(self._document.value, (path[0], "uri"))
            about = f"provisioner '{uri}': " if isinstance(uri, str) else ""
        line = more.pop("line", None) or self._document.line(path)
        problem = Problem(
            message=about + message,
            file=self._file,
            line=line,
            path=path,
            code=CODE,
            **more,
        )
        self.problems.append(problem)

    def _check(self, index: int, item: dict[str, Any], seen: set[str]) -> None:
        for name in sorted(set(item) - set(_KNOWN)):
            if name in _FOREIGN:
                tool, instead = _FOREIGN[name]
                self._wrong((index, name), f"{name} is for {tool}", hint=instead)
            else:
                self._wrong((index, name), f"unknown key; there are {', '.join(_KNOWN)}")
        for name in (*_TEXTS, *SECTIONS):
            value = item.get(name)
            needed = name in {"uri", "type"}
            if (value is None and needed) or (needed and value == ""):
                self._wrong((index,), f"{name} is missing")
            elif value is not None and not isinstance(value, str):
                hint = f"write it as text, with `{name}: |`" if name in SECTIONS else None
                self._wrong((index, name), f"text is needed, not {kind_of(value)}", hint=hint)
        for name in _LISTS:
            value = item.get(name)
            texts = isinstance(value, list) and all(isinstance(each, str) for each in value)
            if value is not None and not texts:
                self._wrong((index, name), f"a list of texts is needed, not {shown(value)}")
        uri = item.get("uri")
        if isinstance(uri, str) and uri:
            self._check_uri(index, item, uri)
            if uri in seen:
                self._wrong((index, "uri"), "an earlier one of this file has the same uri")
            seen.add(uri)

    def _check_uri(self, index: int, item: dict[str, Any], uri: str) -> None:
        kind = next((kind for kind in _UNUSABLE if uri.startswith(kind)), None)
        if kind is None:
            hint = f"it starts with {', '.join(_UNUSABLE)}"
            if uri.startswith(LOCAL_ENV):
                hint = 'use the built-in type environment, or env("NAME") in a template'
            self._wrong((index, "uri"), f"{shown(uri)} is not supported", hint=hint)
            return
        if kind == COMMAND and not self._program(uri):
            self._wrong((index, "uri"), "a program is needed, by its name or path")
        if kind != COMMAND:
            self._check_templates(index, item)
        if kind == SERVER:
            self._read_server(index, item)
        for name in _UNUSABLE[kind]:
            if name in item:
                self._wrong((index, name), f"{name} has no meaning with {kind}")

    def _read_server(self, index: int, item: dict[str, Any]) -> tuple[Server | None, Admin | None]:
        def wrong(path: Path, message: str, *, hint: str | None = None) -> None:
            self._wrong(path, message, hint=hint)

        server = admin = None
        if "server" not in item:
            self._wrong((index,), "server is missing")
        else:
            server = read_server(item["server"], (index, "server"), wrong)
        if "admin" in item:
            admin = read_admin(item["admin"], (index, "admin"), wrong)
            for name in ("create", "drop"):
                text = value_at(item["admin"], (name,))
                if isinstance(text, str):
                    self._check_template((index, "admin", name), text)
        return server, admin

    def _check_templates(self, index: int, item: dict[str, Any]) -> None:
        for name in SECTIONS:
            text = item.get(name)
            if isinstance(text, str):
                self._check_template((index, name), text)

    def _check_template(self, path: Path, text: str) -> None:
        start = self._document.line(path)
        if found := go_expressions(text):
            for each in found[:_MOST_TOLD]:
                message = f"a Go template: {shown(each.text)}"
                self._wrong(path, message, line=start and start + each.line, hint=each.hint)
            if found[_MOST_TOLD:]:
                more = len(found) - _MOST_TOLD
                self._wrong(path, f"{more} more expressions of a Go template")
            return
        try:
            render.check(text)
        except render.RenderError as error:
            line = start + error.line if start and error.line else start
            self._wrong(path, str(error), line=line, hint=error.hint)

    def _program(self, uri: str) -> str:
        """Whether it is there shows when it is called: not every run needs it."""
        text = uri.removeprefix(COMMAND).partition("#")[0]
        if "/" not in text:
            return text
        return str((self._directory / FilePath(text).expanduser()).resolve())

    def _entry(self, index: int, item: dict[str, Any]) -> Entry:
        uri = item["uri"]
        program = self._program(uri) if uri.startswith(COMMAND) else ""
        args = tuple(item.get("args") or ())
        server, admin = self._read_server(index, item) if uri.startswith(SERVER) else (None, None)
        return Entry(
            file=self._file,
            line=self._document.line((index,)),
            uri=uri,
            type=item["type"],
            class_=item.get("class") or None,
            id=item.get("id") or None,
            description=item.get("description") or "",
            supported_params=tuple(item.get("supported_params") or ()),
            expected_outputs=tuple(item.get("expected_outputs") or ()),
            optional_outputs=_optional(item.get("optional_outputs")),
            sections={name: item[name] for name in SECTIONS if item.get(name)},
            command=CommandSpec(binary=program, args=args) if program else None,
            server=server,
            admin=admin,
        )


def _optional(listed: list[str] | None) -> tuple[str, ...] | None:
    return None if listed is None else tuple(listed)
