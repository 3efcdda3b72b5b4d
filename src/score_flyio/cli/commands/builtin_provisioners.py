"""`score-flyio builtin-provisioners`: provisioners that speak the protocol on stdin and stdout.

They are meant for `provisioners add … --cmd-binary=score-flyio`, here or in the Go score-flyio.
"""

from __future__ import annotations

from functools import partial

from score_flyio.cli.command import Command, Group
from score_flyio.cli.context import CliContext

KINDS = {
    "postgres": "A database with a role of its own, on a server that the project shares.",
    "postgres-instance": "A Postgres server of its own.",
}
MODES = {
    "provision": "Make it: request on stdin, answer on stdout.",
    "deprovision": "Take it away: request on stdin.",
}

command = Group(
    "builtin-provisioners", help="Provisioners that speak the protocol on stdin and stdout."
)


async def _answer(cli: CliContext, kind: str, mode: str) -> None:
    """Read a request, do it, print the answer; also what a failed run left to be kept."""
    from score_flyio.engine.target import access_from_environment
    from score_flyio.resources.protocol import decode_request, encode_answer
    from score_flyio.resources.provisioner import ProvisionIncomplete
    from score_flyio.resources.registry import Means
    from score_flyio.resources.template.files import built_in_server
    from score_flyio.resources.template.surroundings import Surroundings
    from score_flyio.state.model import ProjectState

    request = decode_request(cli.read_stdin().encode())

    note = cli.output.info
    access = partial(access_from_environment, cli.environ, directory=cli.directory, note=note)
    surroundings = Surroundings(state=ProjectState.new(""), environ=cli.environ)
    provisioner = built_in_server(kind, Means(lambda: surroundings, access))
    try:
        result = await getattr(provisioner, mode)(request)
    except ProvisionIncomplete as error:
        cli.output.write(encode_answer(error.result))
        raise
    cli.output.write(encode_answer(result))


for _kind, _help in KINDS.items():
    _group = Group(_kind, help=_help)
    for _mode, _about in MODES.items():
        _group.add_command(
            Command(_mode, callback=partial(_answer, kind=_kind, mode=_mode), help=_about)
        )
    command.add_command(_group)
