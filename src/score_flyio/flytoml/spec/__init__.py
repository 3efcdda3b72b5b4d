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

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from score_flyio.flytoml.spec.app import (
        AppSpec,
        BuildSection,
        FileSpec,
        Mount,
        PersistRootfs,
        VmSpec,
    )
    from score_flyio.flytoml.spec.checks import (
        Check,
        MachineCheck,
        ServiceTcpCheck,
    )
    from score_flyio.flytoml.spec.experimental import (
        Attached,
        AttachedSecrets,
        ExperimentalSection,
    )
    from score_flyio.flytoml.spec.handwritten import (
        ComposeSection,
        DeploySection,
        HttpService,
        MetricsSpec,
        RestartSpec,
        StaticSection,
    )
    from score_flyio.flytoml.spec.services import (
        AutoStop,
        Service,
        ServiceHttpCheck,
        ServicePort,
    )
    from score_flyio.flytoml.spec.traffic import (
        Concurrency,
        HttpOptions,
        HttpResponseOptions,
        ProxyProtoOptions,
        ReplayCache,
        TlsOptions,
    )

_HOMES = {
    "AppSpec": "app",
    "Attached": "experimental",
    "AttachedSecrets": "experimental",
    "AutoStop": "services",
    "BuildSection": "app",
    "Check": "checks",
    "ComposeSection": "handwritten",
    "Concurrency": "traffic",
    "DeploySection": "handwritten",
    "ExperimentalSection": "experimental",
    "FileSpec": "app",
    "HttpOptions": "traffic",
    "HttpResponseOptions": "traffic",
    "HttpService": "handwritten",
    "MachineCheck": "checks",
    "MetricsSpec": "handwritten",
    "Mount": "app",
    "PersistRootfs": "app",
    "ProxyProtoOptions": "traffic",
    "ReplayCache": "traffic",
    "RestartSpec": "handwritten",
    "Service": "services",
    "ServiceHttpCheck": "services",
    "ServicePort": "services",
    "ServiceTcpCheck": "checks",
    "StaticSection": "handwritten",
    "TlsOptions": "traffic",
    "VmSpec": "app",
}

__all__ = [
    "AppSpec",
    "Attached",
    "AttachedSecrets",
    "AutoStop",
    "BuildSection",
    "Check",
    "ComposeSection",
    "Concurrency",
    "DeploySection",
    "ExperimentalSection",
    "FileSpec",
    "HttpOptions",
    "HttpResponseOptions",
    "HttpService",
    "MachineCheck",
    "MetricsSpec",
    "Mount",
    "PersistRootfs",
    "ProxyProtoOptions",
    "ReplayCache",
    "RestartSpec",
    "Service",
    "ServiceHttpCheck",
    "ServicePort",
    "ServiceTcpCheck",
    "StaticSection",
    "TlsOptions",
    "VmSpec",
]


def __getattr__(name: str) -> Any:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{home}"), name)
    globals()[name] = value
    return value
