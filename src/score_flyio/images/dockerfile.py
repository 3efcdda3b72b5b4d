"""What is read in a Dockerfile before a builder gets it: its stages, and images it begins with."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Mapping
from typing import Final

from score_flyio.base.record import frozen
from score_flyio.errors import InputError, Problem
from score_flyio.images.reference import PLATFORM, ImageReference

_LOOSE: Final = re.IGNORECASE | re.DOTALL
_INSTRUCTION: Final = re.compile(r"\s*(?:ONBUILD\s+)?(?P<name>[a-z]+)\s+(?P<rest>.*)", _LOOSE)
_FROM: Final = re.compile(r"(?P<image>\S+)(?:\s+AS\s+(?P<stage>\S+))?\s*", re.IGNORECASE)
_FLAG: Final = re.compile(
    r"""\s*--(?P<flag>(?:"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|\\.|[^\s"'\\])+)"""
)
_DECLARED: Final = re.compile(r"""(?P<name>\w+)(?:=(?P<default>(?:"[^"]*"|'[^']*'|[^\s"'])*))?""")
_VARIABLE: Final = re.compile(
    r"\$(?:(?P<bare>\w+)|\{(?P<name>\w+)(?:(?P<sign>:?[-+?])(?P<word>[^{}]*))?\})"
)
_HEREDOC: Final = re.compile(
    r"""(?<!\S)\d*<<(?P<indented>-?)(?P<quote>["']?)(?P<end>[^\s<"']+)(?P=quote)(?!\S)"""
)
_WITH_HEREDOC: Final = frozenset({"run", "copy", "add"})
_DIRECTIVE: Final = re.compile(r"#\s*(?P<name>syntax|escape|check)\s*=\s*(?P<value>\S+).*", _LOOSE)
_NESTED: Final = 10
"""How deep variables are looked for in the defaults of others."""
_PREDEFINED: Final = {
    f"{machine}{part}": value
    for machine in ("TARGET", "BUILD")
    for part, value in (("PLATFORM", PLATFORM), ("OS", "linux"), ("ARCH", "amd64"))
}


@frozen(kw_only=True)
class Dockerfile:
    """The parts that matter here."""

    stages: tuple[str, ...]
    """Their names in lower case, empty where a stage has none."""
    images: frozenset[ImageReference]
    """Those that it names, and that of what reads it (`# syntax=`)."""
    secrets: tuple[str, ...] = ()
    """Ids of the secrets that its steps ask for."""

    def has_stage(self, target: str) -> bool:
        """Whether there is a stage of that name or number."""
        numbered = _is_number(target) and int(target) < len(self.stages)
        return numbered or target.lower() in self.stages


def read_dockerfile(text: str, *, file: str, args: Mapping[str, str] | None = None) -> Dockerfile:
    """Look through a Dockerfile; `args` replace the defaults of its ARGs.

    Raises InputError when nothing can be built from it.
    """
    stages: list[str] = []
    secrets: list[str] = []
    known = dict(_PREDEFINED)
    lines = [line.removesuffix("\r") for line in text.removeprefix("\ufeff").split("\n")]
    directives = _directives(lines)
    reader = (args or {}).get("BUILDKIT_SYNTAX") or directives.get("syntax", "scratch")
    found = _references(reader, stages)
    for name, whole in _instructions(lines, directives.get("escape", "\\")):
        flags, rest = _flags(whole)
        images = [value for flag, value in flags if flag == "from" and name == "copy"]
        for mount in (value for flag, value in flags if flag == "mount" and name == "run"):
            options = _options(mount)
            images += [options["from"]] if "from" in options else []
            secrets += [_secret(options)] if options.get("type", "").lower() == "secret" else []
        begun = _FROM.fullmatch(rest) if name == "from" else None
        images += [begun["image"]] if begun is not None else []
        for image in images:
            found |= _references(_filled(image, known).strip("\"'"), stages)
        if name == "arg" and not stages:
            _declare(rest, known, args or {})
        if begun is not None:
            stages.append((begun["stage"] or "").lower())
    if not stages:
        problem = Problem(
            message="there is no FROM in it",
            file=file,
            hint="a Dockerfile begins with FROM and an image",
            code="dockerfile_invalid",
        )
        raise InputError(problems=[problem])
    return Dockerfile(
        stages=tuple(stages),
        images=frozenset(found),
        secrets=tuple(name for name in dict.fromkeys(secrets) if name and "$" not in name),
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
        name, sign, word = variable["bare"] or variable["name"], variable["sign"], variable["word"]
        found = known.get(name)
        there = bool(found) if sign and sign.startswith(":") else found is not None
        if sign and sign.endswith("+"):
            return word if there else ""
        return (found if there or sign is None or sign.endswith("?") else word) or ""

    for _ in range(_NESTED):
        text, count = _VARIABLE.subn(value, text)
        if not count:
            break
    return text


def _directives(lines: list[str]) -> dict[str, str]:
    """What the comments at the very top tell the reader, until one that tells it nothing."""
    found: dict[str, str] = {}
    for line in lines:
        directive = _DIRECTIVE.fullmatch(line)
        if directive is None:
            break
        found.setdefault(directive["name"].lower(), directive["value"])
    return found


def _instructions(lines: list[str], escape: str) -> Iterator[tuple[str, str]]:
    """Names in lower case and the rest, without comments and documents within."""
    goes_on = re.compile(rf"(?<!{re.escape(escape)}){re.escape(escape)}[ \t]*\Z")
    left = iter(lines)
    unindented = {line.lstrip("\t") for line in lines}
    whole = ""
    for line in left:
        if not line.strip() or line.lstrip().startswith("#"):
            continue  # within an instruction, too
        whole += line
        if goes_on.search(whole):
            whole = goes_on.sub("", whole)
            continue
        instruction = _INSTRUCTION.fullmatch(whole)
        whole = ""
        if instruction is None:
            continue
        name, rest = instruction["name"].lower(), instruction["rest"]
        yield name, rest
        if name in _WITH_HEREDOC:
            for document in _HEREDOC.finditer(rest):
                # What ends nowhere is none: an older builder takes it for text of the shell.
                end, indented = document["end"], document["indented"]
                if end in (unindented if indented else lines):
                    within = (line.lstrip("\t") if indented else line for line in left)
                    next((line for line in within if line == end), None)
    if (instruction := _INSTRUCTION.fullmatch(whole)) is not None:
        yield instruction["name"].lower(), instruction["rest"]


def _flags(rest: str) -> tuple[list[tuple[str, str]], str]:
    """The options of an instruction, each a name and its value, and what comes after them."""
    found: list[tuple[str, str]] = []
    while (flag := _FLAG.match(rest)) is not None:
        name, _, value = re.sub(r"\\(.)|[\"']", r"\1", flag["flag"]).partition("=")
        found.append((name.lower(), value))
        rest = rest[flag.end() :]
    return found, rest.lstrip()


def _options(mount: str) -> dict[str, str]:
    pairs = (each.partition("=") for each in mount.split(","))
    return {name.lower(): value for name, _, value in pairs}


def _secret(mount: Mapping[str, str]) -> str:
    """The id of a secret: without one it is the name of the file that the secret becomes."""
    names = ("id", "source", "src", "target", "dst", "destination")
    found = next(((name, mount[name]) for name in names if mount.get(name)), ("", ""))
    return found[1] if found[0] in names[:3] else posixpath.basename(found[1])


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit()


def _references(image: str, stages: list[str]) -> set[ImageReference]:
    """An image by its name; none for stages, `scratch` and what is no name of an image."""
    if image.lower() in stages or _is_number(image) or image == "scratch":
        return set()
    try:
        return {ImageReference.parse(image)}
    except InputError:
        return set()
