"""Variables of containers: open ones, and those that have a secret in them.

A variable that uses a secret is secret as a whole and becomes an app secret of the same name; where
Fly takes no secret of that name, the containers of a machine can have it under another one.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from typing import Final

from score_flyio.base.record import evolve, field, frozen
from score_flyio.base.secret import Secret
from score_flyio.convert.draft import Draft, digest
from score_flyio.errors import Problem
from score_flyio.flytoml.names import READ_BY_ALL, as_secret_name, is_secret_name, looks_secret
from score_flyio.score.model import Container
from score_flyio.score.placeholders import PENDING

_LOOKS_SECRET: Final = Problem(
    code="looks_secret",
    message=READ_BY_ALL,
    hint="take it from a resource, or set it with `secrets set`",
)


@frozen
class Variables:
    """The variables of one container."""

    open: dict[str, str] = field(factory=dict)
    secret: dict[str, Secret] = field(factory=dict)


def variables(draft: Draft, container: Container) -> Variables:
    """The variables of a container after substitution, by name."""
    found = Variables()
    for name, text in sorted(container.variables.items()):
        path = ("containers", container.name, "variables", name)
        result = draft.substituted(text, path)
        if PENDING in result.text and _was_secret(name, draft.kept):
            found.secret[name] = Secret(result.text)
            continue
        if not result.secret:
            found.open[name] = result.text
            if looks_secret(name) and "${" not in text:
                draft.notices.append(draft.origin.located(evolve(_LOOKS_SECRET, path=path)))
            continue
        found.secret[name] = Secret(result.text)
        message = f"variable {name} of {container.name} has secrets in it: it is kept as app secret"
        draft.remark("secret_variable", message, subject=name)
    return found


def _was_secret(variable: str, kept: Collection[str]) -> bool:
    """Whether an app that has these secrets has one for the variable, under any of its names."""
    own = re.compile(rf"{re.escape(as_secret_name(variable))}(_[0-9a-f]{{8}})?(__[A-Z0-9_]+)?")
    return any(map(own.fullmatch, kept))


def secret_names(of_containers: Mapping[str, Variables]) -> dict[tuple[str, str], str]:
    """(container, variable) → name of the app secret.

    The variable's own name as far as a secret can have it, unless another container gives that
    variable another value.
    """
    possible = _possible_names(of_containers.values())
    names: dict[tuple[str, str], str] = {}
    for container, own in of_containers.items():
        for name, value in own.secret.items():
            others = of_containers.values()
            clash = any(
                name in other.open or other.secret.get(name, value) != value for other in others
            )
            suffix = "__" + container.replace("-", "_").upper() if clash else ""
            names[container, name] = possible[name] + suffix
    return names


def _possible_names(containers: Iterable[Variables]) -> dict[str, str]:
    """Variable → a name that a secret can have, another one for each variable."""
    found = sorted({name for own in containers for name in (*own.open, *own.secret)})
    wanted = Counter(map(as_secret_name, found))
    names = {name: as_secret_name(name) for name in found}
    for name, possible in names.items():
        if wanted[possible] > 1 and not is_secret_name(name):
            names[name] = f"{possible}_{digest(name)[:8]}"
    return names
