"""Reading a fly.toml: parse, rewrite old spellings, decode, validate."""

from __future__ import annotations

from typing import Any

from attrs import field, frozen

from score_flyio.errors import Problem
from score_flyio.flytoml.decode import decode
from score_flyio.flytoml.findings import Finding
from score_flyio.flytoml.legacy import normalise
from score_flyio.flytoml.lines import key_lines, line_for
from score_flyio.flytoml.parse import FileFormat, parse
from score_flyio.flytoml.spec import AppSpec
from score_flyio.flytoml.strict import StrictReport, strict_check
from score_flyio.flytoml.validate import validate, warnings_of


@frozen(kw_only=True)
class FlyTomlDocument:
    """A fly.toml that was read, usable or not."""

    file: str | None
    spec: AppSpec | None = None
    """`None` if the file cannot be parsed or decoded."""
    app: str | None = None
    """The app's name, `""` if it has none; `None` if the file cannot be parsed."""
    errors: tuple[Finding, ...] = ()
    """What flyctl reports; of values that cannot be decoded it names the first only."""
    warnings: tuple[Finding, ...] = ()
    strict: StrictReport | None = None
    """`None` if the file cannot be decoded."""
    problems: tuple[Problem, ...] = field(default=(), repr=False)
    """All that is wrong, for a person."""

    @property
    def valid(self) -> bool:
        """Parsed, decoded, and keeps the rules."""
        return not self.errors

    def verdict(self) -> dict[str, Any]:
        """Whether the file is accepted, and what is wrong or remarkable with it, for tools."""
        return {
            "valid": self.valid,
            "errors": [finding.as_json() for finding in self.errors],
            "warnings": [{"field": f.field, "code": f.code} for f in self.warnings],
            "strict": self.strict and self.strict.as_json(),
        }

    def strict_problems(self) -> tuple[Problem, ...]:
        """Unknown names, for a person."""
        report = self.strict or StrictReport(valid=False)
        paths = [*report.unrecognized_sections]
        paths += [
            f"{path}.{name}" for path, names in report.unrecognized_keys.items() for name in names
        ]
        return tuple(
            Problem(
                message="unknown name",
                file=self.file,
                place=path,
                hint="correct the spelling or remove it",
                code="unknown_name",
            )
            for path in paths
        )


def read_fly_toml(
    text: str, *, file: str | None = None, form: FileFormat = "toml"
) -> FlyTomlDocument:
    """Read the text of a fly.toml, fly.json or fly.yaml as flyctl does. Never raises.

    Args:
        text: the whole file.
        file: its name, for messages.
        form: the language it is written in.
    """
    tree = parse(text, form)
    if isinstance(tree, Finding):
        return FlyTomlDocument(file=file, errors=(tree,), problems=(tree.problem(file),))

    def told(findings: tuple[Finding, ...]) -> tuple[Problem, ...]:
        lines = key_lines(text) if findings and form == "toml" else {}
        return tuple(f.problem(file, line_for(lines, f.place)) for f in findings)

    normalised, misfits = normalise(tree)
    spec, mistakes = decode(normalised)
    if misfits or spec is None:
        findings = (*misfits, *mistakes)
        return FlyTomlDocument(
            file=file, app=_name(tree), errors=findings[:1], problems=told(findings)
        )
    errors = validate(spec)
    return FlyTomlDocument(
        file=file,
        spec=spec,
        app=spec.app,
        errors=errors,
        warnings=warnings_of(spec),
        strict=strict_check(normalised, valid=not errors),
        problems=told(errors),
    )


def refused(
    file: str | None, code: str, message: str, hint: str | None, line: int | None = None
) -> FlyTomlDocument:
    """A file that cannot be read at all."""
    finding = Finding(stage="parse", code=code, place="", message=message, hint=hint, line=line)
    return FlyTomlDocument(file=file, errors=(finding,), problems=(finding.problem(file),))


def _name(tree: dict[str, Any]) -> str:
    name = tree.get("app")
    return name if isinstance(name, str) else ""
