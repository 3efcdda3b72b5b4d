from __future__ import annotations

import base64
import json
import os
import socket
import ssl
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import chain, repeat
from pathlib import Path
from threading import Thread
from typing import Literal

import anyio
import pytest
import trio
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st
from trio.testing import MockClock

from score_flyio.base.secret import Secret
from score_flyio.errors import ConfigError, ImageError
from score_flyio.images.build import NEVER, BuildSettings, Progress, prepare
from score_flyio.images.builders.address import DaemonAddress, find_daemon
from score_flyio.images.builders.choose import (
    BuilderContext,
    builder_names,
    builders_there,
    choose_builder,
)
from score_flyio.images.builders.docker import Answer, DockerBuilder, client_of
from score_flyio.images.builders.fly import FlyBuilder, without_alpn
from score_flyio.images.builders.programs import BuildahBuilder, BuildctlBuilder
from score_flyio.images.builders.protobuf import encoded, fields
from score_flyio.images.builders.session import Answers
from score_flyio.images.logins import Logins
from score_flyio.images.reference import ImageReference
from tests.passwords import lasting


def field(number: int, value: bytes | int) -> bytes:
    """One field of a protobuf message."""
    if isinstance(value, int):
        return bytes([number << 3, value])
    assert len(value) < 128
    return bytes([number << 3 | 2, len(value)]) + value


def message(*fields: bytes) -> dict[str, str]:
    aux = base64.b64encode(b"".join(fields)).decode()
    return {"id": "moby.buildkit.trace", "aux": aux}


def test_a_trace_tells_steps_and_output() -> None:
    told: list[Progress] = []
    answer = Answer(told.append)
    step = field(1, b"sha256:1") + field(3, "RUN é".encode())
    begun = message(field(1, step), field(1, step + field(5, b"t")))
    output = message(field(3, field(1, b"sha256:1") + field(4, b"one\n\ntwo\r\n")))
    ended = message(field(1, step + field(4, 1) + field(5, b"t") + field(6, b"t")))
    failed = message(field(1, step + field(5, b"t") + field(7, b"exit code: 7")))
    for each in (begun, begun, output, ended, failed):
        answer.take(each)
    assert [progress for progress in told if progress.text] == [
        Progress(text="RUN é", step=True),
        Progress(text="one"),
        Progress(text="two"),
        Progress(text="RUN é", step=True, cached=True),
    ]
    assert list(answer.last) == ["one", "two"]


@given(
    values=st.dictionaries(
        st.integers(1, 500), st.text(max_size=300) | st.integers(0, 2**40), max_size=4
    )
)
def test_messages_of_protobuf_are_read_back(values: dict[int, str | int]) -> None:
    found = {
        number: value.decode() if isinstance(value, bytes) else value
        for number, value in fields(encoded(values))
    }
    assert found == values


@given(content=st.binary(max_size=60))
def test_no_message_breaks_a_trace(content: bytes) -> None:
    told: list[Progress] = []
    answer = Answer(told.append)
    answer.take(message(content))
    answer.take({"id": "moby.buildkit.trace", "aux": "no base64!"})
    assert told[0] == told[-1] == Progress()


@pytest.mark.parametrize(
    ("host", "url", "socket_path"),
    [
        ("unix:///run/d.sock", "http://docker", "/run/d.sock"),
        ("tcp://10.0.0.1:2375", "http://10.0.0.1:2375", None),
        ("http://d:1/", "http://d:1", None),
        ("tcp://d", "http://d:2375", None),
        ("tcp://[::1]/", "http://[::1]:2375", None),
    ],
)
def test_the_daemon_that_is_named(host: str, url: str, socket_path: str | None) -> None:
    found = find_daemon({"DOCKER_HOST": host})
    assert found is not None
    assert (found.url, found.socket, found.trust) == (url, socket_path, None)


def test_a_daemon_behind_tls(tmp_path: Path) -> None:
    environ = {"DOCKER_HOST": "tcp://d:2376", "DOCKER_TLS_VERIFY": "1", "HOME": str(tmp_path)}
    found = find_daemon(environ)
    assert found is not None
    assert found.url == "https://d:2376"
    assert found.trust is not None
    assert find_daemon({**environ, "DOCKER_HOST": "tcp://d"}) == found
    (tmp_path / "ca.pem").write_text("no certificate")
    with pytest.raises(ConfigError, match="the certificates for the Docker daemon"):
        find_daemon({**environ, "DOCKER_CERT_PATH": str(tmp_path)})


@pytest.mark.parametrize("host", ["ssh://me@d", "unix://relative", "d:1", "tcp://", "tcp://d:x"])
def test_a_daemon_that_cannot_be_named_so(host: str) -> None:
    with pytest.raises(ConfigError, match="DOCKER_HOST") as raised:
        find_daemon({"DOCKER_HOST": host})
    assert raised.value.hint


def test_the_usual_sockets_are_looked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("score_flyio.images.builders.address.SOCKETS", ())
    folder = tmp_path / "podman"
    folder.mkdir()
    assert find_daemon({"XDG_RUNTIME_DIR": str(tmp_path)}) is None
    monkeypatch.chdir(folder)  # names of sockets are short
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("podman.sock")
        found = find_daemon({"XDG_RUNTIME_DIR": str(tmp_path)})
    assert found is not None
    assert found.shown == f"unix://{folder / 'podman.sock'}"


def executable(path: Path, script: str) -> str:
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return str(path)


@pytest.fixture
def bare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """An environment without any builder."""
    monkeypatch.setattr("score_flyio.images.builders.address.SOCKETS", ())
    (tmp_path / "bin").mkdir()
    return {"PATH": str(tmp_path / "bin")}


def context(environ: dict[str, str]) -> BuilderContext:
    return BuilderContext(environ=environ, logins=Logins(environ))


async def test_auto_takes_the_first_that_is_there(bare: dict[str, str]) -> None:
    with pytest.raises(ImageError, match="nothing to build images with") as raised:
        await choose_builder(context(bare))
    assert "buildah" in str(raised.value.hint)
    folder = Path(bare["PATH"])
    for name, expected in (("buildctl", None), ("podman", "podman"), ("buildah", "buildah")):
        executable(folder / name, "exit 0")
        if expected is not None:
            assert (await choose_builder(context(bare))).name == expected
    assert await builders_there(context(bare)) == {"buildah": None, "podman": None}
    with_host = context({**bare, "BUILDKIT_HOST": "unix:///x"})
    assert (await choose_builder(with_host, "buildkit")).name == "buildkit"


async def test_fly_is_the_last_of_auto_and_none_of_local(bare: dict[str, str]) -> None:
    async def find() -> str:
        raise AssertionError("nobody builds")

    fly = FlyBuilder(find=find, password=lasting(Secret("x")), logins=Logins({}))
    with_fly = evolve(context(bare), fly=fly)
    assert builder_names()[-1] == "fly"
    assert (await choose_builder(with_fly)).name == "fly"
    with pytest.raises(ImageError, match="nothing to build images with") as raised:
        await choose_builder(with_fly, "local")
    assert "Fly" not in str(raised.value.hint)
    executable(Path(bare["PATH"]) / "buildah", "exit 0")
    for name in ("auto", "local"):
        assert (await choose_builder(with_fly, name)).name == "buildah"


def test_the_remote_builder_is_at_its_name_or_at_what_stands_in() -> None:
    async def find() -> str:
        return "fly-builder-1"

    password = lasting(Secret("tok"))

    def address(**environ: str) -> DaemonAddress:
        builder = FlyBuilder(find=find, password=password, logins=Logins({}), environ=environ)
        return builder.address("fly-builder-1", "app")

    found = address()
    assert (found.url, found.login) == ("https://fly-builder-1.fly.dev", ("app", password))
    assert found.trust is not None
    assert found.trust.verify_mode == ssl.CERT_REQUIRED
    assert found.trust.check_hostname
    assert found.trust.cert_store_stats()["x509_ca"] > 0
    assert address(FLY_BUILDER_HOST="127.0.0.1:9").url == "http://127.0.0.1:9"
    assert address(FLY_BUILDER_HOST="b.example.com").url == "https://b.example.com"


async def test_the_remote_builder_gets_the_tokens_that_are_valid_at_each_request() -> None:
    tokens = iter(("first", "second"))

    async def password() -> Secret:
        return Secret(next(tokens))

    address = DaemonAddress(url="http://127.0.0.1:9", login=("app", password))
    sent = []
    async with client_of(address) as client:
        for path in ("/build", "/push"):
            request = client.build_request("POST", path)
            for hook in client.event_hooks["request"]:
                await hook(request)
            sent.append(base64.b64decode(request.headers["authorization"].split()[1]))
    assert sent == [b"app:first", b"app:second"]


@pytest.mark.parametrize(
    ("asked", "user"), [("quay.io", b"team"), ("ghcr.io", b"all"), ("gcr.io", None)]
)
async def test_buildkit_gets_the_login_of_the_image_that_it_asks_for(
    asked: str, user: bytes | None
) -> None:
    """It says which registry it means, and no more."""
    pairs = {"quay.io/team": "team:p", "quay.io": "all:p", "ghcr.io": "all:p"}
    auths = {key: {"auth": base64.b64encode(p.encode()).decode()} for key, p in pairs.items()}
    images = [ImageReference.parse(f"quay.io/{name}") for name in ("a/b", "team/shop")]
    logins = Logins({"DOCKER_AUTH_CONFIG": json.dumps({"auths": auths})})
    answers = Answers(secrets={}, logins=logins, images=images)
    status, said = await answers.to("/moby.filesync.v1.Auth/Credentials", encoded({1: asked}))
    assert (status, dict(fields(said)).get(1)) == (0, user)


BUILDAH = """
case "$1" in
  build) ;;
  push)
    cp "$REGISTRY_AUTH_FILE" "$RECORD"
    while [ "$1" != --digestfile ]; do shift; done
    printf sha256:abc > "$2" ;;
esac
"""


@pytest.mark.parametrize("name", ["buildah", "podman"])
async def test_what_a_long_build_made_is_pushed_with_the_tokens_of_then(
    tmp_path: Path, name: Literal["buildah", "podman"]
) -> None:
    tokens = chain(("ended",), repeat("valid"))

    async def password() -> Secret:
        return Secret(next(tokens))

    (tmp_path / "Dockerfile").write_text("FROM scratch\n")
    (tmp_path / "bin").mkdir()
    record = tmp_path / "record.json"
    builder = BuildahBuilder(
        name=name,
        program=executable(tmp_path / "bin" / name, BUILDAH),
        logins=Logins({"FLY_REGISTRY_HOST": "127.0.0.1:5000"}, fly=password),
        environ={"PATH": os.environ["PATH"], "TMPDIR": str(tmp_path), "RECORD": str(record)},
    )
    settings = BuildSettings(name="web", folder=tmp_path)
    build = await prepare(settings, ImageReference.parse("127.0.0.1:5000/app:1"))
    assert await builder.build(build, lambda _: None) == "sha256:abc"
    login = json.loads(record.read_text())["auths"]["127.0.0.1:5000"]["auth"]
    assert base64.b64decode(login) == b"x:valid"


LISTENING = """
printf '%s\\n' "$@" >> "$RECORD"
env >> "$RECORD.environment"
case "$1" in push) echo sha256:abc > "$3" ;; esac
exit ${CODE:-0}
"""


@pytest.mark.parametrize(
    ("base", "image", "told"),
    [
        ("127.0.0.1:5000/base", "registry.fly.io/app:1", [True, False]),
        ("busybox", "127.0.0.1:5000/app:1", [False, True]),
    ],
)
async def test_only_registries_on_this_computer_need_no_certificate(
    tmp_path: Path, base: str, image: str, told: list[bool]
) -> None:
    (tmp_path / "Dockerfile").write_text(f"FROM {base}\n")
    (tmp_path / "bin").mkdir()
    record = tmp_path / "record"
    builder = BuildahBuilder(
        name="buildah",
        program=executable(tmp_path / "bin" / "buildah", LISTENING),
        logins=Logins({}),
        environ={"PATH": os.environ["PATH"], "TMPDIR": str(tmp_path), "RECORD": str(record)},
    )
    settings = BuildSettings(name="web", folder=tmp_path)
    build = await prepare(settings, ImageReference.parse(image))
    assert await builder.build(build, lambda _: None) == "sha256:abc"
    built, sent = record.read_text().split("\npush\n")
    assert ["--tls-verify=false" in args for args in (built, sent)] == told


async def test_buildah_that_cannot_be_run_or_fails(tmp_path: Path) -> None:
    (tmp_path / "Dockerfile").write_text("FROM scratch\n")
    (tmp_path / "bin").mkdir()
    record = tmp_path / "record"
    program = executable(tmp_path / "bin" / "buildah", LISTENING)
    environ = {"PATH": os.environ["PATH"], "TMPDIR": str(tmp_path), "RECORD": str(record)}
    environ |= {"FLY_API_TOKEN": "t", "CODE": "1"}
    build = await prepare(
        BuildSettings(name="web", folder=tmp_path), ImageReference.parse("registry.fly.io/x:1")
    )

    async def fail(path: str, match: str) -> None:
        builder = BuildahBuilder(name="buildah", program=path, logins=Logins({}), environ=environ)
        with pytest.raises(ImageError, match=match):
            await builder.build(build, lambda _: None)

    await fail(program, "the build failed with exit code 1")
    assert record.read_text().splitlines()[0] == "build"
    assert "\ninfo\n" in record.read_text()
    assert "FLY_API_TOKEN" not in record.with_suffix(".environment").read_text()
    await fail(f"{program}-gone", "web: .*buildah-gone cannot be run")


STUBBORN = """
[ "$1" = build ] || exit 0
trap "" TERM
echo it runs
while [ -e "$REGISTRY_AUTH_FILE" ]; do sleep 0.02; done
ls "${REGISTRY_AUTH_FILE%/*}" > "$RECORD"
"""


async def test_secrets_are_gone_before_a_program_that_goes_on_after_an_interruption(
    tmp_path: Path,
) -> None:
    """Who interrupts once more ends it all at once, and nobody could remove them then."""
    (tmp_path / "Dockerfile").write_text("FROM scratch\n")
    (tmp_path / "bin").mkdir()
    record = tmp_path / "record"
    builder = BuildahBuilder(
        name="buildah",
        program=executable(tmp_path / "bin" / "buildah", STUBBORN),
        logins=Logins({"FLY_REGISTRY_HOST": "127.0.0.1:5000"}, fly=lasting(Secret("x"))),
        environ={"PATH": os.environ["PATH"], "TMPDIR": str(tmp_path), "RECORD": str(record)},
    )
    settings = BuildSettings(name="web", folder=tmp_path, secrets={"a": Secret("sesame")})
    build = await prepare(settings, ImageReference.parse("127.0.0.1:5000/app:1"))
    async with anyio.create_task_group() as tasks:

        def tell(progress: Progress) -> None:
            if progress.text == "it runs":
                tasks.cancel_scope.cancel()

        tasks.start_soon(builder.build, build, tell)
    left = record.read_text().split()
    assert "ignore" in left
    assert not {"config.json", "secret-0"} & set(left)
    assert not [path async for path in anyio.Path(tmp_path).glob("score-flyio-*")]


async def test_no_protocol_is_offered_to_the_remote_builder() -> None:
    """As the first message of the handshake shows, also after HTTPX has set one."""
    offers = []
    for trust in (without_alpn(), ssl.create_default_context()):
        trust.set_alpn_protocols(["http/1.1"])
        outgoing = ssl.MemoryBIO()
        connection = trust.wrap_bio(ssl.MemoryBIO(), outgoing, server_hostname="b.fly.dev")
        with pytest.raises(ssl.SSLWantReadError):
            connection.do_handshake()
        offers.append(b"http/1.1" in outgoing.read())
    assert offers == [False, True]


async def test_a_builder_that_is_not_there_or_unknown(bare: dict[str, str]) -> None:
    environ = {**bare, "DOCKER_HOST": "unix:///not/there.sock"}
    for name in builder_names():
        with pytest.raises(ImageError, match=f"the builder {name} is not there") as raised:
            await choose_builder(context(environ), name)
        assert raised.value.hint
    with pytest.raises(ConfigError, match="--builder: 'kaniko'"):
        await choose_builder(context(bare), "kaniko")


BUILDCTL = """\
env > "$RECORD/environment"
printf '%s\\n' "$@" > "$RECORD/args"
cp "$DOCKER_CONFIG"/* "$RECORD"
while [ "$1" != --metadata-file ]; do shift; done
echo '#5 [1/2] RUN true' >&2
echo '#6 CACHED' >&2
echo '{"containerimage.digest": "sha256:abc"}' > "$2"
exit ${CODE:-0}
"""


async def test_buildctl_gets_everything_in_a_private_folder(
    bare: dict[str, str], tmp_path: Path
) -> None:
    record = tmp_path / "record"
    record.mkdir()
    project = tmp_path / "project"
    project.mkdir()
    (project / "Dockerfile").write_text("FROM scratch AS main\n")
    (project / ".dockerignore").write_text("secret\n")
    program = executable(tmp_path / "bin" / "buildctl", BUILDCTL)
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    environ = {
        "PATH": os.environ["PATH"],
        "TMPDIR": str(temporary),
        "RECORD": str(record),
        "FLY_API_TOKEN": "t",
    }
    logins = Logins({"FLY_REGISTRY_HOST": "127.0.0.1:5000"}, fly=lasting(Secret("token")))
    settings = BuildSettings(
        name="web",
        folder=project,
        target="main",
        args={"A": "1"},
        labels={"l": "2"},
        secrets={"tok": Secret("sesame")},
        no_cache=True,
        compression="zstd",
        compression_level=3,
    )
    build = await prepare(settings, ImageReference.parse("127.0.0.1:5000/app:1"))
    builder = BuildctlBuilder(program=program, logins=logins, environ=environ)
    progress: list[Progress] = []
    assert await builder.build(build, progress.append) == "sha256:abc"
    assert [(p.step, p.cached) for p in progress] == [(True, False), (False, True)]
    args = (record / "args").read_text().splitlines()
    for expected in ("target=main", "build-arg:A=1", "label:l=2", "platform=linux/amd64"):
        assert args[args.index(expected) - 1] == "--opt"
    assert "--no-cache" in args
    assert args[args.index("--output") + 1] == (
        "type=image,name=127.0.0.1:5000/app:1,push=true,"
        "compression=zstd,force-compression=true,compression-level=3"
    )
    assert "sesame" not in " ".join(args)
    assert (record / "secret-0").read_text() == "sesame"
    assert (record / "Dockerfile.dockerignore").read_text() == f"./secret\n./{NEVER}"
    login = json.loads((record / "config.json").read_text())["auths"]["127.0.0.1:5000"]["auth"]
    assert base64.b64decode(login) == b"x:token"
    (given,) = [arg for arg in args if arg.startswith("dockerfile=")]
    assert Path(given.removeprefix("dockerfile=")).parent == temporary
    assert "FLY_API_TOKEN" not in (record / "environment").read_text()

    failing = BuildctlBuilder(program=program, logins=logins, environ={**environ, "CODE": "3"})
    with pytest.raises(ImageError, match=r"web: the build failed with exit code 3") as raised:
        await failing.build(build, progress.append)
    assert "RUN true" in str(raised.value)
    gone = BuildctlBuilder(program=f"{program}-gone", logins=logins, environ=environ)
    with pytest.raises(ImageError, match="cannot be run"):
        await gone.build(build, progress.append)
    assert list(temporary.iterdir()) == []


class Daemon(BaseHTTPRequestHandler):
    """A Docker daemon that takes its time over a push."""

    def log_message(self, *args: object) -> None:
        """Say nothing."""

    def do_GET(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        while size := int(self.rfile.readline(), 16) if "chunked" in str(self.headers) else 0:
            self.rfile.read(size + 2)
        layers = [{"status": "Pushing", "progressDetail": {"current": n}} for n in range(5)]
        is_push = self.path.partition("?")[0].endswith("/push")
        self._answer(*(*layers, {"aux": {"Digest": "sha256:abc"}}) if is_push else ())

    def _answer(self, *lines: object) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write("".join(f"{json.dumps(line)}\n" for line in lines).encode())


async def test_each_sign_of_life_of_a_daemon_counts(tmp_path: Path) -> None:
    (tmp_path / "Dockerfile").write_text("FROM scratch\n")
    (tmp_path / "large").write_bytes(bytes(5_000_000))
    build = await prepare(
        BuildSettings(name="web", folder=tmp_path), ImageReference.parse("registry.fly.io/x:1")
    )
    told: list[Progress] = []
    with ThreadingHTTPServer(("127.0.0.1", 0), Daemon) as server:
        serving = Thread(target=server.serve_forever)
        serving.start()
        url = f"http://127.0.0.1:{server.server_address[1]}"
        builder = DockerBuilder(address=DaemonAddress(url=url), logins=Logins({}))
        assert await builder.build(build, told.append) == "sha256:abc"
        server.shutdown()
        serving.join()
    blocks, messages = 5, 6
    assert told == [Progress()] * (blocks + messages)


def test_a_remote_builder_that_does_not_wake_up(tmp_path: Path) -> None:
    async def find() -> str:
        return "fly-builder-1"

    async def main() -> None:
        (tmp_path / "Dockerfile").write_text("FROM scratch\n")
        settings = BuildSettings(name="web", folder=tmp_path)
        build = await prepare(settings, ImageReference.parse("registry.fly.io/x:1"))
        environ = {"FLY_BUILDER_HOST": "127.0.0.1:1"}
        password = lasting(Secret("x"))
        builder = FlyBuilder(find=find, password=password, logins=Logins({}), environ=environ)
        await builder.build(build, lambda _: None)

    with pytest.raises(ImageError, match="web: the remote builder fly-builder-1 does not wake up"):
        trio.run(main, clock=MockClock(autojump_threshold=0))
