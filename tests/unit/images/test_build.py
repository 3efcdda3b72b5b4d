from __future__ import annotations

from pathlib import Path

import anyio
import pytest
import trio
from attrs import frozen
from trio.testing import MockClock

from score_flyio.base.secret import Secret
from score_flyio.errors import ImageError, InputError
from score_flyio.images.build import (
    NEVER,
    OUTSIDE,
    Build,
    Builder,
    BuildSettings,
    Progress,
    Tell,
    built,
    content_tag,
    prepare,
)
from score_flyio.images.dockerfile import read_dockerfile
from score_flyio.images.reference import ImageReference

IMAGE = ImageReference.parse("registry.fly.io/app:deployment-1")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "Dockerfile").write_text("FROM scratch\n")
    return folder


def paths(build: Build) -> list[str]:
    return [entry.path for entry in build.context.entries if entry.content is None]


def added(build: Build) -> dict[str, bytes]:
    return {entry.path: entry.content for entry in build.context.entries if entry.content}


async def test_a_dockerfile_that_is_ignored_comes_beside_the_context(project: Path) -> None:
    (project / ".dockerignore").write_text("*\n")
    build = await prepare(BuildSettings(name="web", folder=project), IMAGE)
    assert (build.path, paths(build)) == ("Dockerfile", [])
    assert added(build) == {"Dockerfile": (project / "Dockerfile").read_bytes()}
    (project / ".dockerignore").write_text("*\n!Dockerfile\n")
    build = await prepare(BuildSettings(name="web", folder=project), IMAGE)
    assert (paths(build), added(build)) == (["Dockerfile"], {})


async def test_without_an_ignore_file_fly_toml_is_left_out(project: Path) -> None:
    (project / "fly.toml").touch()
    assert paths(await prepare(BuildSettings(name="web", folder=project), IMAGE)) == ["Dockerfile"]


@pytest.mark.parametrize("ignored", [None, "", "*\n!**/*.yaml\n!.score-flyio"])
async def test_the_state_is_never_part_of_an_image(project: Path, ignored: str | None) -> None:
    for folder in (project, project / "below"):
        (folder / ".score-flyio").mkdir(parents=True)
        (folder / ".score-flyio" / "state.yaml").touch()
    (project / "below" / "a.yaml").touch()
    if ignored is not None:
        (project / ".dockerignore").write_text(ignored)
    build = await prepare(BuildSettings(name="web", folder=project), IMAGE)
    assert "below/a.yaml" in paths(build)
    assert not [path for path in paths(build) if ".score-flyio" in path]


async def test_which_ignore_file_counts(project: Path, tmp_path: Path) -> None:
    for name in ("a", "b", "c"):
        (project / name).touch()
    (project / ".dockerignore").write_text("a\n")
    settings = BuildSettings(name="web", folder=project)
    assert "a" not in paths(await prepare(settings, IMAGE))
    (project / "Dockerfile.dockerignore").write_text("b\n*.dockerignore\n")
    assert {"a", "c"} <= set(paths(await prepare(settings, IMAGE)))
    given = tmp_path / "given"
    given.write_text("c\n")
    build = await prepare(BuildSettings(name="web", folder=project, ignorefile=given), IMAGE)
    assert "c" not in paths(build)
    assert build.ignored == f"./c\n./{NEVER}"


@pytest.mark.parametrize("name", ["dockerfile", "Containerfile"])
async def test_other_names(project: Path, name: str) -> None:
    (project / "Dockerfile").rename(project / name)
    assert (await prepare(BuildSettings(name="web", folder=project), IMAGE)).path == name


async def test_a_dockerfile_from_outside(project: Path, tmp_path: Path) -> None:
    (tmp_path / "other").write_text("FROM scratch\nCOPY a /\n")
    settings = BuildSettings(name="web", folder=project, dockerfile=tmp_path / "other")
    build = await prepare(settings, IMAGE)
    assert build.path == OUTSIDE
    assert added(build) == {OUTSIDE: b"FROM scratch\nCOPY a /\n"}


async def test_files_of_windows(project: Path, tmp_path: Path) -> None:
    """What builders get of the Dockerfile is what is there; few know marks in ignore files."""
    text = "\ufeffFROM scratch\r\nCOPY <<END /a\r\nb\r\nEND\r\n".encode()
    (tmp_path / "other").write_bytes(text)
    (project / ".dockerignore").write_bytes("\ufeffa \r\n!a/b\r\n".encode())
    settings = BuildSettings(name="web", folder=project, dockerfile=tmp_path / "other")
    build = await prepare(settings, IMAGE)
    assert added(build) == {OUTSIDE: text}
    assert build.ignored == f"./a\n!./a/b\n./{NEVER}"


async def test_what_is_not_there(project: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"web: .*nowhere: the Dockerfile cannot be read"):
        await prepare(
            BuildSettings(name="web", folder=project, dockerfile=tmp_path / "nowhere"), IMAGE
        )
    with pytest.raises(InputError, match=r"nowhere: the ignore file cannot be read") as raised:
        await prepare(
            BuildSettings(name="web", folder=project, ignorefile=tmp_path / "nowhere"), IMAGE
        )
    assert "--ignorefile" in str(raised.value.hint)
    with pytest.raises(InputError, match=r"there is no stage 'prod'") as raised:
        await prepare(BuildSettings(name="web", folder=project, target="prod"), IMAGE)
    (project / "Dockerfile").unlink()
    with pytest.raises(InputError, match="web: there is no Dockerfile in") as missing:
        await prepare(BuildSettings(name="web", folder=project), IMAGE)
    assert "--dockerfile" in str(missing.value.hint)
    with pytest.raises(InputError, match=r"web: there is no folder .*gone$"):
        await prepare(BuildSettings(name="web", folder=project / "gone"), IMAGE)


async def test_what_the_tag_depends_on(project: Path) -> None:
    async def tag(**more: object) -> str:
        settings = BuildSettings(name="web", folder=project, **more)  # type: ignore[arg-type]
        return await content_tag(await prepare(settings, IMAGE))

    (project / "Dockerfile").write_text("FROM scratch AS a\nFROM scratch AS b\n")
    tags = [
        await tag(),
        await tag(args={"A": "1"}),
        await tag(target="a"),
        await tag(labels={"A": "1"}),
    ]
    assert len(set(tags)) == 4
    assert tags[0] == await tag(no_cache=True)


_QUAY = {"quay.io"}


@pytest.mark.parametrize(
    ("text", "stages", "hosts"),
    [
        ("FROM nginx", ("",), {"docker.io"}),
        ("# c\nfrom --platform=linux/amd64 ghcr.io/a/b:1 as Main\n", ("main",), {"ghcr.io"}),
        ("FROM scratch AS x\nFROM x\n", ("x", ""), set()),
        ("ARG V=1\nFROM quay.io/a/b:$V\n", ("",), {"quay.io"}),
        ("ARG V\nFROM quay.io/a/b:$V\n", ("",), set()),
        ("ARG R='quay.io' I=\"${R}/a/b\"\nFROM ${I}:${V:-1} AS c\n", ("c",), {"quay.io"}),
        ("ARG GIVEN=quay.io\nFROM ${GIVEN}/a/b\n", ("",), {"ghcr.io"}),
        ("ARG GIVEN\nFROM ${GIVEN}/a/${X:+y}b\n", ("",), {"ghcr.io"}),
        ("FROM quay.io/a/b:$TARGETARCH\n", ("",), {"quay.io"}),
        ("ARG V=dev\nFROM scratch AS base-dev\nFROM base-$V\n", ("base-dev", ""), set()),
        ("FROM scratch\nRUN --mount=type=bind,from=quay.io/a/b,target=/b x\n", ("",), {"quay.io"}),
        ("FROM scratch AS a\nRUN --mount=from=a,target=/b x\n", ("a",), set()),
        ("FROM scratch\nCOPY <<-'END' /q\nSELECT *\nFROM quay.io/a/b\n\tEND\n", ("",), set()),
        ("FROM x/a\nRUN i=$((1<<n)) && j=$(( 1 <<m ))\nFROM scratch\n", ("", ""), {"docker.io"}),
        ("FROM scratch\nRUN cat <<A && b <<B\nFROM x\nA\nFROM y\nB\n", ("",), set()),
        ("FROM \\\n  quay.io/a/b \\\n  AS c\n", ("c",), {"quay.io"}),
        ("FROM scratch\nCOPY --chown=1 --from=ghcr.io/x/y /a /b\n", ("",), {"ghcr.io"}),
        ("FROM scratch AS a\nCOPY --from=a /a /b\nCOPY --from=0 /a /b\n", ("a",), set()),
        ("\ufeffFROM quay.io/a/b\r\nRUN x \\\r\n  FROM y\r\n", ("",), {"quay.io"}),
        ("# escape=`\nFROM quay.io/a/b `\n AS c\nRUN dir C:\\\nFROM scratch\n", ("c", ""), _QUAY),
        ("# check=skip=all\n#  Escape = `\nFROM quay.io/a/b `\n AS c\n", ("c",), _QUAY),
        ("# note\n# escape=`\nFROM quay.io/a/b \\\n AS c\n", ("c",), _QUAY),
        ("#syntax=quay.io/a/b:1 x\nFROM scratch\n", ("",), _QUAY),
        ("\n# syntax=quay.io/a/b:1\nFROM scratch\n", ("",), set()),
        ("FROM quay.io/a/b \\\n# no end\n\n  # of it\n AS c\n", ("c",), _QUAY),
        ("FROM scratch\nRUN x \\\n\nFROM quay.io/a/b\n", ("",), set()),
        ("FROM scratch\nRUN echo \\\\\nFROM quay.io/a/b\n", ("", ""), _QUAY),
        ("FR\\\nOM quay.io/a/b\n", ("",), _QUAY),
        ("FROM scratch\nRUN a\x85FROM quay.io/a/b\n", ("",), set()),
        ("FROM scratch\nRUN <<E.O-F\nFROM quay.io/a/b\nE.O-F\n", ("",), set()),
        ("FROM scratch\nRUN <<A\n\tA\nFROM quay.io/a/b\nA\n", ("",), set()),
        ("FROM scratch\nONBUILD RUN <<A\nFROM x\nA\n", ("",), set()),
        ("FROM scratch\nONBUILD COPY --from=quay.io/a/b /a /b\n", ("",), _QUAY),
        ("FROM scratch\nCOPY --link --from='quay.io/a/b' /a /b\n", ("",), _QUAY),
        ("FROM scratch\nRUN x --mount=type=bind,from=quay.io/a/b\n", ("",), set()),
        ("FROM scratch\nADD https://quay.io/a /\nADD git@quay.io:a/b.git#v1 /c\n", ("",), set()),
        ("ARG V=\nFROM ${V:-${W:-quay.io}}/a/b${V-:c}\n", ("",), _QUAY),
        ("ARG V=1\nFROM quay.io/a/b:${V:?needed}\n", ("",), _QUAY),
        ("FROM scratch\nARG V=1\nFROM quay.io/a/b${V:+:c}\n", ("", ""), _QUAY),
    ],
)
def test_stages_and_registries(text: str, stages: tuple[str, ...], hosts: set[str]) -> None:
    found = read_dockerfile(text, file="Dockerfile", args={"GIVEN": "ghcr.io"})
    assert (found.stages, {image.host for image in found.images}) == (stages, hosts)


def test_secrets_of_steps() -> None:
    lines = (
        "FROM scratch",
        "RUN --mount=type=secret,id=a --mount=type=cache,id=c,target=/c x",
        "RUN --mount=id=b,type=secret,required=true \\\n  --mount=type=secret,id=a y",
        "# RUN --mount=type=secret,id=d z",
        "RUN --mount=type=secret,target=/run/c.conf,required --mount=type=Secret,DST=/x/d z",
        "RUN --mount='type=secret,id=e,env=E' --network=none --mount=type=secret,src=f,dst=/g z",
        "RUN --mount=type=secret,id=$H echo --mount=type=secret,id=i",
        "COPY --mount=type=secret,id=j /a /b",
        "RUN <<K\nRUN --mount=type=secret,id=k x\nK",
        "ONBUILD RUN --mount=type=secret,id=l x",
    )
    found = read_dockerfile("\n".join(lines), file="f").secrets
    assert found == ("a", "b", "c.conf", "d", "e", "f", "l")


def test_stages_have_names_and_numbers() -> None:
    found = read_dockerfile("FROM scratch AS Build\nFROM scratch\n", file="f")
    assert [found.has_stage(t) for t in ("build", "BUILD", "0", "1", "2", "x", "²")] == [
        *(True, True, True, True),
        *(False, False, False),
    ]


@pytest.mark.parametrize("text", ["", "RUN x\n", "# FROM scratch\n"])
def test_a_dockerfile_without_from(text: str) -> None:
    with pytest.raises(InputError, match="a/Dockerfile: there is no FROM"):
        read_dockerfile(text, file="a/Dockerfile")


@frozen
class Slow:
    """A builder that is silent for so many seconds before each thing that it tells."""

    pauses: tuple[float, ...]
    text: str = "a step"
    name: str = "slow"

    async def build(self, build: Build, tell: Tell, *, push: bool = True) -> str | None:
        for pause in self.pauses:
            await anyio.sleep(pause)
            tell(Progress(text=self.text))
        return "sha256:abc" if push else None


def run(builder: Builder, project: Path, idle_timeout: float) -> tuple[list[str], str | None]:
    """What it tells, and returns; its time passes at once."""
    told: list[str] = []

    async def main() -> str | None:
        build = await prepare(BuildSettings(name="web", folder=project), IMAGE)
        return await built(
            builder, build, lambda p: told.append(p.text), push=True, idle_timeout=idle_timeout
        )

    found = trio.run(main, clock=MockClock(autojump_threshold=0))
    return told, found


@frozen
class Talkative:
    """A builder that says what it was given."""

    name: str = "talkative"

    async def build(self, build: Build, tell: Tell, *, push: bool = True) -> str | None:
        texts = [secret.reveal() for secret in build.settings.secrets.values()]
        for line in "".join(texts).splitlines():
            tell(Progress(text=f"it is {line}", step=True))
        if push:
            raise build.failed(f"no {texts}", hint=f"not {texts[0]}")
        await anyio.sleep_forever()
        return None


@pytest.mark.parametrize("push", [True, False])
def test_what_steps_print_of_build_secrets_is_masked(project: Path, push: bool) -> None:
    secrets = {"a": Secret("hunter2 it"), "b": Secret("\nsesame\nopen-it\n")}
    told: list[str] = []

    async def main() -> None:
        settings = BuildSettings(name="web", folder=project, secrets=secrets)
        build = await prepare(settings, IMAGE)
        await built(Talkative(), build, lambda p: told.append(p.text), push=push, idle_timeout=60)

    with pytest.raises(ImageError) as raised:
        trio.run(main, clock=MockClock(autojump_threshold=0))
    assert len(told) == 3
    said = f"{told} {raised.value} {raised.value.hint}"
    assert not any(word in said for word in ("hunter2", "sesame", "open-it"))


@pytest.mark.parametrize(("idle", "pauses"), [(60, (59, 59, 59)), (0, (10**6, 10**6))])
def test_a_build_may_take_long_while_it_makes_progress(
    project: Path, idle: float, pauses: tuple[float, ...]
) -> None:
    assert run(Slow(pauses), project, idle) == (["a step"] * len(pauses), "sha256:abc")
    assert run(Slow(pauses, text=""), project, idle) == ([], "sha256:abc")


@pytest.mark.parametrize(
    ("pauses", "says"), [((1, 1, 61), "the last that it said: a step"), ((61,), "never said")]
)
def test_a_build_without_progress_is_given_up(
    project: Path, pauses: tuple[float, ...], says: str
) -> None:
    with pytest.raises(ImageError, match=f"web: slow made no progress with {IMAGE}") as raised:
        run(Slow(pauses), project, 60)
    assert "for 60 seconds" in str(raised.value)
    assert says in str(raised.value)
    assert "--build-idle-timeout" in str(raised.value.hint)
