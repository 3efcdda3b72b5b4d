"""The import rules of docs/architecture.md."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.meta.source import Import, Module, modules

OWN = "score_flyio."

MAY_IMPORT_OF_OURS = {
    "": ("base.lazy",),
    "__main__": ("_version", "cli"),
    "_version": (),
    "base": (),
    "errors": ("base",),
    "net": ("base", "errors"),
    "events": ("base",),
    "yaml": ("base", "errors"),
    "images": ("_version", "base", "errors", "events", "net"),
    "score": ("base", "errors", "images.reference", "yaml"),
    "flytoml": ("base", "errors", "yaml", "images.reference"),
    "convert": ("base", "errors", "flytoml", "score"),
    "state": ("_version", "base", "errors", "net", "score", "yaml"),
    "fly": ("_version", "base", "errors", "events", "net", "yaml"),
    "resources": ("base", "errors", "events", "fly", "flytoml", "net", "score", "state", "yaml"),
    "deploy": (
        "base", "errors", "events", "fly", "flytoml", "images.options", "images.reference", "state", "yaml",
    ),
    "report_html": ("_version", "base.counted", "base.printable", "base.record", "deploy", "errors", "events"),
    "engine": (
        "_version", "base", "convert", "deploy", "errors", "events", "fly", "flytoml", "images", "net", "resources",
        "score", "state",
    ),
    "cli": (
        "_version", "base", "convert", "deploy", "engine", "errors", "events", "fly", "flytoml", "images", "net",
        "report_html", "resources", "score", "state", "yaml.writer",
    ),
    "testing": ("engine", "events"),
    "fly_emulator": (
        "_version",
        "base.atomic",
        "base.clock",
        "base.folder_lock",
        "base.macaroon",
        "base.misspelt",
        "base.secret",
        "errors",
        "net.web_address",
    ),
}  # fmt: skip
"""What each folder, and each module at the top, may import beside itself; all else is denied."""

MAY_NOT_IMPORT = {
    "deploy.desired": ("deploy.planning", "deploy.execution"),
    "deploy.planning": ("deploy.execution",),
    "engine.session": ("engine.apply", "engine.operations", "engine.engine"),
    "engine.apply": ("engine.operations", "engine.engine"),
    "engine.operations": ("engine.engine", "engine.deployment"),
}
"""What is not allowed within a folder."""

PURE = (
    "images.challenge",
    "images.dockerignore",
    "images.reference",
    "score",
    "flytoml",
    "convert",
    "resources.graph",
    "resources.prime",
    "deploy.desired",
    "deploy.compare",
    "deploy.releases.images",
    "deploy.releases.in_metadata",
    "deploy.releases.known",
    "deploy.planning",
    "deploy.execution.report",
    "report_html",
)
NOT_PURE = ("score.load", "flytoml.load")
WORLD = ("anyio", "asyncio", "trio", "httpx", "os", "subprocess", "time", "socket", "random")

MAY_IMPORT = {
    "httpx": (
        "net.http",
        "fly.login",
        "fly.transport",
        "resources.kinds",
        "images",
        "state",
        "fly_emulator",
    ),
    "fly_machines": ("fly", "deploy", "engine", "fly_emulator", "resources.servers"),
    "asyncclick": ("cli",),
    "fly_emulator": ("engine.target", "cli.commands.emulator", "testing", "fly_emulator"),
}


PLAIN = """\
apiVersion: score.dev/v1b1
metadata: {name: plain}
containers:
  main:
    image: nginx
    variables: {GREETING: "hello from ${metadata.name}"}
    files: {/etc/greeting: {content: "hello from ${metadata.name}"}}
service: {ports: {http: {port: 80, targetPort: 8080}}}
"""


def within(name: str, *prefixes: str) -> bool:
    return any(name == prefix or name.startswith(f"{prefix}.") for prefix in prefixes)


def found(wrong: Callable[[Module, Import], bool]) -> list[str]:
    return [
        f"{module.name}:{imported.line} imports {imported.module}.{imported.name or ''}".rstrip(".")
        for module in modules()
        for imported in module.imports()
        if wrong(module, imported)
    ]


def test_every_module_has_a_rule() -> None:
    assert {module.folder for module in modules()} == set(MAY_IMPORT_OF_OURS)


@pytest.mark.parametrize("folder", sorted(MAY_IMPORT_OF_OURS))
def test_layers(folder: str) -> None:
    allowed = [OWN + name for name in MAY_IMPORT_OF_OURS[folder]] + [OWN + folder]
    assert not found(
        lambda module, imported: (
            module.folder == folder
            and imported.starts("score_flyio")
            and not (folder == "" and imported.deferred)
            and not any(map(imported.starts, allowed))
        )
    )


def test_no_two_folders_import_each_other() -> None:
    arrows = {
        (module.folder, imported.module.removeprefix(OWN).split(".")[0])
        for module in modules()
        for imported in module.imports()
        if imported.module.startswith(OWN) and module.folder
    }
    mutual = {frozenset(pair) for pair in arrows if pair[0] != pair[1] and pair[::-1] in arrows}
    assert mutual == set()


@pytest.mark.parametrize("folder", sorted(MAY_NOT_IMPORT))
def test_layers_within_a_folder(folder: str) -> None:
    forbidden = [OWN + name for name in MAY_NOT_IMPORT[folder]]
    assert not found(
        lambda module, imported: (
            within(module.name, folder) and any(map(imported.starts, forbidden))
        )
    )


def test_what_decides_is_pure() -> None:
    assert not found(
        lambda module, imported: (
            within(module.name, *PURE)
            and not within(module.name, *NOT_PURE)
            and any(map(imported.starts, WORLD))
        )
    )


@pytest.mark.parametrize("library", sorted(MAY_IMPORT))
def test_who_may_import(library: str) -> None:
    allowed = MAY_IMPORT[library]
    assert not found(
        lambda module, imported: imported.starts(library) and not within(module.name, *allowed)
    )


def test_http_clients_are_made_in_one_place() -> None:
    made = [
        module.name
        for module in modules()
        for node in ast.walk(module.tree)
        if (isinstance(node, ast.Call) and _is_client(node.func))
        or (isinstance(node, ast.ClassDef) and any(map(_is_client, node.bases)))
    ]
    assert set(made) == {"net.http"}


def _is_client(node: ast.expr) -> bool:
    return ast.unparse(node) in {"httpx.AsyncClient", "AsyncClient"}


def test_certificates_always_count() -> None:
    off = [
        f"{module.name}:{node.value.lineno}"
        for module in modules()
        for node in ast.walk(module.tree)
        if isinstance(node, ast.keyword)
        and node.arg == "verify"
        and not (module.name == "net.http" and ast.unparse(node.value) == "trust")
    ]
    assert off == []


def test_only_anyio_for_concurrency() -> None:
    assert not found(
        lambda _module, imported: any(map(imported.starts, ("asyncio", "trio", "threading")))
    )


def test_private_names_stay_in_their_folder() -> None:
    def wrong(module: Module, imported: Import) -> bool:
        path = f"{imported.module}.{imported.name or ''}"
        if not path.startswith(OWN) or imported.starts("score_flyio._version"):
            return False
        parts = path.removeprefix(OWN).split(".")
        private = next((i for i, part in enumerate(parts) if part.startswith("_")), None)
        if private is None:
            return False
        home = parts[:private]
        return home != module.name.split(".")[: len(home)]

    assert not found(wrong)


@pytest.mark.parametrize("module", ["score_flyio", "score_flyio.__main__", "score_flyio.cli.main"])
def test_start_up_imports_little(module: str) -> None:
    heavy = ("httpx", "cattrs", "yaml", "fly_machines", "anyio", "asyncio", "attr", "jsonschema", "rich")  # fmt: skip
    script = f"import sys, {module}; print(*[m for m in {heavy!r} if m in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == []


@pytest.mark.parametrize("args", [["--help"], ["completion", "bash"], ["deploy", "--help"], ["generate", "--help"]])  # fmt: skip
def test_help_and_completion_start_no_event_loop_and_no_client(args: list[str]) -> None:
    heavy = ("httpx", "cattrs", "yaml", "fly_machines", "asyncio", "trio", "jsonschema", "rich")
    script = (
        "import sys; from score_flyio.cli.main import run; run(sys.argv[1:]);"
        f"print(*[m for m in {heavy!r} if m in sys.modules], file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, *args], capture_output=True, text=True, check=True
    )
    assert done.stderr.split() == []


def test_generate_of_a_plain_workload_loads_only_what_it_needs(tmp_path: Path) -> None:
    (tmp_path / "score.yaml").write_text(PLAIN, encoding="utf-8")
    heavy = (
        "anyio", "asyncio", "attr", "httpx", "cattrs", "fly_machines", "trio", "jsonschema", "rich", "jinja2", "tomllib",
        "decimal",
        "importlib.metadata", "tempfile", "shutil", "random", "hashlib", "socket", "difflib",
        "score_flyio.flytoml.document", "score_flyio.cli.render.live",
        "score_flyio.deploy.options", "score_flyio.deploy.planning", "score_flyio.deploy.step",
        "score_flyio.errors.fly", "score_flyio.events.deploy", "score_flyio.events.resources",
        "score_flyio.fly", "score_flyio.resources.graph",
        "score_flyio.score.resources", "score_flyio.resources.servers.native",
        "score_flyio.resources.servers.provisioner", "score_flyio.resources.prime",
        "score_flyio.resources.provisioner", "score_flyio.resources.run",
        "score_flyio.resources.template.files", "score_flyio.score.overrides",
        "score_flyio.state.deployments", "score_flyio.state.resources", "score_flyio.engine.target",
    )  # fmt: skip
    script = (
        "import sys; from score_flyio.cli.main import run; code = run(sys.argv[1:]);"
        f"print(code, *[m for m in {heavy!r} if m in sys.modules])"
    )

    def printed(*args: str) -> str:
        done = subprocess.run(
            [sys.executable, "-c", script, *args],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=True,
        )
        return done.stdout.splitlines()[-1]

    assert printed("init", "--fly-app-prefix=x-", "--file=").split()[0] == "0"
    assert printed("generate", "score.yaml") == "0"


def test_plan_of_a_plain_app_loads_only_what_it_needs(tmp_path: Path) -> None:
    """What carries plans out, builds images, and reads Score files is for others."""
    (tmp_path / "fly.toml").write_text(
        'app = "plain"\n[build]\nimage = "nginx"\n', encoding="utf-8"
    )
    needless = (
        "trio", "httpx._main", "rich", "h2", "jinja2", "jsonschema", "tarfile", "importlib.metadata",
        "score_flyio.convert", "score_flyio.score.load", "score_flyio.report_html",
        "score_flyio.deploy.desired.compose", "score_flyio.deploy.execution",
        "score_flyio.deploy.planning.recovery", "score_flyio.deploy.releases.announce",
        "score_flyio.deploy.releases.made", "score_flyio.deploy.saved",
        "score_flyio.engine.apply", "score_flyio.engine.builds", "score_flyio.engine.deployment",
        "score_flyio.engine.kept_plan", "score_flyio.engine.operations.change",
        "score_flyio.fly.builder", "score_flyio.fly.leases", "score_flyio.fly.logs",
        "score_flyio.fly.releases", "score_flyio.images.build", "score_flyio.images.builders",
        "score_flyio.base.process_group", "score_flyio.resources.registry",
        "score_flyio.resources.kinds", "score_flyio.resources.run",
    )  # fmt: skip
    script = (
        "import sys; from score_flyio import __main__; __main__._leave = lambda code:"
        f" print(code, *[m for m in {needless!r} if sys.modules.get(m)]); __main__.main()"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, "plan", "--config=fly.toml", "--emulate"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.splitlines()[-1] == "0", done.stderr


def test_plan_at_a_server_loads_no_client_that_it_has_no_use_for() -> None:
    """Emulators in the same process are transports of httpx, and made of attrs, so they load both."""
    modules = (
        "cli.commands.plan", "cli.deploy_run", "engine.engine", "engine.plans", "engine.session",
        "fly.client", "net.connections",
    )  # fmt: skip
    needless = (
        "httpx", "httpcore", "email", "http.client", "urllib.request", "yaml", "attr", "cattrs",
    )  # fmt: skip
    imports = "".join(f"import score_flyio.{module};" for module in modules)
    script = f"import sys;{imports}print(*[m for m in {needless!r} if m in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == []


def test_one_reader_of_yaml() -> None:
    assert not found(
        lambda module, imported: imported.starts("yaml") and not within(module.name, "yaml.reader")
    )
