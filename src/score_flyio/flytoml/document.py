"""Reading a fly.toml: parse, rewrite old spellings, decode, validate, look for unknown names."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Final

from score_flyio.base.document import MAY_BE_MISSING, Document
from score_flyio.base.place import path_of
from score_flyio.base.record import Factory, evolve, field, frozen
from score_flyio.errors import ConfigError, Failure, Problem
from score_flyio.flytoml.decode import decode
from score_flyio.flytoml.findings import finding, recorded
from score_flyio.flytoml.legacy import normalise
from score_flyio.flytoml.lines import key_lines, line_for, yaml_lines
from score_flyio.flytoml.parse import FileFormat, Tree, parse
from score_flyio.flytoml.remarks import doubtful, open_secrets, unused
from score_flyio.flytoml.schema import Shape, keys_of
from score_flyio.flytoml.spec import AppSpec
from score_flyio.flytoml.validate import undeployable, validate, warnings_of

_UNSEEN: Final = frozenset({"services", "mounts", "vm", "metrics"})


@frozen(kw_only=True)
class StrictReport(Document):
    """Outcome of strict mode, with the names of the outcome file of flyctl."""

    valid: bool
    """No unknown name, and valid by the ordinary rules."""
    unrecognized_sections: tuple[str, ...] = ()
    """Unknown top-level names."""
    unrecognized_keys: dict[str, tuple[str, ...]] = Factory(dict)
    """Path of a section, with list indices → unknown names in it."""


@frozen(kw_only=True)
class Remark(Document):
    """What flyctl remarks."""

    field: str
    """Where in the file."""
    code: str
    """Stable name of the kind."""


@frozen(kw_only=True)
class Finding(Remark):
    """What flyctl refuses."""

    stage: str
    """Of reading the file."""


@frozen(kw_only=True)
class Verdict(Document):
    """Whether a fly.toml is accepted."""

    valid: bool
    problems: tuple[Problem, ...]
    """All that is wrong."""
    errors: tuple[Finding, ...]
    """What flyctl refuses, with the members that it has."""
    warnings: tuple[Remark, ...]
    """What flyctl remarks."""
    strict: StrictReport | None
    """Outcome of strict mode; null where the file cannot be decoded."""
    error: Failure | None = field(default=None, metadata=MAY_BE_MISSING)
    """Why there is no file to judge."""


@frozen(kw_only=True)
class FlyTomlDocument:
    """A fly.toml that was read, usable or not."""

    file: str | None
    spec: AppSpec | None = None
    """`None` if the file cannot be parsed or decoded."""
    app: str | None = None
    """The app's name, `""` if it has none; `None` if the file cannot be parsed."""
    problems: tuple[Problem, ...] = ()
    """All that is wrong."""
    warnings: tuple[Problem, ...] = ()
    """What flyctl remarks."""
    remarks: tuple[Problem, ...] = ()
    """What has no effect, and what looks secret."""
    undeployable: tuple[Problem, ...] = ()
    """What flyctl accepts, and no deploy can do."""
    strict: StrictReport | None = None
    """`None` if the file cannot be decoded."""
    form: FileFormat = "toml"
    text: str = field(default="", repr=False)

    @property
    def valid(self) -> bool:
        """Parsed, decoded, and keeps the rules."""
        return not self.problems

    def accepted(self) -> AppSpec:
        """What it says. Raises ConfigError: with everything that is wrong with the file."""
        if self.spec is None or self.problems:
            raise ConfigError(problems=self.problems)
        return self.spec

    @property
    def errors(self) -> tuple[Problem, ...]:
        """What flyctl reports: of values that cannot be decoded the first only."""
        return self.problems if self.spec else self.problems[:1]

    def located(self, problems: Iterable[Problem]) -> tuple[Problem, ...]:
        """The same with the file, and the lines of their keys."""
        found = tuple(problems)
        lines_of = key_lines if self.form == "toml" else yaml_lines
        lines = lines_of(self.text) if found else {}
        return tuple(
            evolve(each, file=self.file, line=line_for(lines, each.path)) for each in found
        )

    def verdict(self, more: tuple[Problem, ...] = ()) -> Verdict:
        """Whether the file is accepted, and what is wrong or remarkable with it, for programs.

        `more` are problems that count beside its own.
        """
        warnings = map(recorded, self.warnings)
        return Verdict(
            valid=self.valid and not more,
            problems=(*self.problems, *more),
            errors=tuple(Finding(**recorded(error)) for error in self.errors),
            warnings=tuple(Remark(field=each["field"], code=each["code"]) for each in warnings),
            strict=self.strict,
        )

    def strict_problems(self) -> tuple[Problem, ...]:
        """Unknown names, of which flyctl only warns."""
        report = self.strict or StrictReport(valid=False)
        paths = [*report.unrecognized_sections]
        paths += [
            f"{path}.{name}" for path, names in report.unrecognized_keys.items() for name in names
        ]
        hint, code = "correct the spelling or remove it", "unknown_name"
        return self.located(
            Problem(message="unknown name", path=path_of(path), hint=hint, code=code)
            for path in paths
        )


def read_fly_toml(
    text: str, *, file: str | None = None, form: FileFormat = "toml"
) -> FlyTomlDocument:
    """Read the text of a fly.toml, fly.json or fly.yaml as flyctl does. Never raises.

    `file` is its name, for messages.
    """
    tree = parse(text, form)
    if isinstance(tree, Problem):
        return FlyTomlDocument(file=file, problems=(evolve(tree, file=file),))

    read = FlyTomlDocument(file=file, form=form, text=text)
    misfits = normalise(tree)
    spec, mistakes = decode(tree)
    if misfits or spec is None:
        app = tree.get("app")
        problems = read.located((*misfits, *mistakes))
        return evolve(read, app=app if isinstance(app, str) else "", problems=problems)
    problems = read.located(validate(spec))
    return evolve(
        read,
        spec=spec,
        app=spec.app,
        problems=problems,
        warnings=read.located(warnings_of(spec)),
        remarks=read.located((*unused(spec), *open_secrets(spec), *doubtful(spec))),
        undeployable=read.located(undeployable(spec)),
        strict=_strict(tree, valid=not problems),
    )


def _strict(tree: Tree, *, valid: bool) -> StrictReport:
    """Look for unknown names in a normalised tree of a file that is `valid` by other rules.

    Compares exact names. Like flyctl it does not look into `services`, `mounts`, `vm`, `metrics`.
    """
    known = keys_of(AppSpec)
    unknown: dict[str, tuple[str, ...]] = {}
    for name in known.keys() & tree.keys() - _UNSEEN:
        unknown |= _unknown(known[name].shape, tree[name], name)
    sections = tuple(sorted(tree.keys() - known.keys()))
    return StrictReport(
        valid=valid and not sections and not unknown,
        unrecognized_sections=sections,
        unrecognized_keys=dict(sorted(unknown.items())),
    )


def _unknown(shape: Shape, raw: Any, path: str) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Paths of sections with the unknown names in each."""
    if shape.section is not None and isinstance(raw, dict):
        known = keys_of(shape.section)
        if names := sorted(raw.keys() - known.keys()):
            yield path, tuple(names)
        for name in raw.keys() & known.keys():
            yield from _unknown(known[name].shape, raw[name], f"{path}.{name}")
    elif shape.kind == "list" and shape.item is not None and isinstance(raw, list):
        for index, item in enumerate(raw):
            yield from _unknown(shape.item, item, f"{path}[{index}]")
    elif shape.kind == "map" and shape.item is not None and isinstance(raw, dict):
        for name, item in raw.items():
            yield from _unknown(shape.item, item, f"{path}.{name}")


def refused(
    file: str | None, code: str, message: str, hint: str | None, line: int | None = None
) -> FlyTomlDocument:
    """A file that cannot be read at all."""
    problem = finding("parse", "", code, message, hint, line=line)
    return FlyTomlDocument(file=file, problems=(evolve(problem, file=file),))
