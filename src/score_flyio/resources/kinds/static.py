"""Outputs that are written in the project itself."""

from __future__ import annotations

from score_flyio.base.record import frozen
from score_flyio.resources.provisioner import ProvisionRequest, ProvisionResult
from score_flyio.state.resources import StaticSpec


@frozen
class StaticProvisioner:
    """Answers the same values every time; there is nothing to take away."""

    uses_shared = False
    spec: StaticSpec

    async def provision(self, request: ProvisionRequest) -> ProvisionResult:  # noqa: ARG002 - the same for all
        return ProvisionResult(values=dict(self.spec.values))

    async def deprovision(self, request: ProvisionRequest) -> ProvisionResult:  # noqa: ARG002 - the same for all
        return ProvisionResult()
