"""Every exception of the library.

    ScoreFlyError
    ├─ InputError                     what a person wrote is wrong (exit code 2)
    │  ├─ UsageError
    │  ├─ ScoreFileError
    │  ├─ PlaceholderError
    │  ├─ ConfigError
    │  └─ UnsupportedFeatureError
    ├─ ResourceError                  a resource cannot be provided (1)
    │  ├─ NoProvisionerError
    │  ├─ ResourceCycleError
    │  ├─ ResourceConflictError
    │  │  └─ UnshareableError         (2)
    │  └─ ProvisionFailed
    ├─ ImageError                     ImageNotFound, RegistryDenied, RegistryUnavailable
    ├─ FlyError                       the platform said no, or nothing (1)
    │  ├─ FlyConnectionError, FlyTimeout
    │  ├─ FlyProtocolError
    │  └─ FlyApiError                 NotAuthorized, NotFound, Conflict, PreconditionFailed,
    │                                 InvalidRequest, RequestTimedOut, RateLimited, FlyServerError,
    │                                 InsufficientCapacity, NameTaken
    ├─ PlanError                      StalePlan, DestructiveChange
    ├─ EngineError                    EngineNotOpen, EngineBusy: of programs that embed the engine
    ├─ DeployError                    (1), HealthCheckFailed (3), RunInterrupted (130), LeaseLost …
    └─ StateError                     StateLocked (4), StateCorrupt, StateTooNew, StateConflict

No ExceptionGroup leaves the library: several failures are one error with `failures`.
httpx exceptions never cross the `fly` border; they are chained as causes.
"""

from score_flyio.base.lazy import lazily

with lazily(globals()):
    from score_flyio.errors.base import Failure as Failure
    from score_flyio.errors.base import Problem as Problem
    from score_flyio.errors.base import ScoreFlyError as ScoreFlyError
    from score_flyio.errors.fly import ApiAnswer as ApiAnswer
    from score_flyio.errors.fly import Conflict as Conflict
    from score_flyio.errors.fly import FlyApiError as FlyApiError
    from score_flyio.errors.fly import FlyConnectionError as FlyConnectionError
    from score_flyio.errors.fly import FlyError as FlyError
    from score_flyio.errors.fly import FlyProtocolError as FlyProtocolError
    from score_flyio.errors.fly import FlyServerError as FlyServerError
    from score_flyio.errors.fly import FlyTimeout as FlyTimeout
    from score_flyio.errors.fly import InsufficientCapacity as InsufficientCapacity
    from score_flyio.errors.fly import InvalidRequest as InvalidRequest
    from score_flyio.errors.fly import NameTaken as NameTaken
    from score_flyio.errors.fly import NotAuthorized as NotAuthorized
    from score_flyio.errors.fly import NotFound as NotFound
    from score_flyio.errors.fly import PreconditionFailed as PreconditionFailed
    from score_flyio.errors.fly import RateLimited as RateLimited
    from score_flyio.errors.fly import Request as Request
    from score_flyio.errors.fly import RequestTimedOut as RequestTimedOut
    from score_flyio.errors.inputs import ConfigError as ConfigError
    from score_flyio.errors.inputs import InputError as InputError
    from score_flyio.errors.inputs import PlaceholderError as PlaceholderError
    from score_flyio.errors.inputs import ScoreFileError as ScoreFileError
    from score_flyio.errors.inputs import UnsupportedFeatureError as UnsupportedFeatureError
    from score_flyio.errors.inputs import UsageError as UsageError
    from score_flyio.errors.inputs import WrongPlace as WrongPlace
    from score_flyio.errors.runs import DeployError as DeployError
    from score_flyio.errors.runs import DestructiveChange as DestructiveChange
    from score_flyio.errors.runs import EngineBusy as EngineBusy
    from score_flyio.errors.runs import EngineError as EngineError
    from score_flyio.errors.runs import EngineNotOpen as EngineNotOpen
    from score_flyio.errors.runs import HealthCheckFailed as HealthCheckFailed
    from score_flyio.errors.runs import ImageError as ImageError
    from score_flyio.errors.runs import ImageNotFound as ImageNotFound
    from score_flyio.errors.runs import LeaseHeld as LeaseHeld
    from score_flyio.errors.runs import LeaseLost as LeaseLost
    from score_flyio.errors.runs import MachineCheckFailed as MachineCheckFailed
    from score_flyio.errors.runs import NoProvisionerError as NoProvisionerError
    from score_flyio.errors.runs import NotInitialised as NotInitialised
    from score_flyio.errors.runs import PlanError as PlanError
    from score_flyio.errors.runs import ProvisionFailed as ProvisionFailed
    from score_flyio.errors.runs import RegistryDenied as RegistryDenied
    from score_flyio.errors.runs import RegistryUnavailable as RegistryUnavailable
    from score_flyio.errors.runs import ReleaseCommandFailed as ReleaseCommandFailed
    from score_flyio.errors.runs import ResourceConflictError as ResourceConflictError
    from score_flyio.errors.runs import ResourceCycleError as ResourceCycleError
    from score_flyio.errors.runs import ResourceError as ResourceError
    from score_flyio.errors.runs import RunInterrupted as RunInterrupted
    from score_flyio.errors.runs import StalePlan as StalePlan
    from score_flyio.errors.runs import StateConflict as StateConflict
    from score_flyio.errors.runs import StateCorrupt as StateCorrupt
    from score_flyio.errors.runs import StateError as StateError
    from score_flyio.errors.runs import StateLocked as StateLocked
    from score_flyio.errors.runs import StateTooNew as StateTooNew
    from score_flyio.errors.runs import UnshareableError as UnshareableError
