"""Whether a fly.toml is accepted, as JSON."""

from __future__ import annotations

from typing import Any

from score_flyio.flytoml import FlyTomlDocument


def verdict(document: FlyTomlDocument) -> dict[str, Any]:
    """Whether the file is accepted, and what is wrong or remarkable with it."""
    return {
        "valid": document.valid,
        "errors": [finding.as_json() for finding in document.errors],
        "warnings": [{"field": f.field, "code": f.code} for f in document.warnings],
        "strict": document.strict and document.strict.as_json(),
    }
