"""`AppSpec`: a fly.toml as typed data.

Attributes are the canonical key names with `-` as `_`, in the order in which the keys are written
(scalars before tables). Keys, types and defaults are those of the fly.toml reference.

Absent and zero are told apart only where the platform does: such attributes are `… | None`, and
`None` means absent. Everywhere else the zero value (`""`, `0`, `False`, `()`, `{}`) means absent,
except in `env`, `processes` and other free maps, whose values count as they are.

Metadata of a field: `key` is the spelling in the file if it is not the attribute's name;
`written` names the formats (`"toml"`, `"json"`) in which even a zero value is put out;
`zero` says that zero values are left out all the same, though absent and zero are told apart;
`minimum` and `maximum` bound what the platform's integer type can hold.

The classes are imported on first use: making one takes half a millisecond, and most apps have few.
"""

from score_flyio.base.lazy import lazily

with lazily(globals()):
    from score_flyio.flytoml.spec.app import AppSpec as AppSpec
    from score_flyio.flytoml.spec.app import BuildSection as BuildSection
    from score_flyio.flytoml.spec.app import FileSpec as FileSpec
    from score_flyio.flytoml.spec.app import Mount as Mount
    from score_flyio.flytoml.spec.app import PersistRootfs as PersistRootfs
    from score_flyio.flytoml.spec.app import VmSpec as VmSpec
    from score_flyio.flytoml.spec.checks import Check as Check
    from score_flyio.flytoml.spec.checks import MachineCheck as MachineCheck
    from score_flyio.flytoml.spec.checks import ServiceTcpCheck as ServiceTcpCheck
    from score_flyio.flytoml.spec.experimental import Attached as Attached
    from score_flyio.flytoml.spec.experimental import AttachedSecrets as AttachedSecrets
    from score_flyio.flytoml.spec.experimental import ExperimentalSection as ExperimentalSection
    from score_flyio.flytoml.spec.handwritten import ComposeSection as ComposeSection
    from score_flyio.flytoml.spec.handwritten import DeploySection as DeploySection
    from score_flyio.flytoml.spec.handwritten import HttpService as HttpService
    from score_flyio.flytoml.spec.handwritten import MetricsSpec as MetricsSpec
    from score_flyio.flytoml.spec.handwritten import RestartSpec as RestartSpec
    from score_flyio.flytoml.spec.handwritten import StaticSection as StaticSection
    from score_flyio.flytoml.spec.services import AutoStop as AutoStop
    from score_flyio.flytoml.spec.services import Service as Service
    from score_flyio.flytoml.spec.services import ServiceHttpCheck as ServiceHttpCheck
    from score_flyio.flytoml.spec.services import ServicePort as ServicePort
    from score_flyio.flytoml.spec.traffic import Concurrency as Concurrency
    from score_flyio.flytoml.spec.traffic import HttpOptions as HttpOptions
    from score_flyio.flytoml.spec.traffic import HttpResponseOptions as HttpResponseOptions
    from score_flyio.flytoml.spec.traffic import ProxyProtoOptions as ProxyProtoOptions
    from score_flyio.flytoml.spec.traffic import ReplayCache as ReplayCache
    from score_flyio.flytoml.spec.traffic import TlsOptions as TlsOptions
