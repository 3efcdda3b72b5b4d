"""The registry of a project: what was added to it, its files, and what comes with score-flyio.

Templates and all they need are loaded only when there are files, or when nothing else serves a
resource.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from score_flyio.resources.registry import Registry
from score_flyio.resources.template import SUFFIX

if TYPE_CHECKING:
    from score_flyio.resources.definition import ProvisionerDefinition
    from score_flyio.resources.provisioner import Provisioner
    from score_flyio.resources.template.surroundings import Surroundings


def project_registry(
    added: Sequence[ProvisionerDefinition],
    *,
    folder: Path,
    surroundings: Callable[[], Surroundings],
    timeout: float,
) -> Registry:
    """The provisioners of a project; `folder` has its `*.provisioners.yaml` files.

    Raises ConfigError with everything that is wrong in all files.
    """

    @cache
    def behind() -> Registry:
        from score_flyio.resources.template.files import defaults

        built_in = defaults(surroundings)
        return Registry(built_in.definitions, timeout, built_in.provisioners)

    definitions = tuple(added)
    templates: dict[str, Provisioner] = {}
    if any(folder.glob(f"*{SUFFIX}")):
        from score_flyio.resources.template.files import installed_in

        found = installed_in(folder, surroundings)
        own = {definition.id for definition in added}
        definitions += tuple(d for d in found.definitions if d.id not in own)
        templates = {id_: work for id_, work in found.provisioners.items() if id_ not in own}
    return Registry(definitions, timeout, templates, behind)
