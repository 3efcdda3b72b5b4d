"""What is built: a Dockerfile and the files around it, for one workload."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Mapping
from hashlib import sha256
from math import inf
from pathlib import Path
from typing import Final, Literal, Protocol, TypeAlias

import anyio

from score_flyio.base.input_file import read_input
from score_flyio.base.own_folder import OWN_FOLDER
from score_flyio.base.printable import system_reason
from score_flyio.base.record import evolve, field, frozen
from score_flyio.base.secret import Secret, masked
from score_flyio.errors import ImageError, InputError, ScoreFlyError
from score_flyio.images.context import Context, added_entry, hash_of, list_context
from score_flyio.images.dockerfile import Dockerfile, read_dockerfile
from score_flyio.images.dockerignore import read_rules
from score_flyio.images.reference import ImageReference

DOCKERFILES: Final = ("Dockerfile", "dockerfile", "Containerfile")
IGNORE_FILE: Final = ".dockerignore"
WITHOUT_IGNORE_FILE: Final = "fly.toml\n"
NEVER: Final = f"**/{OWN_FOLDER}\n"
"""Left out whatever the ignore file says: secrets are in the state, and each deploy changes it."""
LINES_IN_ERROR: Final = 20
OUTSIDE: Final = ".dockerfile-from-outside"
"""The path of a Dockerfile that lies outside of the folder."""


@frozen(kw_only=True)
class BuildSettings:
    """What somebody wants built. Paths that are not absolute start at the working folder."""

    name: str
    """The workload or app, for messages."""
    folder: Path
    dockerfile: Path | None = None
    """None: the usual names are looked for."""
    ignorefile: Path | None = None
    target: str = ""
    args: Mapping[str, str] = field(factory=dict)
    labels: Mapping[str, str] = field(factory=dict)
    secrets: Mapping[str, Secret] = field(factory=dict, repr=False)
    no_cache: bool = False
    compression: Literal["", "gzip", "zstd"] = ""
    compression_level: int | None = None
    network: str = ""
    """The network of RUN in a Docker daemon; empty: as it has it."""


@frozen(kw_only=True)
class Build:
    """The same with its files found and listed, and its name."""

    settings: BuildSettings
    image: ImageReference
    """The tag that it gets."""
    file: Path
    """The Dockerfile."""
    dockerfile: Dockerfile
    ignored: str
    """What the ignore file leaves out, in a form that every builder reads alike."""
    context: Context
    path: str
    """The Dockerfile within the folder."""

    @property
    def is_apart(self) -> bool:
        """Whether no step sees the Dockerfile: it is left out, or lies outside of the folder."""
        return any(entry.content is not None for entry in self.context.entries)

    def failed(
        self, message: str, *, hint: str | None = None, code: str = "build_failed"
    ) -> ImageError:
        return ImageError(f"{self.settings.name}: {message}", hint=hint, code=code)

    def broken(self, reason: str, said: Iterable[str]) -> ImageError:
        """The error that a step of it failed, with the last that the builder said."""
        missing = [name for name in self.dockerfile.secrets if name not in self.settings.secrets]
        options = " ".join(f"--build-secret {name}=…" for name in missing)
        hint = f"its Dockerfile asks for secrets that are not given: {options}" if missing else None
        return self.failed(f"the build failed{reason}{_last_of(said)}", hint=hint)

    def unpushed(self, reason: str, said: Iterable[str] = ()) -> ImageError:
        """The error that it cannot be pushed, with the last that the builder said."""
        return self.failed(
            f"{self.image} cannot be pushed: {reason}{_last_of(said)}",
            hint=f"check that you may push to {self.image.host}, and that it has room",
            code="push_failed",
        )


@frozen(kw_only=True)
class Progress:
    """Something that a builder did or said."""

    text: str = ""
    """Empty: it goes on, and has nothing to show for it."""
    step: bool = False
    """Whether a step began; else it is a line of output."""
    cached: bool = False
    """Whether the step was not carried out anew."""


Tell: TypeAlias = Callable[[Progress], None]


class Builder(Protocol):
    """A way to build images."""

    @property
    def name(self) -> str:
        """What `--builder` calls it."""

    async def build(self, build: Build, tell: Tell, *, push: bool = True) -> str | None:
        """Build the image, give it its tag, and push it; the digest, when it was pushed.

        Whatever it does is told, as one that is silent for too long is cancelled.

        Raises ImageError. On cancellation nothing is left of it.
        """


async def built(
    builder: Builder, build: Build, tell: Tell, *, push: bool, idle_timeout: float
) -> str | None:
    """What the builder's `build` returns, unless it makes no progress for so many seconds; 0: ever.

    Steps may print the secrets that they are given: nothing that is told or raised has them.

    Raises ImageError.
    """
    last, longest, secrets = "", idle_timeout or inf, tuple(build.settings.secrets.values())
    with anyio.move_on_after(longest) as alive:

        def listen(progress: Progress) -> None:
            nonlocal last
            alive.deadline = anyio.current_time() + longest
            if progress.text:
                last = masked(progress.text, secrets)
                tell(evolve(progress, text=last))

        try:
            return await builder.build(build, listen, push=push)
        except ScoreFlyError as error:
            error.hide(secrets)
            raise
    raise build.failed(
        f"{builder.name} made no progress with {build.image} for {idle_timeout:g} seconds, and was "
        f"ended; {f'the last that it said: {last}' if last else 'it never said anything'}",
        hint="see whether the registry, the network and the builder work; where a step may be "
        "silent for longer, give more time with --build-idle-timeout",
        code="build_stalled",
    )


async def prepare(settings: BuildSettings, image: ImageReference) -> Build:
    """Find and read what is built; contents are read when they are sent.

    Raises InputError for a Dockerfile or ignore file that is wrong or not there, and ImageError for
    a context that cannot be read.
    """
    return await anyio.to_thread.run_sync(_prepare, settings, image)


async def content_tag(build: Build) -> str:
    """A tag that is the same for the same files, arguments, target and compression.

    Secrets do not count, as they are not for the image to depend on.
    """
    digest = await anyio.to_thread.run_sync(hash_of, build.context)
    settings = build.settings
    args, labels = sorted(settings.args.items()), sorted(settings.labels.items())
    packed = (settings.compression, settings.compression_level)
    parts = (digest, build.path, settings.target, args, labels, packed)
    return f"content-{sha256(repr(parts).encode()).hexdigest()[:32]}"


def _prepare(settings: BuildSettings, image: ImageReference) -> Build:
    file = _dockerfile(settings)
    text = _read(file, "Dockerfile", settings)
    dockerfile = read_dockerfile(text, file=str(file), args=settings.args)
    if settings.target and not dockerfile.has_stage(settings.target):
        there = ", ".join(filter(None, dockerfile.stages)) or "no stage has a name"
        raise InputError(
            f"{settings.name}: {file}: there is no stage {settings.target!r}",
            hint=f"the target is one of the stages: {there}",
            code="build_target_missing",
        )
    folder, place = settings.folder.resolve(), file.resolve()
    inside = place.relative_to(folder).as_posix() if place.is_relative_to(folder) else None
    ignore, ignored = _ignored(settings, file)
    rules = read_rules(f"{ignored}\n{NEVER}", file=str(ignore))
    path = inside or OUTSIDE
    apart = inside is None or rules.leaves_out(inside)
    added = [added_entry(path, text.encode())] if apart else []
    return Build(
        settings=evolve(settings, folder=folder),
        image=image,
        file=place,
        dockerfile=dockerfile,
        ignored=rules.text,
        context=list_context(folder, rules, *added),
        path=path,
    )


def _last_of(said: Iterable[str]) -> str:
    return "".join(f"\n  {line}" for line in deque(said, maxlen=LINES_IN_ERROR))


def _dockerfile(settings: BuildSettings) -> Path:
    if settings.dockerfile is not None:
        return settings.dockerfile
    for name in DOCKERFILES:
        if (settings.folder / name).is_file():
            return settings.folder / name
    what = "Dockerfile in" if settings.folder.is_dir() else "folder"
    raise InputError(
        f"{settings.name}: there is no {what} {settings.folder}",
        hint="write one, name it with --dockerfile, or give an image with --image",
        code="dockerfile_missing",
    )


def _ignored(settings: BuildSettings, file: Path) -> tuple[Path, str]:
    usual = (file.with_name(f"{file.name}.dockerignore"), settings.folder / IGNORE_FILE)
    found = settings.ignorefile or next(filter(Path.is_file, usual), None)
    if found is None:
        return usual[-1], WITHOUT_IGNORE_FILE
    return found, _read(found, "ignore file", settings)


def _read(file: Path, what: str, settings: BuildSettings) -> str:
    try:
        return read_input(file).decode()
    except (OSError, UnicodeDecodeError) as error:
        reason = system_reason(error, "it is not UTF-8")
        raise InputError(
            f"{settings.name}: {file}: the {what} cannot be read: {reason}",
            hint=f"name another one with --{what.replace(' ', '').lower()}",
            code="build_file_unreadable",
        ) from error
