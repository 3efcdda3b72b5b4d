"""Entry points of installed packages, whose code may raise anything."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from score_flyio.errors import ConfigError, ScoreFlyError
from score_flyio.errors.unwrap import in_words

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint


@contextmanager
def loading(kind: str, point: EntryPoint) -> Iterator[None]:
    """Raises ConfigError, which names the entry point, for what the block raises."""
    try:
        yield
    except ScoreFlyError:
        raise
    except Exception as error:
        raise ConfigError(
            f"{kind} '{point.name}' ({point.value}) cannot be loaded: {in_words(error)}",
            hint="uninstall the package that offers it, or mend what it needs",
            code="package_broken",
        ) from error
