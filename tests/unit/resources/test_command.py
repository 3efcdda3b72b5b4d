"""Provisioners that are programs."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

import anyio
import pytest

from score_flyio.errors import ProvisionFailed
from score_flyio.resources.kinds import command
from score_flyio.resources.kinds.command import CommandProvisioner
from score_flyio.resources.provisioner import ProvisionIncomplete, ProvisionRequest, ProvisionResult
from score_flyio.state.resources import CommandSpec
from tests.unit.resources.conftest import uid

UID = uid("thing.default#shop.db")
REQUEST = ProvisionRequest(uid=UID, guid="g", params={"b": 1, "a": "<&>"}, shared={"k": 1})


def script(text: str, *args: str, timeout: float = 60.0) -> CommandProvisioner:
    spec = CommandSpec(binary="/bin/sh", args=("-c", text, "sh", *args))
    return CommandProvisioner(id="p", spec=spec, timeout=timeout)


async def test_the_request_is_one_line_of_json_on_stdin(tmp_path: Path) -> None:
    out = tmp_path / "in.json"
    await script('cat > "$1"; echo "{}"', str(out)).provision(REQUEST)
    assert out.read_text() == (
        '{"resource_uid":"g","resource_type":"thing","resource_class":"default",'
        '"resource_id":"shop.db","state":{},"shared":{"k":1},'
        '"resource_params":{"a":"<&>","b":1},"resource_metadata":null}'
    )


async def test_whole_numbers_are_asked_for_without_a_fraction(tmp_path: Path) -> None:
    out = tmp_path / "in.json"
    params = {"a": 2.0, "b": [1e3, -0.5, 1e21], "c": {"d": 10**30}}
    request = ProvisionRequest(uid=UID, guid="g", params=params)
    await script('cat > "$1"; echo "{}"', str(out)).provision(request)
    asked = '"resource_params":{"a":2,"b":[1000,-0.5,1e+21],"c":{"d":1' + "0" * 30 + "}}"
    assert asked in out.read_text()


async def test_the_mode_is_in_arguments_and_environment() -> None:
    text = 'printf \'{"values":{"arg":"%s","env":"%s"}}\' "$1" "$SCORE_PROVISIONER_MODE"'
    provisioner = script(text, "x-$SCORE_PROVISIONER_MODE-y")
    result = await provisioner.provision(REQUEST)
    assert result.values == {"arg": "x-provision-y", "env": "provision"}
    result = await provisioner.deprovision(REQUEST)
    assert result.values == {"arg": "x-deprovision-y", "env": "deprovision"}


async def test_a_program_need_not_read_a_long_request() -> None:
    request = ProvisionRequest(uid=UID, guid="g", params={"long": "x" * 1_000_000})
    result = await script("""printf '{"values":{"a":1}}'""").provision(request)
    assert result.values == {"a": 1}


async def test_a_long_answer_is_read_while_a_long_request_is_written() -> None:
    request = ProvisionRequest(uid=UID, guid="g", params={"long": "x" * 1_000_000})
    result = await script("""printf '{"state":'; cat; printf '}'""").provision(request)
    assert result.state is not None
    assert result.state["resource_params"] == {"long": "x" * 1_000_000}


@pytest.mark.parametrize(
    ("text", "code", "words"),
    [
        ("exit 3", "provisioner_call_failed", "exit code 3"),
        ("kill -9 $$", "provisioner_call_failed", "signal 9"),
        ("true", "provisioner_no_output", "gave no answer"),
        ("echo", "provisioner_output_invalid", "not JSON"),
        ("echo hello", "provisioner_output_invalid", "not JSON"),
        ("echo '[]'", "provisioner_output_invalid", "not a JSON object"),
        ("echo hello; exit 3", "provisioner_output_invalid", "exit code 3"),
        ("""echo '{"outputs":{}}'""", "provisioner_output_invalid", "'outputs'"),
        ("""echo '{"Values":{}}'""", "provisioner_output_invalid", "'Values'"),
        ("""echo '{"values":[]}'""", "provisioner_output_invalid", "'values' must be an object"),
        ("""echo '{"values":{},"values":{}}'""", "provisioner_output_invalid", "twice"),
        ("""echo '{} {}'""", "provisioner_output_invalid", "extra data"),
    ],
)
async def test_failures_name_resource_provisioner_and_cause(
    text: str, code: str, words: str
) -> None:
    with pytest.raises(ProvisionFailed) as caught:
        await script(text).provision(REQUEST)
    assert caught.value.code == code
    assert caught.value.uid == str(UID)
    for part in (str(UID), "'p'", words):
        assert part in str(caught.value)


async def test_a_failure_with_an_answer_keeps_it() -> None:
    with pytest.raises(ProvisionIncomplete) as caught:
        await script("""echo '{"state":{"half":1}}'; exit 1""").provision(REQUEST)
    assert caught.value.code == "provisioner_failed"
    assert caught.value.result.state == {"half": 1}


async def test_integers_stay_exact() -> None:
    result = await script("""echo '{"values":{"n":12345678901234567890123}}'""").provision(REQUEST)
    assert result.values == {"n": 12345678901234567890123}


@pytest.mark.parametrize("text", ["true", "echo", "printf ' \\r\\n'"])
async def test_an_empty_answer_to_deprovision_is_success(text: str) -> None:
    assert await script(text).deprovision(REQUEST) == ProvisionResult()


async def test_arguments_that_no_program_can_have() -> None:
    with pytest.raises(ProvisionFailed, match=r"'/bin/sh' cannot be run: .*null byte"):
        await script("true", "a\0b").provision(REQUEST)


async def test_what_a_program_leaves_running_keeps_nobody_waiting(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(command, "LINGER", 0.1)
    text = 'sleep 300 & echo $! > "$1"; printf \'{"values":{"a":1}}\''
    with anyio.fail_after(30):
        result = await script(text, str(tmp_path / "left")).provision(REQUEST)
    os.kill(int((tmp_path / "left").read_text()), signal.SIGKILL)
    assert result.values == {"a": 1}


async def test_a_program_gets_neither_key_nor_token_of_the_state() -> None:
    environ = {
        "PATH": os.environ["PATH"],
        "FLY_API_TOKEN": "for fly itself",
        "SCORE_FLYIO_STATE_KEY": "k",
        "SCORE_FLYIO_STATE_TOKEN": "t",
    }
    spec = CommandSpec(
        binary="/bin/sh",
        args=(
            "-c",
            """printf '{"values":{"names":"%s"}}' "$(env | sed 's/=.*//' | sort | tr '\\n' ' ')\"""",
        ),
    )
    result = await CommandProvisioner(id="p", spec=spec, environ=environ).provision(REQUEST)
    assert result.values is not None
    names = result.values["names"].split()
    assert "FLY_API_TOKEN" in names, "scripts call fly with it"
    assert not {"SCORE_FLYIO_STATE_KEY", "SCORE_FLYIO_STATE_TOKEN"} & set(names)


async def test_a_missing_program_is_named() -> None:
    provisioner = CommandProvisioner(id="p", spec=CommandSpec(binary="/nowhere/prov"))
    with pytest.raises(ProvisionFailed, match="'/nowhere/prov' cannot be run") as caught:
        await provisioner.provision(REQUEST)
    assert caught.value.code == "provisioner_call_failed"
    assert "is there and executable" in str(caught.value.hint)


FAMILY = 'exec 3> "$1"; sleep 600 & echo started >&3; wait'
"""A program with a child; both hold the named pipe `$1` open until they end."""


async def test_cancelling_ends_the_program_and_its_children(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(script(FAMILY, str(pipe)).provision, REQUEST)
        reader = await anyio.open_file(pipe)
        assert await reader.readline() == "started\n"
        tasks.cancel_scope.cancel()
    # Reading comes to an end only when nobody holds the pipe any more.
    assert await reader.read() == ""
    await reader.aclose()


async def test_a_program_that_takes_too_long_is_ended(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    ended: list[str] = []

    async def listen() -> None:
        ended.append(await anyio.Path(pipe).read_text())

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(listen)
        with pytest.raises(ProvisionFailed, match="did not end within 2 s"):
            await script(FAMILY, str(pipe), timeout=2).provision(REQUEST)
    assert ended == ["started\n"]


async def test_stderr_passes_through(capfd: pytest.CaptureFixture[str]) -> None:
    await script("echo progress >&2; echo '{}'").provision(REQUEST)
    assert capfd.readouterr().err == "progress\n"


async def test_the_built_in_provisioners_are_known_to_share() -> None:
    spec = CommandSpec(binary=sys.executable, args=("builtin-provisioners", "postgres"))
    assert CommandProvisioner(id="p", spec=spec).uses_shared is True
    assert script("true").uses_shared is None
