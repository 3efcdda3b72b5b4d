"""A plan as a JSON document. Pure; secrets are named, never shown."""

from __future__ import annotations

from typing import Any

from score_flyio.deploy.planning.calls import calls
from score_flyio.deploy.planning.plan import AppPlan
from score_flyio.deploy.step import MUTATING, SetSecrets, Step, UpdateMachine


def plan_json(plan: AppPlan) -> dict[str, Any]:
    """One app's plan."""
    return {
        "app": plan.app,
        "workload": plan.label,
        "changes": not plan.empty,
        "steps": [_step(step) for step in plan.steps],
        "unchanged_machines": list(plan.unchanged),
        "notes": list(plan.notes),
    }


def _step(step: Step) -> dict[str, Any]:
    document: dict[str, Any] = {
        "id": step.id,
        "kind": type(step).__name__,
        "description": step.describe(),
        "group": step.group,
        "needs": list(step.needs),
        "mutates": isinstance(step, MUTATING),
        "calls": list(calls(step)),
    }
    match step:
        case UpdateMachine():
            document["machine"] = step.machine
            document["differences"] = [
                {"path": d.path, "before": d.before, "after": d.after} for d in step.differences
            ]
        case SetSecrets():
            document["secrets"] = dict(sorted(step.changes.items()))
    return document
