"""Plans in files: `plan --out FILE` writes one, `deploy FILE.plan` carries it out."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from score_flyio.base.printable import system_reason
from score_flyio.errors import UsageError

if TYPE_CHECKING:
    from score_flyio.cli.context import CliContext
    from score_flyio.engine.kept_plan import KeptPlan
    from score_flyio.engine.plans import Plan

SUFFIX: Final = ".plan"
_SECRET_NAME: Final = re.compile(
    "key|private|pass|pwd|secret|token|credential|dsn|database_url", re.IGNORECASE
)
_LOGIN: Final = re.compile(r"://[^/\s]*:[^/\s]*@|-----BEGIN ")
"""A password within a URL, or a key."""


def check_settings(settings: Mapping[str, Any]) -> None:
    """Raises UsageError where an option has a value that no file may have."""
    if settings["build_secrets"]:
        raise _secret(f"--build-secret {settings['build_secrets'][0][0]}")
    pairs = [("--env", *pair) for pair in settings["env"]]
    pairs += [("--build-arg", *pair) for pair in settings["build_args"]]
    pairs += [("--file-literal", *pair) for pair in settings["file_literal"]]
    properties = (text.partition("=") for text in settings["override_properties"])
    pairs += [("--override-property", path, value) for path, _, value in properties]
    for option, name, value in pairs:
        if _SECRET_NAME.search(name.rpartition(".")[2]) or _LOGIN.search(value):
            raise _secret(f"{option} {name}")


def _secret(option: str) -> UsageError:
    return UsageError(
        f"{option}: its value looks like a secret, which a plan in a file must not have",
        hint="leave out --out, or get the value from a resource",
    )


def write(cli: CliContext, file: str, plan: Plan, target: str, settings: dict[str, Any]) -> None:
    """Keep a plan in a file that its owner alone can read. Raises UsageError if that fails."""
    from score_flyio.base.atomic import write_atomically
    from score_flyio.engine.kept_plan import KeptPlan

    kept = KeptPlan.of(plan, target, settings)
    try:
        write_atomically(cli.output_path("--out", file), kept.text().encode())
    except OSError as error:
        raise UsageError(f"--out {file}: it cannot be written: {system_reason(error)}") from error
    cli.output.info(f"wrote {file}; deploy {file} does this, and nothing else")


def read(
    cli: CliContext, settings: dict[str, Any], defaults: Mapping[str, Any]
) -> tuple[KeptPlan | None, dict[str, Any]]:
    """The plan that `deploy` is to carry out, if it is given one, and the settings to do it with.

    Raises ConfigError for what is no plan, and UsageError where it cannot be read, or where
    something else is given that a plan says.
    """
    named = [file for file in settings["files"] if file.endswith(SUFFIX)]
    if not named:
        return None, settings
    from score_flyio.engine.kept_plan import KeptPlan

    kept = KeptPlan.read(cli.read_text(named[0]), named[0])
    said = (name for name in kept.settings if name not in {"files", "yes"})
    given = [n for n in said if settings.get(n) not in {None, (), defaults.get(n)}]
    others = [f"--{'no-' * (settings[name] is False)}{name.replace('_', '-')}" for name in given]
    others += [file for file in settings["files"] if file != named[0]]
    if others:
        raise UsageError(
            f"{named[0]}: a plan says what is deployed and how; leave out {', '.join(others)}",
            hint="or make another plan",
        )
    return kept, {**settings, **{name: _tupled(value) for name, value in kept.settings.items()}}


def _tupled(value: Any) -> Any:
    return tuple(map(_tupled, value)) if isinstance(value, list) else value
