"""The project's own files, parsed."""

from __future__ import annotations

import ast
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from attrs import frozen

ROOT = Path(__file__).resolve().parents[2]
SOURCE = ROOT / "src"


@frozen
class Import:
    """One imported module, and the name taken from it, if any."""

    module: str
    name: str | None
    line: int
    deferred: bool
    """Only for type checkers, inside a function, or on first use."""

    def starts(self, prefix: str) -> bool:
        """Whether it imports this module or something in it."""
        full = f"{self.module}.{self.name}" if self.name else self.module
        return any(path == prefix or path.startswith(f"{prefix}.") for path in (self.module, full))


@frozen
class Module:
    """One Python file of the package."""

    path: Path
    tree: ast.Module

    @property
    def name(self) -> str:
        """Dotted, without `score_flyio`: `fly.transport`; the emulator's begin with its package."""
        parts = self.path.relative_to(SOURCE).with_suffix("").parts
        return ".".join(part for part in parts if part not in {"score_flyio", "__init__"})

    @property
    def folder(self) -> str:
        """The first part of the name: `fly`; for a module at the top, its own name."""
        return self.name.split(".")[0]

    def imports(self) -> Iterator[Import]:
        """Every import, wherever it stands."""
        yield from self._imports(self.tree, deferred=False)

    def _imports(self, node: ast.AST, *, deferred: bool) -> Iterator[Import]:
        for child in ast.iter_child_nodes(node):
            inside = deferred or isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef)
            inside = inside or (
                isinstance(child, ast.If) and "TYPE_CHECKING" in ast.dump(child.test)
            )
            inside = inside or (
                isinstance(child, ast.With) and "lazily" in ast.dump(child.items[0].context_expr)
            )
            if isinstance(child, ast.Import):
                for alias in child.names:
                    yield Import(alias.name, None, child.lineno, deferred)
            elif isinstance(child, ast.ImportFrom):
                for alias in child.names:
                    yield Import(self._resolve(child), alias.name, child.lineno, deferred)
            else:
                yield from self._imports(child, deferred=inside)

    def _resolve(self, node: ast.ImportFrom) -> str:
        if not node.level:
            return node.module or ""
        package = list(self.path.relative_to(SOURCE).parts[:-1])
        base = package[: len(package) - node.level + 1]
        return ".".join([*base, *([node.module] if node.module else [])])


@cache
def modules() -> tuple[Module, ...]:
    """Every module of the package, sorted by name."""
    found = (Module(path, ast.parse(path.read_text())) for path in SOURCE.rglob("*.py"))
    return tuple(sorted(found, key=lambda module: module.name))


@cache
def tracked_files() -> tuple[Path, ...]:
    """Every file of the project: what git tracks or would track, or else all there is."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    try:
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return tuple(p for p in ROOT.rglob("*") if p.is_file() and not _hidden(p))
    return tuple(
        ROOT / name for name in done.stdout.split("\0") if name and (ROOT / name).is_file()
    )


def _hidden(path: Path) -> bool:
    return any(part.startswith(".") for part in path.relative_to(ROOT).parts)
