"""What happens during a run, as typed events.

Each event has a stable `kind`, given by its class, for the JSON form. `scope` says what the event
is about. Events never carry secret values. A listener is called synchronously and in order.

The classes are imported on first use: a run needs few of them.
"""

from score_flyio.base.lazy import lazily

with lazily(globals()):
    from score_flyio.events.base import Event as Event
    from score_flyio.events.base import EventLog as EventLog
    from score_flyio.events.base import Listener as Listener
    from score_flyio.events.base import Scope as Scope
    from score_flyio.events.base import to_json as to_json
    from score_flyio.events.deploy import BuildFinished as BuildFinished
    from score_flyio.events.deploy import BuildOutput as BuildOutput
    from score_flyio.events.deploy import BuildStarted as BuildStarted
    from score_flyio.events.deploy import BuildStep as BuildStep
    from score_flyio.events.deploy import CheckChanged as CheckChanged
    from score_flyio.events.deploy import ImageResolved as ImageResolved
    from score_flyio.events.deploy import LeaseAcquired as LeaseAcquired
    from score_flyio.events.deploy import LeaseAwaited as LeaseAwaited
    from score_flyio.events.deploy import LeaseReleased as LeaseReleased
    from score_flyio.events.deploy import MachineStateChanged as MachineStateChanged
    from score_flyio.events.deploy import PlanReady as PlanReady
    from score_flyio.events.deploy import RateLimitHit as RateLimitHit
    from score_flyio.events.deploy import RequestFinished as RequestFinished
    from score_flyio.events.deploy import RequestRetried as RequestRetried
    from score_flyio.events.deploy import RollbackFinished as RollbackFinished
    from score_flyio.events.deploy import RollbackStarted as RollbackStarted
    from score_flyio.events.deploy import StepFailed as StepFailed
    from score_flyio.events.deploy import StepFinished as StepFinished
    from score_flyio.events.deploy import StepSkipped as StepSkipped
    from score_flyio.events.deploy import StepStarted as StepStarted
    from score_flyio.events.project import FileWritten as FileWritten
    from score_flyio.events.project import StateSaved as StateSaved
    from score_flyio.events.project import WarningRaised as WarningRaised
    from score_flyio.events.project import WorkloadLoaded as WorkloadLoaded
    from score_flyio.events.resources import DeprovisioningFailed as DeprovisioningFailed
    from score_flyio.events.resources import DeprovisioningFinished as DeprovisioningFinished
    from score_flyio.events.resources import DeprovisioningStarted as DeprovisioningStarted
    from score_flyio.events.resources import ProvisioningFailed as ProvisioningFailed
    from score_flyio.events.resources import ProvisioningFinished as ProvisioningFinished
    from score_flyio.events.resources import ProvisioningStarted as ProvisioningStarted
    from score_flyio.events.run import RunFinished as RunFinished
    from score_flyio.events.run import RunStarted as RunStarted
    from score_flyio.events.run import TargetSelected as TargetSelected
    from score_flyio.events.run import WorkloadFinished as WorkloadFinished
