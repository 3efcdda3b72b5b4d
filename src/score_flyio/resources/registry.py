"""From a provisioner definition to what does the work.

Definitions of the project come first. Behind them are provisioners that other packages offer as
entry points of the group `score_flyio.provisioners`: each loads to a function without arguments
that returns a `PluginProvisioner`; the name of the entry point is the provisioner's id.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from importlib.metadata import entry_points
from typing import Protocol

from attrs import field, frozen

from score_flyio.errors import ConfigError
from score_flyio.resources import match
from score_flyio.resources.model import (
    CommandSpec,
    HttpSpec,
    Provisioner,
    ProvisionerDefinition,
    ResourceUid,
    StaticSpec,
)

ENTRY_POINTS = "score_flyio.provisioners"


class PluginProvisioner(Provisioner, Protocol):
    """A provisioner that says itself what it serves."""

    @property
    def resource_type(self) -> str: ...

    @property
    def resource_class(self) -> str | None: ...

    @property
    def resource_id(self) -> str | None: ...


@frozen
class Registry:
    """The provisioners of a run."""

    definitions: tuple[ProvisionerDefinition, ...] = ()
    timeout: float = math.inf
    """Seconds for one call of a command or service."""
    plugins: Mapping[str, Provisioner] = field(factory=dict)
    """Provisioners in this process, by id; they take precedence over what a definition says."""

    @classmethod
    def of(
        cls, definitions: Sequence[ProvisionerDefinition], *, timeout: float = math.inf
    ) -> Registry:
        """The project's definitions and, behind them, those of installed packages."""
        plugins = installed()
        offered = tuple(
            ProvisionerDefinition(
                id=name,
                resource_type=plugin.resource_type,
                resource_class=plugin.resource_class,
                resource_id=plugin.resource_id,
                spec=StaticSpec(),
            )
            for name, plugin in plugins.items()
        )
        configured = {definition.id for definition in definitions}
        return cls(
            (*definitions, *(d for d in offered if d.id not in configured)),
            timeout,
            {name: plugin for name, plugin in plugins.items() if name not in configured},
        )

    def find(self, uid: ResourceUid) -> ProvisionerDefinition:
        """The definition that serves `uid`. Raises NoProvisionerError."""
        return match.find(self.definitions, uid)

    def named(self, provisioner_id: str) -> ProvisionerDefinition | None:
        return next((d for d in self.definitions if d.id == provisioner_id), None)

    def build(self, definition: ProvisionerDefinition) -> Provisioner:
        """What does the work of `definition`."""
        if definition.id in self.plugins:
            return self.plugins[definition.id]
        match definition.spec:
            case StaticSpec() as spec:
                from score_flyio.resources.kinds.static import StaticProvisioner

                return StaticProvisioner(spec)
            case CommandSpec() as command:
                from score_flyio.resources.kinds.command import CommandProvisioner

                return CommandProvisioner(id=definition.id, spec=command, timeout=self.timeout)
            case HttpSpec() as http:
                from score_flyio.resources.kinds.http import HttpProvisioner

                return HttpProvisioner(id=definition.id, spec=http, timeout=self.timeout)


def installed() -> dict[str, PluginProvisioner]:
    """The provisioners that installed packages offer. Raises ConfigError for a broken one."""
    found: dict[str, PluginProvisioner] = {}
    for point in sorted(entry_points(group=ENTRY_POINTS), key=lambda point: point.name):
        try:
            found[point.name] = point.load()()
        except (ImportError, AttributeError, TypeError) as error:
            raise ConfigError(
                f"provisioner '{point.name}' ({point.value}) cannot be loaded: {error}"
            ) from error
    return found
