"""Which provisioner serves a resource, and what does its work.

The first definition that fits serves. Those of the project come first, then those of its
`*.provisioners.yaml` files. Behind them are provisioners that other packages offer as entry points
of the group `score_flyio.provisioners` (each loads to a function without arguments that returns a
`PluginProvisioner`; the name of the entry point is the provisioner's id), and last what comes with
score-flyio. Templates and all they need are loaded only when there are files, or when nothing else
serves a resource.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeAlias

from score_flyio.base.misspelt import did_you_mean, nearest
from score_flyio.base.record import define, field, frozen
from score_flyio.errors import NoProvisionerError
from score_flyio.resources.template import SUFFIX

if TYPE_CHECKING:
    from score_flyio.resources.provisioner import PluginProvisioner, Provisioner
    from score_flyio.resources.servers.access import FlyAccess
    from score_flyio.resources.template.surroundings import Surroundings
    from score_flyio.score.resources import ResourceUid
    from score_flyio.state.resources import ProvisionerDefinition

ENTRY_POINTS = "score_flyio.provisioners"
Offered: TypeAlias = "dict[str, tuple[ProvisionerDefinition, Provisioner]]"
"""By id, what each serves, and what does its work; in matching order."""


@define(eq=False, repr=False)
class Registry:
    """The provisioners of a run."""

    definitions: tuple[ProvisionerDefinition, ...] = ()
    """What the project configures, in matching order."""
    timeout: float = math.inf
    """Seconds for one call of a command or service."""
    plugins: Mapping[str, Provisioner] = field(factory=dict)
    """Provisioners in this process that do the work of the definitions of these ids."""
    built_in: tuple[Callable[[], Offered], ...] = ()
    """Give what comes with score-flyio, each when nothing before it serves a resource."""
    _offered: Offered | None = field(init=False, default=None)

    def all(self) -> tuple[ProvisionerDefinition, ...]:
        """Every definition, in matching order; an installed one appears without outputs."""
        return (*self.definitions, *(definition for definition, _ in self._installed().values()))

    def in_order(self) -> Iterator[ProvisionerDefinition]:
        """The same and what comes with score-flyio; each is loaded when it is come to."""
        yield from self.definitions
        for offered in (self._installed, *self.built_in):
            yield from (definition for definition, _ in offered().values())

    def find(self, uid: ResourceUid) -> ProvisionerDefinition:
        """The definition that serves `uid`.

        Raises NoProvisionerError that explains what each candidate of the same type serves instead.
        """
        if serving := self._serving(uid):
            return serving
        known = tuple(self.in_order())
        message = f"resource '{uid}': no provisioner serves it{_explain(known, uid)}"
        raise NoProvisionerError(message, hint=_hint(known, uid))

    def all_outputs(self, uid: ResourceUid) -> frozenset[str] | None:
        """The names of all outputs that a resource will have; None: nobody knows beforehand."""
        serving = self._serving(uid)
        if serving is None or (serving.id in self.plugins and not serving.gives_no_others):
            return None
        return serving.all_outputs

    def params(self, uid: ResourceUid) -> tuple[str, ...]:
        """The names of all params that what serves a resource knows; none: any."""
        serving = self._serving(uid)
        return serving.params if serving is not None else ()

    def _serving(self, uid: ResourceUid) -> ProvisionerDefinition | None:
        return next((d for d in self.in_order() if d.serves(uid)), None)

    def named(self, provisioner_id: str) -> ProvisionerDefinition | None:
        """The definition of this id, if there is one."""
        return next((d for d in self.in_order() if d.id == provisioner_id), None)

    def _installed(self) -> Offered:
        if self._offered is None:
            taken = {definition.id for definition in self.definitions}
            self._offered = {id_: each for id_, each in installed().items() if id_ not in taken}
        return self._offered

    def build(self, definition: ProvisionerDefinition) -> Provisioner:
        """What does the work of `definition`."""
        if definition.id in self.plugins:
            return self.plugins[definition.id]
        if definition not in self.definitions:
            for offered in (self._installed, *self.built_in):
                if definition.id in offered():
                    return offered()[definition.id][1]
        return self._configured(definition)

    def _configured(self, definition: ProvisionerDefinition) -> Provisioner:
        from score_flyio.state.resources import CommandSpec, HttpSpec, StaticSpec

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
            case _:
                raise LookupError(f"nothing does the work of provisioner {definition.id!r}")


def installed() -> Offered:
    """The provisioners that installed packages offer. Raises ConfigError for a broken one."""
    from importlib.metadata import entry_points

    from score_flyio.errors.packages import loading

    found: Offered = {}
    for point in sorted(entry_points(group=ENTRY_POINTS)):
        from score_flyio.resources.kinds.in_process import InProcessProvisioner
        from score_flyio.state.resources import InProcessSpec, ProvisionerDefinition

        with loading("provisioner", point):
            plugin: PluginProvisioner = point.load()()
            work = InProcessProvisioner(
                id=point.name, uses_shared=plugin.uses_shared, plugin=plugin
            )
            definition = ProvisionerDefinition(
                id=point.name,
                resource_type=plugin.resource_type,
                resource_class=plugin.resource_class,
                resource_id=plugin.resource_id,
                spec=InProcessSpec(source="installed package"),
            )
            found[point.name] = definition, work
    return found


OTHER_NAMES: Final = {
    "bucket": "s3",
    "mariadb": "mysql",
    "minio": "s3",
    "mongo": "mongodb",
    "pg": "postgres",
    "postgresql": "postgres",
    "rabbitmq": "amqp",
    "valkey": "redis",
}
"""What people call types after the programs that serve them."""
SERVERS_ELSEWHERE: Final = frozenset({"elasticsearch", "kafka-topic", "mssql"})
"""Types that other Score tools serve out of the box, each by a server."""


def _hint(definitions: Sequence[ProvisionerDefinition], uid: ResourceUid) -> str:
    """How to have one, and the type that may be meant."""
    served = {d.resource_type for d in definitions}
    named = OTHER_NAMES.get(uid.type.lower())
    meant = named if named in served else nearest(uid.type, served - {uid.type})
    question = did_you_mean(meant, after=" If not, ")
    described = "; or describe a server of it, as docs/provisioners.md says"
    return (
        f"{question}add one: score-flyio provisioners add ID {uid.type} …"
        f"{described if uid.type in SERVERS_ELSEWHERE else ''}"
    )


def _explain(definitions: Sequence[ProvisionerDefinition], uid: ResourceUid) -> str:
    near = [d for d in definitions if d.resource_type.lower() == uid.type.lower()]
    if not near:
        types = ", ".join(sorted({d.resource_type for d in definitions})) or "none at all"
        return f" (types served: {types})"
    served = "; ".join(f"'{d.id}' serves {_serves(d)}" for d in near)
    return f" ({served})"


def _serves(definition: ProvisionerDefinition) -> str:
    class_ = definition.resource_class or "*"
    return f"{definition.resource_type}.{class_}#{definition.resource_id or '*'}"


@frozen
class Means:
    """What provisioners in this process work with."""

    surroundings: Callable[[], Surroundings]
    """Gives templates the project."""
    access: Callable[[], FlyAccess]
    """Gives servers the way to Fly."""
    timeout: float = math.inf
    """Seconds for one call of a command or service."""


def project_registry(
    added: Sequence[ProvisionerDefinition],
    means: Means,
    *,
    folder: Path,
    defaults: bool = True,
) -> Registry:
    """The provisioners of a project: those of its state, and of `*.provisioners.yaml` in `folder`.

    With `defaults` those follow that come with score-flyio. Raises ConfigError with everything that
    is wrong in all files.
    """

    @cache
    def built_in() -> Offered:
        from score_flyio.resources.template.files import built_in

        return built_in(means)

    @cache
    def servers() -> Offered:
        from score_flyio.resources.template.files import servers

        return servers(means)

    definitions = tuple(added)
    work: dict[str, Provisioner] = {}
    if [*folder.glob(f"*{SUFFIX}")]:
        from score_flyio.resources.template.files import installed_in

        own = {definition.id for definition in added}
        for id_, (definition, provisioner) in installed_in(folder, means).items():
            if id_ not in own:
                definitions += (definition,)
                work[id_] = provisioner
    for definition in definitions:
        from score_flyio.resources.servers.native import builtin_kind

        if kind := builtin_kind(definition):
            from score_flyio.resources.template.files import built_in_server

            work[definition.id] = built_in_server(kind, means)
    return Registry(definitions, means.timeout, work, (built_in, servers) if defaults else ())
