"""What is read in a Dockerfile before a builder gets it: its stages, and images it begins with."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Final

from score_flyio.base.record import frozen
from score_flyio.errors import InputError, Problem
from score_flyio.images.reference import ImageReference

_FROM: Final = re.compile(
    r"\s*FROM\s+(?:--\S+\s+)*(?P<image>\S+)(?:\s+AS\s+(?P<stage>\S+))?\s*", re.IGNORECASE
)
_COPY: Final = re.compile(r"\s*COPY\s+(?:--\S+\s+)*?--from=(?P<image>\S+)\s", re.IGNORECASE)
_MOUNTED: Final = re.compile(r"--mount=(?:\S*,)?from=(?P<image>[^\s,]+)")
_ARG: Final = re.compile(r"\s*ARG\s+(?P<declared>.*)", re.IGNORECASE)
_DECLARED: Final = re.compile(r"""(?P<name>\w+)(?:=(?P<default>(?:"[^"]*"|'[^']*'|[^\s"'])*))?""")
_VARIABLE: Final = re.compile(
    r"\$(?:(?P<bare>\w+)|\{(?P<name>\w+)(?::?(?P<sign>[-+])(?P<word>[^{}]*))?\})"
)
_HEREDOC: Final = re.compile(r"""(?<!\S)\d*<<-?(["']?)(?P<end>\w+)\1(?!\S)""")
_WITH_HEREDOC: Final = re.compile(r"\s*(?:RUN|COPY|ADD)\s", re.IGNORECASE)
_PREDEFINED: Final = {
    f"{machine}{part}": value
    for machine in ("TARGET", "BUILD")
    for part, value in (("PLATFORM", "linux/amd64"), ("OS", "linux"), ("ARCH", "amd64"))
}
_SECRET: Final = re.compile(r"--mount=(?=\S*\btype=secret\b)\S*?\bid=(?P<id>[^\s,]+)")


@frozen(kw_only=True)
class Dockerfile:
    """The parts that matter here."""

    stages: tuple[str, ...]
    """Their names in lower case, empty where a stage has none."""
    hosts: frozenset[str]
    """Registries of the images that it names."""
    secrets: tuple[str, ...] = ()
    """Ids of the secrets that its steps ask for."""

    def has_stage(self, target: str) -> bool:
        """Whether there is a stage of that name or number."""
        numbered = target.isdigit() and int(target) < len(self.stages)
        return numbered or target.lower() in self.stages


def read_dockerfile(text: str, *, file: str, args: Mapping[str, str] | None = None) -> Dockerfile:
    """Look through a Dockerfile; `args` replace the defaults of its ARGs.

    Raises InputError when nothing can be built from it.
    """
    stages: list[str] = []
    hosts: set[str] = set()
    secrets: list[str] = []
    known = dict(_PREDEFINED)
    for line in _instructions(text):
        secrets += _SECRET.findall(line)
        if not stages and (declaration := _ARG.fullmatch(line)):
            _declare(declaration["declared"], known, args or {})
        from_, copy = _FROM.fullmatch(line), _COPY.match(line)
        images = [each["image"] for each in (from_, copy) if each]
        images += [each["image"] for each in _MOUNTED.finditer(line)]
        for image in images:
            hosts |= _hosts(_filled(image, known).strip("\"'"), stages)
        if from_ is not None:
            stages.append((from_["stage"] or "").lower())
    if not stages:
        problem = Problem(
            message="there is no FROM in it",
            file=file,
            hint="a Dockerfile begins with FROM and an image",
            code="dockerfile_invalid",
        )
        raise InputError(problems=[problem])
    return Dockerfile(
        stages=tuple(stages), hosts=frozenset(hosts), secrets=tuple(dict.fromkeys(secrets))
    )


def _declare(declared: str, known: dict[str, str], args: Mapping[str, str]) -> None:
    """Add what an ARG before the first FROM declares."""
    for each in _DECLARED.finditer(declared):
        name, default = each["name"], each["default"]
        if name in args:
            known[name] = args[name]
        elif default is not None:
            known[name] = re.sub("[\"']", "", _filled(default, known))


def _filled(text: str, known: Mapping[str, str]) -> str:
    """A text with its variables filled in; unknown ones are empty."""

    def value(variable: re.Match[str]) -> str:
        found = known.get(variable["bare"] or variable["name"], "")
        if variable["sign"] == "+":
            return variable["word"] if found else ""
        return found or variable["word"] or ""

    return _VARIABLE.sub(value, text)


def _instructions(text: str) -> Iterator[str]:
    """Lines that go together as one, without comments and documents within."""
    whole, ends = "", list[str]()
    lines = text.splitlines()
    unindented = {line.lstrip("\t") for line in lines}
    for line in lines:
        if ends:
            if line.lstrip("\t") == ends[0]:
                del ends[0]
            continue
        if line.lstrip().startswith("#"):
            continue
        whole += line
        if whole.rstrip().endswith("\\"):
            whole = whole.rstrip()[:-1] + " "
            continue
        if _WITH_HEREDOC.match(whole):
            found = [each["end"] for each in _HEREDOC.finditer(whole)]
            # What ends nowhere is no document: an older builder takes it for text of the shell.
            ends = [end for end in found if end in unindented]
        yield whole
        whole = ""
    yield whole


def _hosts(image: str, stages: list[str]) -> set[str]:
    """The registry of an image; none for stages, `scratch` and what is no name of an image."""
    if image.lower() in stages or image.isdigit() or image == "scratch":
        return set()
    try:
        return {ImageReference.parse(image).host}
    except InputError:
        return set()
