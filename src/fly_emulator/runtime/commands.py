"""Which command of this computer stands for a machine.

An image stands for the command that whoever started the emulator gave for it. What a machine's own
config wants to run comes from whoever can call the API, and counts only when that was allowed.
"""

from __future__ import annotations

import fnmatch
import shlex
from collections.abc import Iterable
from typing import Self

from attrs import frozen

from fly_emulator.process import own_words
from fly_emulator.records import Json
from score_flyio.errors import ConfigError, Problem


@frozen(kw_only=True)
class Commands:
    """Commands by patterns of images, the first that fits counting."""

    of_images: tuple[tuple[str, tuple[str, ...]], ...]
    """Patterns such as `nginx`, `nginx:1.*` or `registry.fly.io/*`, each with its words."""
    of_machines: bool = False
    """Whether machines may bring commands of their own, and commands be executed in them."""

    @classmethod
    def parse(cls, texts: Iterable[str], *, of_machines: bool = False) -> Self:
        """From texts such as `nginx=python3 -m http.server $PORT`.

        Raises ConfigError with all that cannot be read.
        """
        found, problems = [], []
        for text in texts:
            image, sign, command = text.partition("=")
            try:
                words = tuple(shlex.split(command))
            except ValueError as error:
                words, sign = (), f"{error}"
            if not image.strip() or sign != "=" or not words:
                problems.append(
                    Problem(
                        message=f"{text!r} names no image with its command",
                        path=("run",),
                        hint="such as 'nginx=python3 -m http.server $PORT'",
                        code="commands",
                    )
                )
            found.append((image.strip(), words))
        if problems:
            raise ConfigError(problems=problems)
        return cls(of_images=tuple(found), of_machines=of_machines)

    def words(self, config: Json) -> tuple[str, ...] | None:
        """What runs for a machine of that config; None: nothing, it is played."""
        mapped = self._of_image(str(config.get("image") or ""))
        own = own_words(config)
        if mapped is None or not own:
            return mapped
        return own if self.of_machines else None

    def _of_image(self, image: str) -> tuple[str, ...] | None:
        name = image.partition("@")[0]
        head, _, last = name.rpartition("/")
        untagged = f"{head}/{last.partition(':')[0]}" if head else last.partition(":")[0]
        for pattern, words in self.of_images:
            if any(fnmatch.fnmatchcase(form, pattern) for form in (image, name, untagged)):
                return words
        return None
