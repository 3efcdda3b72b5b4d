"""Which documents `--json` prints, command by command; their JSON Schemas are made from these."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from score_flyio.base.json_schema import Form, schema
from score_flyio.cli.commands.certs import CertificateRemoved, OfApp
from score_flyio.cli.commands.config import Saved
from score_flyio.cli.commands.emulator import Serving
from score_flyio.cli.commands.init import Initialised
from score_flyio.cli.commands.ips import AddressChanged
from score_flyio.cli.commands.provisioners import Provisioner, Removed, Served
from score_flyio.cli.commands.resources import Deprovisioned, Resource
from score_flyio.cli.commands.rollback import RolledBack
from score_flyio.cli.commands.secrets import SecretsChanged, SecretsStored
from score_flyio.cli.commands.state import Adopted, Pulled, Unlocked
from score_flyio.cli.commands.version import Version
from score_flyio.cli.commands.workloads import Forgotten
from score_flyio.cli.deploy_run import Built
from score_flyio.cli.exit_codes import Failed
from score_flyio.deploy.desired.render import ReadDocument, RenderedDocument
from score_flyio.deploy.drift import Differs
from score_flyio.deploy.execution.report import Report
from score_flyio.engine.doctor import Diagnoses
from score_flyio.engine.generate import GenerateResult
from score_flyio.engine.operations.addresses import Address
from score_flyio.engine.operations.certificates import Certificate
from score_flyio.engine.operations.destroy import Destroyed, ToDestroy
from score_flyio.engine.operations.releases import AppReleases
from score_flyio.engine.operations.scale import Sizes
from score_flyio.engine.operations.secrets import SecretStatus
from score_flyio.engine.operations.status import Status
from score_flyio.engine.plans import Plan
from score_flyio.events.schema import json_schema as events_schema
from score_flyio.fly.logs import LogLine
from score_flyio.flytoml.document import Verdict
from score_flyio.state.shown import StateShown, WorkloadShown
from score_flyio.state.store import SavedVersion

VERSION: Final = 1
"""Raised when a member changes its meaning or goes; new members and forms do not count."""
EVENTS: Final = "events"
"""What the schema of `--events` is called, beside commands."""

FORMS: Final[dict[str, tuple[Form, ...]]] = {
    "init": (Initialised,),
    "generate": (GenerateResult, (GenerateResult, Failed), Report),
    "workloads list": (tuple[WorkloadShown, ...],),
    "workloads remove": (Forgotten,),
    "provisioners list": (tuple[Provisioner, ...], tuple[Served, ...]),
    "provisioners add": (Provisioner,),
    "provisioners remove": (Removed,),
    "resources list": (tuple[Resource, ...],),
    "resources get-outputs": (Mapping[str, Any],),
    "resources deprovision": (Deprovisioned,),
    "state show": (StateShown,),
    "state pull": (Pulled,),
    "state push": (StateShown,),
    "state adopt": (Adopted,),
    "state unlock": (Unlocked,),
    "state history": (tuple[SavedVersion, ...],),
    "deploy": (Report, Plan, Built),
    "plan": (Plan,),
    "status": (Status,),
    "logs": (tuple[LogLine, ...],),
    "releases": (tuple[AppReleases, ...],),
    "rollback": ((Report, RolledBack), (Plan, RolledBack), Report),
    "scale": (Sizes, Report, Plan),
    "secrets list": (tuple[SecretStatus, ...],),
    **dict.fromkeys(
        ("secrets set", "secrets unset", "secrets import", "secrets deploy"),
        ((Report, SecretsChanged), (Plan, SecretsChanged), SecretsStored, Report),
    ),
    "ips list": (tuple[Address, ...],),
    "ips allocate": ((Report, AddressChanged), Plan, Report),
    "ips release": ((Report, AddressChanged), Plan, Report),
    "certs list": (tuple[Certificate, ...],),
    "certs add": ((OfApp, Certificate), Plan, Report),
    "certs check": ((OfApp, Certificate),),
    "certs remove": (CertificateRemoved, Plan, Report),
    "destroy": ((Report, Destroyed), (Plan, ToDestroy), Report),
    "config validate": (Verdict,),
    "config render": ((ReadDocument, RenderedDocument),),
    "config save": (Saved,),
    "config diff": (Differs,),
    "emulator serve": (Serving,),
    "doctor": (Diagnoses,),
    "version": (Version,),
}
"""By command, the forms that its document may have; a failure may stand in place of each.

A `Report` alone is that of a change that was cut short.
"""


def schema_of(command: str) -> dict[str, Any]:
    """The JSON Schema of what a command prints, or of a line of `--events`."""
    if command == EVENTS:
        return events_schema()
    title = f"What score-flyio {command} --json prints, version {VERSION}"
    return schema(title, *FORMS[command], Failed)
