"""Entry points of installed packages, whose code may raise anything."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING

from score_flyio.errors import ConfigError, ScoreFlyError
from score_flyio.errors.unwrap import in_words

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint


def loading(kind: str, point: EntryPoint) -> AbstractContextManager[None]:
    """Raises ConfigError, which names the entry point, for what the block raises."""
    return raising(
        lambda why: ConfigError(
            f"{named(kind, point)} cannot be loaded: {why}",
            hint="uninstall the package that offers it, or fix what it needs",
            code="package_broken",
        )
    )


@contextmanager
def raising(failed: Callable[[str], ScoreFlyError]) -> Iterator[None]:
    """Raises what `failed` makes of the words of what the block raises; our errors stay."""
    try:
        yield
    except ScoreFlyError:
        raise
    except Exception as error:
        raise failed(in_words(error)) from error


def named(kind: str, point: EntryPoint) -> str:
    """What a package offers, for messages."""
    return f"{kind} '{point.name}' ({point.value})"
