"""Variables of containers: open ones, and those that have a secret in them.

A variable that uses a secret is secret as a whole and becomes an app secret, which Fly gives to
every container as a variable of the same name.
"""

from __future__ import annotations

from attrs import field, frozen

from score_flyio.base.record import Record
from score_flyio.base.secret import Secret
from score_flyio.convert.draft import Draft
from score_flyio.score.model import Container


@frozen(eq=False, repr=False)
class Variables(Record):
    """The variables of one container."""

    open: dict[str, str] = field(factory=dict)
    secret: dict[str, Secret] = field(factory=dict)


def variables(draft: Draft, container: Container) -> Variables:
    """The variables of a container after substitution, by name."""
    found = Variables()
    for name, text in sorted(container.variables.items()):
        path = ("containers", container.name, "variables", name)
        result = draft.substituted(text, path)
        if not result.secret:
            found.open[name] = result.text
            continue
        found.secret[name] = Secret(result.text)
        message = f"variable {name} of {container.name} has secrets in it: it is kept as app secret"
        draft.remark("secret_variable", message, subject=name)
    return found


def secret_names(of_containers: dict[str, Variables]) -> dict[tuple[str, str], str]:
    """(container, variable) → name of the app secret.

    The variable's own name, unless another container gives that variable another value.
    """
    names: dict[tuple[str, str], str] = {}
    for container, own in of_containers.items():
        for name, value in own.secret.items():
            others = of_containers.values()
            clash = any(
                name in other.open or other.secret.get(name, value) != value for other in others
            )
            suffix = "__" + container.replace("-", "_").upper() if clash else ""
            names[container, name] = name + suffix
    return names
