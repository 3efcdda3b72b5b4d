"""Names of images: `[HOST/]REPOSITORY[:TAG][@DIGEST]`, by the grammar of Docker. Pure."""

from __future__ import annotations

import re
from typing import Final

from score_flyio.base.misspelt import did_you_mean
from score_flyio.base.record import evolve, frozen
from score_flyio.errors import InputError

DOCKER_HUB: Final = "docker.io"
DEFAULT_TAG: Final = "latest"
PLATFORM: Final = "linux/amd64"
"""What Fly's machines run."""
LONGEST_NAME: Final = 255

_HUB_NAMES: Final = frozenset(
    {
        DOCKER_HUB,
        "index.docker.io",
        "registry-1.docker.io",
        "registry.hub.docker.com",
        "docker-hub-mirror.fly.io",
    }
)
"""Hosts with the images of Docker Hub; through the last one flyctl has them (flyctl)."""

_LABEL: Final = r"[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?"
_HOST: Final = re.compile(rf"(?:{_LABEL}(?:\.{_LABEL})*|\[[0-9a-fA-F:]+\])(?::[0-9]{{1,5}})?")
_COMPONENT: Final = r"[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*"
_REPOSITORY: Final = re.compile(rf"{_COMPONENT}(?:/{_COMPONENT})*")
_TAG: Final = re.compile(r"[0-9A-Za-z_][0-9A-Za-z_.-]{0,127}")
_DIGEST: Final = re.compile(r"sha256:[0-9a-f]{64}|sha384:[0-9a-f]{96}|sha512:[0-9a-f]{128}")
_ID: Final = re.compile(r"(?:sha256:)?[0-9a-f]{64}")
_HOST_WITH_A_WORD: Final = re.compile(rf"{_LABEL}(?:\.{_LABEL})*:(?P<word>.*[^0-9].*)")


@frozen(kw_only=True)
class ImageReference:
    """The name of an image in its parts, as they are written out."""

    host: str
    """Registry with its port."""
    repository: str
    tag: str = ""
    """Empty where none was given."""
    digest: str = ""

    @classmethod
    def parse(cls, text: str) -> ImageReference:
        """Take a name apart; a short one is that of an image of Docker Hub.

        Raises InputError, which says what is wrong with it.
        """
        found = cls.split(text)
        if wrong := _wrong_with(text, found):
            message, hint = wrong
            raise InputError(
                f"{text!r} is not the name of an image: {message}", hint=hint, code="image_invalid"
            )
        return found

    @classmethod
    def split(cls, text: str) -> ImageReference:
        """The parts of what the platform tells for a name, whatever that is."""
        name, _, digest = text.partition("@")
        host, slash, rest = name.partition("/")
        named = "." in host or ":" in host or host == "localhost" or host != host.lower()
        if not slash or not named:
            host, rest = DOCKER_HUB, name
        host = DOCKER_HUB if host in _HUB_NAMES else host
        repository, _, tag = rest.partition(":")
        if host == DOCKER_HUB and "/" not in repository:
            repository = f"library/{repository}"
        return cls(host=host, repository=repository, tag=tag, digest=digest)

    @property
    def name(self) -> str:
        """Host and repository; without one, the registry itself is meant."""
        return f"{self.host}/{self.repository}" if self.repository else self.host

    @property
    def version(self) -> str:
        """What a registry is asked for: the digest decides before the tag."""
        return self.digest or self.tag or DEFAULT_TAG

    def at(self, digest: str) -> ImageReference:
        """The same image, held by its digest."""
        return evolve(self, digest=digest)

    def __str__(self) -> str:
        """The whole name, with host."""
        tag = f":{self.tag}" if self.tag else ""
        return f"{self.name}{tag}@{self.digest}" if self.digest else f"{self.name}{tag}"


def held(image: str, digest: str) -> str:
    """`name:tag` as `name:tag@digest`: the image that this means now, and no difference from it.

    Without a tag `latest` is meant, and `name@digest` would be no longer known to come from it.
    """
    if "@" in image:
        return image
    tag = "" if ImageReference.split(image).tag else f":{DEFAULT_TAG}"
    return f"{image}{tag}@{digest}"


def _wrong_with(text: str, found: ImageReference) -> tuple[str, str] | None:
    """What is wrong, and what to write instead."""
    bare, pinned, _ = text.partition("@")
    example = "write [HOST/]NAME[:TAG][@DIGEST], such as nginx:1.27 or ghcr.io/acme/shop:2"
    if "$" in text:
        return "variables are not filled in here", "give the image with --image, or in an override"
    if not text or any(character.isspace() for character in text):
        return ("it has spaces in it" if text else "it is empty"), example
    if "://" in text:
        return "it starts with a scheme", "leave out everything up to ://"
    if not _HOST.fullmatch(found.host):
        tagged = _HOST_WITH_A_WORD.fullmatch(found.host)
        hint = "a port is a number, and a tag has no / in it"
        return f"{found.host!r} is not the name of a registry", hint if tagged else example
    if not _REPOSITORY.fullmatch(found.repository):
        lower = found.repository.lower()
        if _REPOSITORY.fullmatch(lower):
            whole = found.repository
            written = whole if whole in text else whole.removeprefix("library/")
            meant = text.replace(written, written.lower(), 1)
            return "capital letters are allowed in tags only", did_you_mean(repr(meant))
        return f"{found.repository!r} is not the name of a repository", example
    if _ID.fullmatch(text):
        return "it is the id of an image", "give a name that a registry knows"
    if len(found.name) > LONGEST_NAME:
        return f"it is longer than {LONGEST_NAME} characters", "use a shorter name"
    if (found.tag or bare.endswith(":")) and not _TAG.fullmatch(found.tag):
        hint = "a tag has letters, digits, _, . and -, at most 128, and starts with none of . and -"
        return f"{found.tag!r} is not a tag", hint
    if pinned and not _DIGEST.fullmatch(found.digest):
        hint = "a digest is sha256: and 64 digits of 0-9 and a-f; leave out @ to use the tag"
        return f"{found.digest!r} is not a digest", hint
    return None
