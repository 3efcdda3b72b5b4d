"""Errors of runs: resources, images, plans, deploys and the project state."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from score_flyio.errors.base import ScoreFlyError


class ResourceError(ScoreFlyError):
    """A resource cannot be provided."""

    code = "resource_failed"


class NoProvisionerError(ResourceError):
    """No provisioner serves a resource."""

    exit_code = 2
    code = "provisioner_not_found"


class ResourceCycleError(ResourceError):
    """The params of resources depend on each other in a circle."""

    exit_code = 2
    code = "resource_cycle"


class ResourceConflictError(ResourceError):
    """Two definitions of one shared resource differ."""

    exit_code = 2
    code = "resource_conflict"


class UnshareableError(ResourceConflictError):
    """Workloads share what Fly has for one app only."""


class ProvisionFailed(ResourceError):
    """A provisioner failed; what it returned before is kept in the state."""

    code = "provisioner_failed"

    def __init__(
        self, message: str, *, uid: str, hint: str | None = None, code: str | None = None
    ) -> None:
        super().__init__(message, hint=hint, code=code)
        self.uid = uid


class ImageError(ScoreFlyError):
    """A container image is missing, cannot be built or cannot be pushed."""

    code = "image_failed"


class ImageNotFound(ImageError):
    """The registry does not have the image."""

    code = "image_not_found"


class RegistryDenied(ImageError):
    """The registry does not let us; `anonymous` when there was no login to try."""

    code = "registry_denied"

    def __init__(self, message: str, *, anonymous: bool, hint: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.anonymous = anonymous


class RegistryUnavailable(ImageError):
    """The registry gives no answer, or none that helps."""

    code = "registry_unavailable"


class PlanError(ScoreFlyError):
    """A plan cannot be made or used."""

    code = "plan_failed"


class StalePlan(PlanError):
    """What runs on Fly changed since the plan was made."""

    code = "plan_stale"


class DestructiveChange(PlanError):
    """The change deletes something and was not agreed to."""

    code = "plan_destructive"
    exit_code = 2


class DeployError(ScoreFlyError):
    """A deploy failed; `failures` has each failure."""

    code = "deploy_failed"

    def __init__(
        self,
        message: str,
        *,
        hint: str | None = None,
        code: str | None = None,
        failures: Sequence[ScoreFlyError] = (),
        report: Any = None,
        machine: str | None = None,
    ) -> None:
        super().__init__(message, hint=hint, code=code)
        self.failures = tuple(failures)
        self.report = report
        self.machine = machine
        """The machine that failed, where it was one."""


class EngineError(ScoreFlyError):
    """A program uses an engine in a way that it cannot be used."""

    code = "engine_misused"


class EngineNotOpen(EngineError):
    """The engine is used outside its `async with` block."""

    code = "engine_not_open"


class EngineBusy(EngineError):
    """The engine does one thing at a time, and another one goes on."""

    code = "engine_busy"


class HealthCheckFailed(DeployError):
    """Deployed, but a machine did not become healthy."""

    exit_code = 3
    code = "unhealthy"


class MachineCheckFailed(HealthCheckFailed):
    """Deployed, but a machine check of the fly.toml says that it does not work."""

    code = "machine_check_failed"


class LeaseLost(DeployError):
    """The exclusive hold on a machine ended while it was needed."""

    code = "lease_lost"


class RunInterrupted(DeployError):
    """A signal ended the command before its end; `report` says how far it came."""

    code = "interrupted"
    exit_code = 130


class LeaseHeld(DeployError):
    """Someone else holds the lease of a machine."""

    code = "lease_held"


class ReleaseCommandFailed(DeployError):
    """The release command ended with a non-zero exit code; nothing else was touched."""

    code = "release_command_failed"


class StateError(ScoreFlyError):
    """The project state cannot be read or written."""

    code = "state_failed"


class NotInitialised(StateError):
    """There is no project state in this folder."""

    code = "not_initialised"
    exit_code = 2


class StateLocked(StateError):
    """Another run holds the state."""

    exit_code = 4
    code = "state_locked"


class StateCorrupt(StateError):
    """The state cannot be decoded; `problems` names the places."""

    code = "state_invalid"


class StateTooNew(StateError):
    """The state was written by a newer version."""

    code = "state_too_new"


class StateConflict(StateError):
    """The state was changed by someone else since it was read."""

    code = "state_conflict"
