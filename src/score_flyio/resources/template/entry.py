"""The entries of a `*.provisioners.yaml` file, read and checked."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path as FilePath
from typing import Any, Final

from score_flyio.base.counted import counted
from score_flyio.base.place import Path, shown, value_at
from score_flyio.base.record import field, frozen
from score_flyio.errors import ConfigError, Problem
from score_flyio.resources.define import CODE, MODE_VARIABLE
from score_flyio.resources.servers.description import Admin, Server, read_admin, read_server
from score_flyio.resources.template import render
from score_flyio.resources.template.go import go_expressions
from score_flyio.state.resources import CommandSpec, InProcessSpec, ProvisionerDefinition
from score_flyio.yaml.reader import YamlError, read_yaml
from score_flyio.yaml.typed import Reader

COMMAND: Final = "cmd://"
SERVER: Final = "server://"
TEMPLATE: Final = "template://"
SECTIONS: Final = ("init", "state", "shared", "outputs", "secrets")
_OF_SERVERS: Final = ("server", "admin")
_KNOWN: Final = (
    "uri", "type", "class", "id", "description", "supported_params", "expected_outputs",
    "optional_outputs", "args", *SECTIONS, *_OF_SERVERS,
)  # fmt: skip
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
    "networks": ("Compose (score-compose)", "leave it out: apps see each other"),
    "volumes": ("Compose (score-compose)", "a server:// has a volume of its own"),
    "files": ("Compose (score-compose)", _DESCRIBE),
    "info_logs": ("other Score tools", "leave it out"),
    "labels": ("other Score tools", "leave it out"),
}
"""Keys that files for other Score tools have: whose they are, and what to do here."""
_MOST_TOLD: Final = 3
"""Expressions of one Go template that are told; the others are like them."""
MODE: Final = "<mode>"
"""The argument in place of which other Score tools give a program its mode."""


@frozen(kw_only=True)
class Entry:
    """One provisioner of a file."""

    file: str
    line: int | None
    uri: str
    definition: ProvisionerDefinition
    """What it serves; the id is the uri."""
    expected_outputs: tuple[str, ...] = ()
    sections: Mapping[str, str] = field(factory=dict, repr=False)
    """Templates by section; of `template://` and `server://`."""
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


def read_entries(content: bytes, *, file: str, directory: FilePath) -> tuple[Entry, ...]:
    """The entries of a file; programs of `cmd://./…` are relative to `directory`.

    Raises ConfigError with everything that is wrong.
    """
    try:
        document = read_yaml(content.decode())
    except UnicodeDecodeError as error:
        problem = Problem(message="not UTF-8 text", file=file, code=CODE)
        raise ConfigError(problems=[problem], code=CODE) from error
    except YamlError as error:
        problem = Problem(message=f"not YAML: {error.message}", file=file, line=error.line)
        raise ConfigError(problems=[problem], code=CODE) from error
    reader = _Entries(document, file, CODE, directory=directory)
    entries = tuple(reader.read())
    if reader.problems:
        raise ConfigError(problems=reader.problems, code=CODE)
    return entries


@frozen(eq=False, repr=False)
class _Entries(Reader):
    """Reads the entries; says of each problem which provisioner has it."""

    directory: FilePath = field(kw_only=True)

    def wrong(
        self, path: Path, message: str, hint: str | None = None, *, line: int | None = None
    ) -> None:
        uri = value_at(self.document.value, (path[0], "uri")) if path else None
        about = f"provisioner '{uri}': " if isinstance(uri, str) else ""
        super().wrong(path, about + message, hint, line=line)

    def read(self) -> Iterator[Entry]:
        seen: set[str] = set()
        for path, item in self.items(self.document.value, ()):
            entry = self._entry(path, self._own(path, item))
            if entry.uri and entry.uri in seen:
                self.wrong((*path, "uri"), "an earlier one of this file has the same uri")
            seen.add(entry.uri)
            yield entry

    def _own(self, path: Path, item: Any) -> dict[str, Any]:
        """The keys of a provisioner, without those that are for other tools."""
        if isinstance(item, dict):
            for name in item:
                if name in _FOREIGN:
                    tool, instead = _FOREIGN[name]
                    self.wrong((*path, name), f"{name} is for {tool}", hint=instead)
            item = {name: value for name, value in item.items() if name not in _FOREIGN}
        return self.known(item, path, *_KNOWN, needed=("uri", "type"))

    def _entry(self, path: Path, found: dict[str, Any]) -> Entry:
        def text(key: str) -> str:
            return self.text(found.get(key), (*path, key))

        def texts(key: str) -> tuple[str, ...]:
            return self.texts(found.get(key), (*path, key))

        uri, sections = text("uri"), self._sections(path, found)
        kind = self._kind(path, found, uri) if uri else None
        if kind in {TEMPLATE, SERVER}:
            for name, template in sections.items():
                self._check_template((*path, name), template)
        program = self._program(uri) if kind == COMMAND else ""
        args = tuple(f"${MODE_VARIABLE}" if each == MODE else each for each in texts("args"))
        if kind == COMMAND and not program:
            self.wrong((*path, "uri"), "a program is needed, by its name or path")
        expected, optional = texts("expected_outputs"), texts("optional_outputs")
        definition = ProvisionerDefinition(
            id=uri,
            resource_type=text("type"),
            resource_class=text("class") or None,
            resource_id=text("id") or None,
            spec=CommandSpec(binary=program, args=args)
            if kind == COMMAND
            else InProcessSpec(source=self.file, makes_nothing=kind != SERVER),
            description=text("description"),
            params=texts("supported_params"),
            outputs=(*expected, *optional),
            gives_no_others=found.get("optional_outputs") is not None,
        )
        return Entry(
            file=self.file,
            line=self.document.line(path),
            uri=uri,
            definition=definition,
            expected_outputs=expected,
            sections=sections,
            server=self._server(path, found) if kind == SERVER else None,
            admin=self._admin(path, found) if kind == SERVER else None,
        )

    def _kind(self, path: Path, found: dict[str, Any], uri: str) -> str | None:
        kind = next((kind for kind in _UNUSABLE if uri.startswith(kind)), None)
        if kind is None:
            hint = f"it starts with {', '.join(_UNUSABLE)}"
            if uri.startswith("local-env://"):
                hint = 'use the built-in type environment, or env("NAME") in a template'
            self.wrong((*path, "uri"), f"{shown(uri)} is not supported", hint=hint)
            return None
        for name in _UNUSABLE[kind]:
            if name in found:
                self.wrong((*path, name), f"{name} has no meaning with {kind}")
        return kind

    def _sections(self, path: Path, found: dict[str, Any]) -> dict[str, str]:
        read = {
            name: self.text(
                found.get(name), (*path, name), hint=f"write it as text, with `{name}: |`"
            )
            for name in SECTIONS
        }
        return {name: text for name, text in read.items() if text}

    def _server(self, path: Path, found: dict[str, Any]) -> Server | None:
        if "server" not in found:
            self.wrong(path, "server is missing")
            return None
        return read_server(self, found["server"], (*path, "server"))

    def _admin(self, path: Path, found: dict[str, Any]) -> Admin | None:
        if "admin" not in found:
            return None
        admin = read_admin(self, found["admin"], (*path, "admin"))
        for name, text in (("create", admin.create), ("drop", admin.drop)):
            self._check_template((*path, "admin", name), text or "")
        return admin

    def _check_template(self, path: Path, text: str) -> None:
        start = self.document.line(path)
        if found := go_expressions(text):
            for each in found[:_MOST_TOLD]:
                message = f"a Go template: {shown(each.text)}"
                self.wrong(path, message, line=start and start + each.line, hint=each.hint)
            if found[_MOST_TOLD:]:
                more = len(found) - _MOST_TOLD
                what = counted(more, "more expression", "more expressions")
                self.wrong(path, f"{what} of a Go template")
            return
        try:
            render.check(text)
        except render.RenderError as error:
            line = start + error.line if start and error.line else start
            self.wrong(path, str(error), line=line, hint=error.hint)

    def _program(self, uri: str) -> str:
        """Whether it is there shows when it is called: not every run needs it."""
        text = uri.removeprefix(COMMAND).partition("#")[0]
        if "/" not in text:
            return text
        return str((self.directory / FilePath(text).expanduser()).resolve())
