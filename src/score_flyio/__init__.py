"""Deploy Score workloads to Fly.io: concurrently, over the Machines REST API, without flyctl.

The names of `__all__` are the public interface, together with the modules `errors`, `events`,
`score` and `testing`, and with the package `fly_emulator`. Each is imported on first use, so that
importing this package costs nothing.
"""

from score_flyio.base.lazy import lazily

with lazily(globals()):
    from score_flyio._version import __version__ as __version__
    from score_flyio.base.clock import Clock as Clock
    from score_flyio.base.secret import Secret as Secret
    from score_flyio.deploy.execution.report import AppReport as AppReport
    from score_flyio.deploy.execution.report import Report as Report
    from score_flyio.deploy.execution.report import RunOutcome as RunOutcome
    from score_flyio.deploy.execution.report import StepReport as StepReport
    from score_flyio.deploy.model import ObservedApp as ObservedApp
    from score_flyio.deploy.model import OwnCertificate as OwnCertificate
    from score_flyio.deploy.observe import Wanted as Wanted
    from score_flyio.deploy.options import DeployOptions as DeployOptions
    from score_flyio.deploy.options import GuestOptions as GuestOptions
    from score_flyio.deploy.planning.model import AppPlan as AppPlan
    from score_flyio.engine.engine import AppName as AppName
    from score_flyio.engine.engine import Engine as Engine
    from score_flyio.engine.inputs import FlyTomlApp as FlyTomlApp
    from score_flyio.engine.inputs import Input as Input
    from score_flyio.engine.inputs import ScoreApp as ScoreApp
    from score_flyio.engine.operations.addresses import Address as Address
    from score_flyio.engine.operations.addresses import AddressKind as AddressKind
    from score_flyio.engine.operations.apps import AppRef as AppRef
    from score_flyio.engine.operations.certificates import Certificate as Certificate
    from score_flyio.engine.operations.change import Change as Change
    from score_flyio.engine.operations.destroy import Destruction as Destruction
    from score_flyio.engine.operations.logs import LogFilter as LogFilter
    from score_flyio.engine.operations.releases import AppReleases as AppReleases
    from score_flyio.engine.operations.scale import GroupSize as GroupSize
    from score_flyio.engine.operations.scale import ScaleRequest as ScaleRequest
    from score_flyio.engine.operations.secrets import SecretStatus as SecretStatus
    from score_flyio.engine.operations.status import AppStatus as AppStatus
    from score_flyio.engine.operations.status import Status as Status
    from score_flyio.engine.output import Output as Output
    from score_flyio.engine.plans import Plan as Plan
    from score_flyio.engine.project import Overrides as Overrides
    from score_flyio.engine.project import Project as Project
    from score_flyio.engine.run import Run as Run
    from score_flyio.engine.session import Session as Session
    from score_flyio.engine.target import EmulatorTarget as EmulatorTarget
    from score_flyio.engine.target import FlyTarget as FlyTarget
    from score_flyio.engine.target import Target as Target
    from score_flyio.errors import Failure as Failure
    from score_flyio.errors import Problem as Problem
    from score_flyio.errors import ScoreFlyError as ScoreFlyError
    from score_flyio.events import Event as Event
    from score_flyio.events import Listener as Listener
    from score_flyio.fly.auth import Tokens as Tokens
    from score_flyio.fly.client import FlyClient as FlyClient
    from score_flyio.fly.limits import RateLimiter as RateLimiter
    from score_flyio.fly.logs import LogLine as LogLine
    from score_flyio.flytoml.spec import AppSpec as AppSpec
    from score_flyio.images.options import ImageOptions as ImageOptions
    from score_flyio.resources.provisioner import PluginProvisioner as PluginProvisioner
    from score_flyio.resources.provisioner import Provisioner as Provisioner
    from score_flyio.resources.provisioner import ProvisionIncomplete as ProvisionIncomplete
    from score_flyio.resources.provisioner import ProvisionRequest as ProvisionRequest
    from score_flyio.resources.provisioner import ProvisionResult as ProvisionResult
    from score_flyio.score.model import Workload as Workload
    from score_flyio.state.model import ProjectState as ProjectState
    from score_flyio.state.store import InMemoryStore as InMemoryStore
    from score_flyio.state.store import StateStore as StateStore
