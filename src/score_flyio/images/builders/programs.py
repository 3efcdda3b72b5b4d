"""Builds by programs: buildah, podman and buildctl. None of them needs a daemon of Docker.

Logins and secrets go to them in files of a private folder that is gone afterwards.
"""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from functools import partial
from pathlib import Path
from tempfile import mkdtemp
from typing import Final, Literal

import anyio

from score_flyio.base.abrupt import undone_at_the_end
from score_flyio.base.printable import system_reason
from score_flyio.base.process_group import Ended, run_program
from score_flyio.base.record import frozen
from score_flyio.errors import ImageError
from score_flyio.errors.unwrap import beside
from score_flyio.images.access import base_url
from score_flyio.images.build import Build, Progress, Tell
from score_flyio.images.builders.pushes import pushed
from score_flyio.images.login_files import IN_THE_ENVIRONMENT
from score_flyio.images.logins import Logins
from score_flyio.images.reference import PLATFORM, ImageReference
from score_flyio.net.credentials import OWN

CLEANUP_SECONDS: Final = 20.0
MARK: Final = "score-flyio-build"
DISK: Final = "/var/tmp"  # noqa: S108  # mkdtemp is safe
"""Where temporary files of builders go, as they may be too large for memory (buildah, podman)."""
_STEP: Final = re.compile(r"(\[\d+/\d+\] )?STEP \d+|#\d+ \[")
"""How lines about a new step begin, for buildah, podman and buildctl."""
_TIMED: Final = re.compile(r"#\d+ \d+\.\d+ ")
"""What buildctl writes before each line of output: the step, and seconds."""
_STEPS_CODE: Final = re.compile(r"did not complete successfully: exit code: (\d+)")
"""How buildctl tells of a step that failed; its own exit code is 1."""


@frozen(kw_only=True)
class BuildahBuilder:
    """Builds by buildah, or by podman, which has the same options."""

    name: Literal["buildah", "podman"]
    program: str
    """Where it is."""
    logins: Logins
    environ: Mapping[str, str]

    async def build(self, build: Build, tell: Tell, *, push: bool = True) -> str | None:
        """Build in a chroot, and push."""
        async with _private_folder(build, self.logins, self.environ) as folder:
            (folder / MARK).touch()
            temporary = folder / "tmp"
            temporary.mkdir()
            environ = {
                **self.environ,
                "REGISTRY_AUTH_FILE": str(folder / "config.json"),
                "TMPDIR": str(temporary),
            }
            try:
                return await self._build(build, tell, folder, environ, push=push)
            except BaseException:
                with (
                    suppress(OSError),  # without the program there are no containers
                    anyio.move_on_after(CLEANUP_SECONDS, shield=True),
                ):
                    await self._remove_containers(folder)
                raise

    async def _build(
        self, build: Build, tell: Tell, folder: Path, environ: Mapping[str, str], *, push: bool
    ) -> str | None:
        ended = await _run(self._build_args(build, folder), environ, build, tell)
        if ended.code != 0:
            raise build.broken(f" with {ended.ending}", ended.said)
        if not push:
            return None

        async def send(_login: object) -> str:
            await _write_logins(folder, build, self.logins)  # those of before may have ended
            ended = await _run(self._push_args(build, folder), environ, build, tell)
            if ended.code != 0:
                raise build.unpushed(ended.ending, ended.said)
            return (folder / "digest").read_text("utf-8").strip()

        return await pushed(build, self.logins, tell, send)

    async def _remove_containers(self, folder: Path) -> None:
        """Remove the working containers of a build that was killed: secrets are in them.

        They are known by the path of the mark, which is among the secrets that each was given.
        """
        podman = self.name == "podman"
        field = "{{.Store.GraphRoot}}" if podman else "{{.store.GraphRoot}}"
        environ = _without_logins(self.environ)
        asked = await run_program([self.program, "info", "--format", field], environ=environ)
        root = Path(asked.output.decode().strip())
        for container in await anyio.to_thread.run_sync(_marked, root, str(folder / MARK)):
            remove = ["rm", *(["--force"] if podman else []), container]
            await run_program([self.program, *remove], environ=environ)

    def _build_args(self, build: Build, folder: Path) -> list[str]:
        settings = build.settings
        cache = "--no-cache" if settings.no_cache else "--layers"
        args = [self.program, "build", "--isolation", "chroot", "--platform", PLATFORM, cache]
        args += ["--file", str(build.file), "--ignorefile", str(folder / "ignore")]
        args += ["--tag", str(build.image), *_insecure(build.dockerfile.images)]
        if settings.target:
            args += ["--target", settings.target]
        args += _options("--build-arg", settings.args) + _options("--label", settings.labels)
        args += _secret_options(build, folder)
        args += ["--secret", f"id={MARK},src={folder / MARK}"]
        return [*args, str(settings.folder)]

    def _push_args(self, build: Build, folder: Path) -> list[str]:
        args = [self.program, "push", "--digestfile", str(folder / "digest")]
        args += _insecure({build.image})
        if build.settings.compression:
            args += ["--compression-format", build.settings.compression]
        level = build.settings.compression_level
        if level is not None and self.name == "buildah":
            args += ["--compression-level", str(level)]
        return [*args, str(build.image)]


@frozen(kw_only=True)
class BuildctlBuilder:
    """Builds by the BuildKit daemon that `BUILDKIT_HOST` names."""

    program: str
    logins: Logins
    environ: Mapping[str, str]
    name: str = "buildkit"

    async def build(self, build: Build, tell: Tell, *, push: bool = True) -> str | None:
        """Have it build and push in one go."""
        async with _private_folder(build, self.logins, self.environ) as folder:
            # Its ignore file is the one beside its Dockerfile.
            (folder / "Dockerfile").write_bytes(build.file.read_bytes())
            (folder / "Dockerfile.dockerignore").write_text(build.ignored, "utf-8")
            environ = {**self.environ, "DOCKER_CONFIG": str(folder)}
            ended = await _run(self._args(build, folder, push=push), environ, build, tell)
            if ended.code != 0:
                raise _failed(build, ended)
            if not push:
                return None
            told = json.loads((folder / "metadata").read_text("utf-8"))
            return str(told["containerimage.digest"])

    def _args(self, build: Build, folder: Path, *, push: bool) -> list[str]:
        settings = build.settings
        # Its registry.insecure would try TLS first, and leave the login out of uploads after that;
        # to a registry on its own computer it speaks plain HTTP by itself.
        output = f"type=image,name={build.image},push={'true' if push else 'false'}"
        if settings.compression:
            output += f",compression={settings.compression},force-compression=true"
        if settings.compression_level is not None:
            output += f",compression-level={settings.compression_level}"
        chosen = {
            "filename": "Dockerfile",
            "platform": PLATFORM,
            **({"target": settings.target} if settings.target else {}),
            **{f"build-arg:{name}": value for name, value in settings.args.items()},
            **{f"label:{name}": value for name, value in settings.labels.items()},
        }
        args = [self.program, "build", "--progress=plain", "--frontend=dockerfile.v0"]
        args += ["--local", f"context={settings.folder}", "--local", f"dockerfile={folder}"]
        args += _options("--opt", chosen)
        args += _secret_options(build, folder)
        if settings.no_cache:
            args.append("--no-cache")
        return [*args, "--output", output, "--metadata-file", str(folder / "metadata")]


@asynccontextmanager
async def _private_folder(
    build: Build, logins: Logins, environ: Mapping[str, str]
) -> AsyncIterator[Path]:
    """A folder only we can read, with `config.json`, `ignore` and the secrets as `secret-N`.

    It lies in `TMPDIR`, else where buildah and podman have such folders by themselves. On
    cancellation its secrets are gone before a program ends: who interrupts again waits no longer.
    """
    files = {"ignore": build.ignored}
    secrets = build.settings.secrets.values()
    files |= {f"secret-{number}": value.reveal() for number, value in enumerate(secrets)}
    place = next(filter(os.path.isdir, (environ.get("TMPDIR", ""), DISK)), None)
    folder = Path(await anyio.to_thread.run_sync(lambda: mkdtemp(prefix="score-flyio-", dir=place)))
    with undone_at_the_end(partial(_remove, folder)):
        try:
            for name, content in files.items():
                await anyio.Path(folder / name).write_text(content, "utf-8")
            await _write_logins(folder, build, logins)
            async with beside(_forget_first, folder):
                yield folder
        finally:
            with anyio.CancelScope(shield=True):
                await anyio.to_thread.run_sync(_remove, folder)


async def _forget_first(folder: Path) -> None:
    try:
        await anyio.sleep_forever()
    finally:
        _forget(folder)


def _forget(folder: Path) -> None:
    """Remove logins and secrets."""
    for file in (folder / "config.json", *folder.glob("secret-*")):
        file.unlink(missing_ok=True)


async def _write_logins(folder: Path, build: Build, logins: Logins) -> None:
    """`config.json`: those for the images of the build, as they are now."""
    found = await logins.find_all({build.image, *build.dockerfile.images})
    auths = {
        key: {"identitytoken": login.password.reveal()}
        if login.is_identity
        else {"auth": login.in_base64}
        for key, login in found.items()
    }
    await anyio.Path(folder / "config.json").write_text(json.dumps({"auths": auths}), "utf-8")


def _marked(root: Path, mark: str) -> list[str]:
    """The working containers in a storage whose state has the mark, while others come and go."""
    found: list[str] = []
    for folder in root.glob("*-containers"):
        for container in list(folder.iterdir()):
            try:
                state = (container / "userdata" / "buildah.json").read_text("utf-8", "replace")
            except (FileNotFoundError, NotADirectoryError):
                continue
            if mark in state:
                found.append(container.name)
    return found


def _remove(folder: Path) -> None:
    """Remove a folder, but never what is mounted in it: it belongs to the computer."""
    try:
        mounted = f" {folder}/" in Path("/proc/self/mountinfo").read_text("utf-8", "replace")
    except OSError:
        mounted = False
    for path in folder.iterdir():
        if path.is_file():
            path.unlink()
    if not mounted:
        shutil.rmtree(folder)


async def _run(args: Sequence[str], environ: Mapping[str, str], build: Build, tell: Tell) -> Ended:
    """Run a program and pass on what it says. Raises ImageError when it cannot be started."""

    def listen(line: str) -> None:
        cached = "Using cache" in line or line.endswith(" CACHED")
        text = _TIMED.sub("", line, count=1)
        tell(Progress(text=text, step=_STEP.match(line) is not None, cached=cached))

    try:
        return await run_program(args, environ=_without_logins(environ), listen=listen)
    except OSError as error:
        raise build.failed(
            f"{args[0]} cannot be run: {system_reason(error)}",
            hint="choose another way with --builder",
            code="builder_unavailable",
        ) from error


def _without_logins(environ: Mapping[str, str]) -> dict[str, str]:
    """What a program inherits: its logins are in our file, with those that are newer."""
    kept_back = OWN | {IN_THE_ENVIRONMENT}
    return {name: value for name, value in environ.items() if name not in kept_back}


def _failed(build: Build, ended: Ended) -> ImageError:
    """The error for a call of buildctl that failed, whose last line says at what."""
    last = next((line for line in reversed(ended.said) if line.startswith("error: ")), "")
    if f"failed to push {build.image}" in last:
        return build.unpushed(ended.ending, ended.said)
    code = _STEPS_CODE.search(last)
    ending = f"exit code {code[1]}" if code else ended.ending
    return build.broken(f" with {ending}", ended.said)


def _options(name: str, values: Mapping[str, str]) -> list[str]:
    return [text for key, value in values.items() for text in (name, f"{key}={value}")]


def _secret_options(build: Build, folder: Path) -> list[str]:
    """The files of the secrets, as all these programs take them."""
    return [
        text
        for number, name in enumerate(build.settings.secrets)
        for text in ("--secret", f"id={name},src={folder / f'secret-{number}'}")
    ]


def _insecure(images: Iterable[ImageReference]) -> list[str]:
    """For images of a registry that is spoken to over plain HTTP."""
    plain = any(base_url(image.host).startswith("http:") for image in images)
    return ["--tls-verify=false"] if plain else []
