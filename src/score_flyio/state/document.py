"""The whole project state as one text, to be moved from one place to another.

The first YAML document is the `state.yaml` that the Go score-flyio knows, so that the text can be
put in its place as it is; the second is what only this tool remembers.
"""

from __future__ import annotations

from typing import Final

from score_flyio.errors import StateCorrupt
from score_flyio.state.deployments_form import dump_deployments, load_deployments
from score_flyio.state.model import ProjectState
from score_flyio.state.yaml_form import dump_state, load_state

_BETWEEN: Final = "---\n"


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
