"""Provisioners that installed packages bring: what their code does wrong fails one resource."""

from __future__ import annotations

import json

from score_flyio.base.record import frozen
from score_flyio.base.secret import Secret
from score_flyio.errors import ProvisionFailed
from score_flyio.errors.unwrap import in_words
from score_flyio.resources.protocol import MEMBERS, Calling, Mode, call_failed
from score_flyio.resources.provisioner import (
    Provisioner,
    ProvisionIncomplete,
    ProvisionRequest,
    ProvisionResult,
)


@frozen(kw_only=True)
class InProcessProvisioner(Calling):
    """Calls the provisioner of a package."""

    id: str
    uses_shared: bool | None
    plugin: Provisioner

    async def call(self, mode: Mode, request: ProvisionRequest) -> ProvisionResult:
        work = self.plugin.provision if mode == "provision" else self.plugin.deprovision
        incomplete: ProvisionIncomplete | None = None
        try:
            result = await work(request)
        except ProvisionIncomplete as error:
            incomplete, result = error, error.result
        except ProvisionFailed:
            raise
        except Exception as error:
            hint = getattr(error, "hint", None)
            raise call_failed(request, self.id, in_words(error), hint=hint) from error
        if wrong := _wrong(result):
            raise call_failed(request, self.id, wrong) from incomplete
        if incomplete is not None:
            raise incomplete
        return result


def _wrong(result: object) -> str | None:
    """Why nobody can go on with an answer, without any value of it."""
    if not isinstance(result, ProvisionResult):
        return f"it answered with a {type(result).__name__}, which is no ProvisionResult"
    for name in MEMBERS:
        value = getattr(result, name)
        if not isinstance(value, dict | None):
            return f"its {name} is a {type(value).__name__}, which is no dict"
        try:
            json.dumps(value, allow_nan=False, default=_masked if name == "secrets" else None)
        except (TypeError, ValueError, RecursionError) as error:
            return f"its {name} cannot be kept as JSON: {error}"
    return None


def _masked(value: object) -> str:
    """For JSON, a value that is a `Secret` already."""
    if isinstance(value, Secret):
        return str(value)
    raise TypeError(f"Object of type {type(value).__name__} is not JSON serializable")
