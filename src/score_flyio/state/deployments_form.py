"""`deployments.yaml`: what this tool remembers beyond the state of the Go score-flyio.

Where the whole state is one text, it is the second YAML document, behind the `state.yaml` that the
Go tool knows, so that the first can be put in its place as it is.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, Final

from score_flyio.errors import StateCorrupt, StateTooNew
from score_flyio.state.model import Place, ProjectState
from score_flyio.state.yaml_form import dump_state, entries, load_state
from score_flyio.yaml.writer import write_yaml

if TYPE_CHECKING:
    import cattrs

VERSION: Final = 1
_BETWEEN: Final = "---\n"
_NOT_REMEMBERED: Final = ("id", "tool_version", "back_to")
"""Of a release."""


@cache
def _converter() -> cattrs.Converter:
    # A project that was never deployed needs none, and importing it takes time.
    import cattrs
    from cattrs.gen import make_dict_structure_fn, make_dict_unstructure_fn, override

    from score_flyio.state.deployments import Release

    converter = cattrs.Converter(forbid_extra_keys=True, omit_if_default=True)
    passing: Any = {name: override(omit=True) for name in _NOT_REMEMBERED}
    converter.register_structure_hook(
        Release, make_dict_structure_fn(Release, converter, **passing)
    )
    converter.register_unstructure_hook(
        Release, make_dict_unstructure_fn(Release, converter, **passing)
    )
    return converter


def dump_deployments(state: ProjectState) -> str | None:
    """The text of `deployments.yaml`; None when there is nothing to remember."""
    known_more = state.deployments or state.uses_shared or state.place or state.overridden
    if state.default_provisioners and not (known_more or state.needs):
        return None
    needs = {str(uid): sorted(map(str, needs)) for uid, needs in sorted(state.needs.items())}
    head = {
        "version": VERSION,
        "salt": state.salt,
        "place": state.place and state.place.to_json(),
        "default_provisioners": None if state.default_provisioners else False,
        "overridden": dict(sorted(state.overridden.items())) or None,
        "uses_shared": dict(sorted(state.uses_shared.items())),
        "needs": needs or None,
    }
    text = write_yaml({name: value for name, value in head.items() if value is not None})
    records = entries(
        state, "deployments", state.deployments, lambda record: _converter().unstructure(record)
    )
    return "".join([text, *records])


def load_deployments(state: ProjectState, text: str, file: str) -> None:
    """Add to `state` what a text holds.

    Raises StateCorrupt, and StateTooNew for a file of a newer version of this tool.
    """
    from cattrs.errors import BaseValidationError
    from cattrs.v import transform_error

    from score_flyio.state.deployments import DeploymentRecord
    from score_flyio.yaml.reader import YamlError, read_yaml

    try:
        document: Any = read_yaml(text, exact=True).value
    except YamlError as error:
        raise _corrupt(f"{file}:{error.line}: {error.message}", file) from error
    if not isinstance(document, dict):
        raise _corrupt(f"{file}: is empty or not a map", file)
    if document.get("version") != VERSION:
        raise StateTooNew(
            f"{file}: version {document.get('version')!r} is not known, only {VERSION}",
            hint="use the version of score-flyio that wrote it, or a newer one",
        )
    read = _converter().structure
    try:
        state.salt = read(document["salt"], str)
        place = document.get("place")
        state.place = None if place is None else read(place, Place)
        state.default_provisioners = read(document.get("default_provisioners", True), bool)
        state.uses_shared = read(document.get("uses_shared") or {}, dict[str, bool])
        state.overridden = read(document.get("overridden") or {}, dict[str, str])
        if needs := read(document.get("needs") or {}, dict[str, list[str]]):
            from score_flyio.score.resources import ResourceUid

            uid = ResourceUid.parse
            state.needs = {uid(each): frozenset(map(uid, found)) for each, found in needs.items()}
        state.deployments = read(document.get("deployments") or {}, dict[str, DeploymentRecord])
    except KeyError as error:
        raise _corrupt(f"{file}: {error} is missing", file) from error
    except BaseValidationError as error:
        raise _corrupt(f"{file}: {'; '.join(transform_error(error))}", file) from error
    except ValueError as error:
        raise _corrupt(f"{file}: needs: {error}", file) from error


def _corrupt(message: str, file: str) -> StateCorrupt:
    return StateCorrupt(message, hint=f"fix {file}, or restore a copy of it")


def dump_document(state: ProjectState) -> str:
    """One text with everything."""
    deployments = dump_deployments(state)
    first = dump_state(state)
    return first if deployments is None else f"{first}{_BETWEEN}{deployments}"


def load_document(text: str, file: str) -> ProjectState:
    """Reads what `dump_document` wrote; `file` is for messages.

    Raises StateCorrupt and StateTooNew.
    """
    parts = _documents(text)
    if len(parts) > 2:
        raise StateCorrupt(
            f"{file}: it has {len(parts)} documents, and a state has two at most",
            hint="use what `state pull` printed",
        )
    state = load_state(parts[0], file)
    if len(parts) == 2:
        load_deployments(state, parts[1], file)
    return state


def _documents(text: str) -> list[str]:
    """The texts between lines of three dashes; one at the very beginning separates nothing."""
    documents = [""]
    for line in text.splitlines(keepends=True):
        if line.rstrip() == "---":
            if documents != [""]:
                documents.append("")
        else:
            documents[-1] += line
    return documents
