"""What the process in a machine does: how long it boots, when it is healthy, whether it exits.

The platform cannot know; a `ProcessModel` decides it from the machine's configuration. The default
model reads marks that a config may carry, as environment variable or as metadata:

    EMULATE_BOOT=2.5          seconds from start to started
    EMULATE_START=fail        the machine does not start and ends in the state failed
    EMULATE_HEALTHY=never     checks never pass; or seconds from started to passing
    EMULATE_EXIT=1            the process exits with that code …
    EMULATE_EXIT_AFTER=0.5    … so many seconds after it started
    EMULATE_OUTPUT=text       what it prints when it starts; see `logs`
    UNHEALTHY=1               the same as EMULATE_HEALTHY=never

Metadata keys are the same words in lower case. Without a mark, the command of a machine that runs
once ends well, but `false` ends with 1, and `exit N` in a shell with N.

No container runs anywhere: for commands that are executed in it, an emulated machine has the three
programs that need none, and shells that play their scripts. So what is made in a server by a script
in its machine, such as a database, seems to be made, and nothing can connect to it.
"""

from __future__ import annotations

import re
from typing import Final, Protocol

import anyio.lowlevel
from attrs import frozen

from fly_emulator.records import Json
from fly_emulator.settings import EmulatorSettings
from fly_emulator.wire import Execution

_MOST: Final = 1e9
"""Largest number that a mark may have."""
_EXIT: Final = re.compile(r"(?:.*[;&\s])?exit (\d{1,3})")
NOT_FOUND: Final = 127
"""Exit code that shells give for a program that is missing."""
ONE_SHOT_GROUPS: Final = frozenset({"fly_app_release_command", "fly_app_test_machine_command"})


@frozen(kw_only=True)
class Behaviour:
    """One run of a process; times in seconds."""

    boot: float
    """From the creation or start of the machine to `started`."""
    healthy_after: float | None
    """After `started`; None: never."""
    exits_after: float | None = None
    """After `started`; None: it runs until it is stopped."""
    exit_code: int = 0
    """With what it exits, where it does."""
    fails: bool = False
    """It does not start: the machine's state becomes `failed`."""


class ProcessModel(Protocol):
    """Decides how the process of a machine behaves."""

    def __call__(self, config: Json, settings: EmulatorSettings) -> Behaviour:
        """How the process behaves in its next run, for a machine of this config."""
        ...


def marked_process(config: Json, settings: EmulatorSettings) -> Behaviour:
    """The default model: marks in the config, else the settings."""
    one_shot, last = _is_one_shot(config), "".join(own_words(config)[-1:])
    exit_code = _mark(config, "EMULATE_EXIT")
    exits_after = _mark(config, "EMULATE_EXIT_AFTER")
    exits = one_shot or exit_code is not None or exits_after is not None
    return Behaviour(
        boot=_number(_mark(config, "EMULATE_BOOT"), settings.boot),
        healthy_after=_healthy_after(config, settings),
        exits_after=_number(exits_after, settings.one_shot) if exits else None,
        exit_code=int(_number(exit_code, played_exit(last) if one_shot else 0)),
        fails=_mark(config, "EMULATE_START") == "fail",
    )


def _healthy_after(config: Json, settings: EmulatorSettings) -> float | None:
    mark = _mark(config, "EMULATE_HEALTHY")
    if mark == "never" or (config.get("env") or {}).get("UNHEALTHY") == "1":
        return None
    return _number(mark, settings.healthy_after)


def _is_one_shot(config: Json) -> bool:
    metadata, env = config.get("metadata") or {}, config.get("env") or {}
    group = metadata.get("fly_process_group") or env.get("FLY_PROCESS_GROUP")
    policy = (config.get("restart") or {}).get("policy")
    return group in ONE_SHOT_GROUPS or bool(config.get("auto_destroy") and policy == "no")


def own_words(config: Json) -> tuple[str, ...]:
    """The command that a machine's config has beside its image."""
    init = config.get("init") or {}
    words = init.get("exec") or [*(init.get("entrypoint") or ()), *(init.get("cmd") or ())]
    return tuple(map(str, words))


def played_exit(script: str) -> int:
    """How a script ends that nothing runs: well, unless it says otherwise."""
    if told := _EXIT.fullmatch(script):
        return int(told[1])
    return int(script.rpartition("/")[2] == "false")


def _mark(config: Json, name: str) -> str | None:
    value = (config.get("env") or {}).get(name)
    if value is None:
        value = (config.get("metadata") or {}).get(name.lower())
    return None if value is None else str(value)


def _number(text: str | None, default: float) -> float:
    """The number of a mark; what cannot be one, or no time of this world, counts as no mark."""
    try:
        number = default if text is None else float(text)
    except ValueError:
        return default
    return number if 0 <= number <= _MOST else default


class Programs:
    """An `ExecRunner` that knows `true`, `false`, `echo` and shells, and has nothing else."""

    async def run(self, execution: Execution) -> Json:
        """The outcome of the command; 127 for any other program."""
        await anyio.lowlevel.checkpoint()
        program, *words = execution.command or ("",)
        match program.rpartition("/")[2]:
            case "true":
                return ended(0)
            case "false":
                return ended(1)
            case "echo":
                return ended(0, stdout=" ".join(words) + "\n")
            case "sh" | "bash":
                return ended(played_exit(words[-1] if words else ""))
            case _:
                reason = "emulated machines have only true, false, echo and shells"
                return ended(NOT_FOUND, stderr=f"{program}: not found ({reason})\n")


def ended(exit_code: int, *, stdout: str = "", stderr: str = "") -> Json:
    """How a command ended, as it is answered."""
    return {"exit_code": exit_code, "exit_signal": 0, "stdout": stdout, "stderr": stderr}
