"""Public names of a package, listed once, and imported on first use.

    with lazily(globals()):
        from package.module import Name as Name

For type checkers these are plain imports. When the package is imported they only say where each
name is at home; its module is imported when somebody asks the package for the name.
"""

from __future__ import annotations

import builtins

TYPE_CHECKING = False  # the real one would import typing; type checkers know this name too
if TYPE_CHECKING:
    from typing import Any


class lazily:  # noqa: N801  # it reads as a verb
    """Takes the imports inside for the public names of the package with these globals."""

    def __init__(self, package: dict[str, Any]) -> None:
        self._package = package

    def __enter__(self) -> None:
        self._import = builtins.__import__
        builtins.__import__ = self._note  # type: ignore[assignment]

    def __exit__(self, *_: object) -> None:
        builtins.__import__ = self._import
        package = self._package
        homes = {name: item.module for name, item in package.items() if type(item) is _Noted}
        for name in homes:
            del package[name]

        def find(name: str) -> Any:
            if name not in homes:
                raise AttributeError(f"module {package['__name__']!r} has no attribute {name!r}")
            module = self._import(homes[name], package, None, (name,))
            package[name] = getattr(module, name)
            return package[name]

        package["__getattr__"] = find
        package["__dir__"] = lambda: sorted({*package, *homes})
        package["__all__"] = sorted(homes)

    def _note(self, name: str, scope: Any = None, *more: Any, **named: Any) -> Any:
        # Other threads may import something at the same time.
        if scope is not self._package:
            return self._import(name, scope, *more, **named)
        return _Noted(name)


class _Noted:
    """A module, and then a name of it, that is to be imported later."""

    def __init__(self, module: str) -> None:
        self.module = module

    def __getattr__(self, name: str) -> _Noted:
        del name
        return _Noted(self.module)
