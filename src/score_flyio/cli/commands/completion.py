"""`score-flyio completion SHELL`: the script that teaches a shell to complete our commands."""

from typing import Final

import asyncclick as click
from asyncclick.shell_completion import get_completion_class

from score_flyio.cli.command import Command
from score_flyio.cli.context import CliContext
from score_flyio.cli.main import COMPLETE, PROGRAM

SHELLS = ("bash", "zsh", "fish")

_BETTER: Final = {
    "fish": ('split "," $completion', 'split --max 1 "," $completion'),
    "zsh": (
        "    compdef ",
        "    (( $+functions[compdef] )) || { autoload -Uz compinit; compinit }\n    compdef ",
    ),
}
"""What is changed in the scripts of the library: in fish a value may have a comma, and zsh begins
with its completion where nothing did yet."""

_HELP = """Print the completion script of a shell.

\b
bash: eval "$(score-flyio completion bash)"
zsh:  eval "$(score-flyio completion zsh)"
fish: score-flyio completion fish | source
"""


@click.command("completion", cls=Command, help=_HELP)
@click.argument("shell", type=click.Choice(SHELLS))
def command(cli: CliContext, shell: str) -> None:
    """Print the completion script of a shell."""
    kind = get_completion_class(shell)
    if kind is None:
        raise LookupError(f"no completion for {shell}")
    # The class's own `source()` starts a bash to ask for its version.
    completion = kind(click.Command(PROGRAM), {}, PROGRAM, COMPLETE)
    script = kind.source_template % completion.source_vars()
    cli.output.write(script.replace(*_BETTER.get(shell, ("", ""))))
