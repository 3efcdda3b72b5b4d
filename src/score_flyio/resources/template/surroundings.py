"""What templates see of the project besides the resource itself."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any, Final

from score_flyio.base.record import field, frozen
from score_flyio.net.credentials import OWN
from score_flyio.resources.apart import leads_to
from score_flyio.resources.prime import prime
from score_flyio.score.placeholders import references_in
from score_flyio.score.resources import ResourceUid, definitions
from score_flyio.state.model import ProjectState

_NEEDED: Final = object()


@frozen(kw_only=True)
class Surroundings:
    """The project at the moment of the call."""

    state: ProjectState = field(repr=False)
    environ: Mapping[str, str] = field(factory=lambda: os.environ, repr=False)

    def values(self, uid: ResourceUid) -> dict[str, Any]:
        """The variables of a template, beside those of the request."""
        record = self.state.resources.get(uid)
        apps = {name: self.state.app_name(name) for name in sorted(self.state.workloads)}
        return {
            "SourceWorkload": record.source_workload if record else "",
            "LeadsTo": self._leads_to(uid, record.source_workload if record else ""),
            "WorkloadServices": {name: self._service(name) for name in apps},
            "AppPrefix": self.state.app_prefix,
            "Apps": apps,
            "References": self._references(uid),
        }

    def environment_variable(self, name: str, default: Any = _NEEDED) -> Any:
        """The function `env`.

        Raises VariableError. What the tool itself logs in with is not handed out, since whoever
        writes a Score file could read it in an app.
        """
        if name in OWN:
            raise VariableError(
                f"the environment variable {name} is for score-flyio itself",
                "set a variable of another name to what the app is to have",
            )
        if name not in self.environ and default is _NEEDED:
            raise VariableError(
                f"the environment variable {name} is not set", "set it where score-flyio runs"
            )
        return self.environ.get(name, default)

    def _service(self, workload: str) -> dict[str, Any]:
        service = self.state.workloads[workload].spec.get("service")
        ports = service.get("ports") if isinstance(service, dict) else None
        found: dict[str, Any] = {}
        for name, item in (ports or {}).items() if isinstance(ports, dict) else ():
            port = {
                "Name": name,
                "Port": item.get("port"),
                "TargetPort": item.get("targetPort", item.get("port")),
                "Protocol": item.get("protocol", "TCP"),
            }
            found[name] = port
            found.setdefault(str(port["Port"]), port)
        return {"ServiceName": self.state.app_name(workload), "Ports": found}

    def _leads_to(self, uid: ResourceUid, source: str) -> str:
        """The workload that a host name is for."""
        if uid.type != "dns":
            return source
        documents = self.state.documents
        primed, _ = prime(documents)
        return leads_to(primed[uid], primed, documents) if uid in primed else source

    def _references(self, uid: ResourceUid) -> list[str]:
        """The outputs that placeholders of the workloads read."""
        documents = self.state.documents
        found = {
            reference.parts[2]
            for item in definitions(documents)
            if item.uid == uid
            for _, reference in references_in(documents[item.workload])
            if reference.resource == item.name and len(reference.parts) > 2
        }
        return sorted(found)


class VariableError(LookupError):
    """Why a template does not get a variable of the environment; no value is told."""

    def __init__(self, message: str, hint: str) -> None:
        super().__init__(message)
        self.hint = hint
