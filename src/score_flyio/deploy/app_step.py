"""The steps of a plan that change an app and what it has beside machines.

Addresses, certificates, secrets and volumes; steps of machines are in `deploy.step`.
"""

from __future__ import annotations

from collections.abc import Mapping

from fly_machines import models
from fly_machines import operations as api
from score_flyio.base.record import field, frozen
from score_flyio.base.secret import Secret
from score_flyio.deploy.model import OwnCertificate
from score_flyio.deploy.step import Step


@frozen(kw_only=True)
class CreateApp(Step):
    """Makes the app, in the organization of slug `org`; its name is unique on the platform."""

    verb = "create app"
    says = "create app {step.app} in organization {step.org}"
    sign = "+"
    lasting = True
    operations = (api.APPS_CREATE,)
    app: str
    org: str


@frozen(kw_only=True)
class AllocateAddress(Step):
    """`kind` is `v4`, `v6`, `shared_v4` or `private_v6`."""

    verb = "allocate address"
    sign = "+"
    lasting = True
    operations = (api.APP_IP_ASSIGNMENTS_CREATE,)
    kind: str
    region: str | None = None
    """Where it leads to; None: to the machine that is nearest, wherever it is."""

    def describe(self) -> str:
        where = f" in {self.region}" if self.region else ""
        cost = ", 2 USD per month" if self.kind == "v4" else ""
        return f"allocate address {self.kind}{where}{cost}"


@frozen(kw_only=True)
class AddCertificate(Step):
    """Asks for a certificate for a host name that points at the app, or will; or gives one."""

    verb = "add certificate"
    sign = "+"
    lasting = True
    hostname: str
    own: OwnCertificate | None = None

    def describe(self) -> str:
        whose = "a certificate" if self.own is None else "the given certificate"
        return f"add {whose} for {self.hostname}"

    @property
    def operations(self) -> tuple[api.Operation, ...]:
        """A given certificate takes another call."""
        if self.own is None:
            return (api.APP_CERTIFICATES_ACME_CREATE,)
        return (api.APP_CERTIFICATES_CUSTOM_CREATE,)


@frozen(kw_only=True)
class RemoveCertificate(Step):
    """Takes all certificates of a host name away."""

    verb = "remove certificate"
    says = "remove the certificate of {step.hostname}"
    sign = "-"
    operations = (api.APP_CERTIFICATES_DELETE,)
    hostname: str


@frozen(kw_only=True)
class SetSecrets(Step):
    """Sets the values of `values`; a None unsets."""

    verb = "set secrets"
    sign = "~"
    operations = (api.SECRETS_UPDATE,)
    values: Mapping[str, Secret | None] = field(repr=False)
    changes: Mapping[str, str]
    """Name to what is known of the change: `new`, `changed`, `removed`, `absent` or `unknown`."""

    def describe(self) -> str:
        shown = ", ".join(f"{name} ({why})" for name, why in sorted(self.changes.items()))
        return f"set secrets {shown}"


@frozen(kw_only=True)
class CreateVolume(Step):
    """Makes a volume that a machine of the group mounts."""

    verb = "create volume"
    sign = "+"
    operations = (api.VOLUMES_CREATE,)
    request: models.CreateVolumeRequest

    def describe(self) -> str:
        size = f", {self.request.size_gb} GB" if self.request.size_gb else ""
        return f"create volume {self.request.name} in {self.request.region or 'any region'}{size}"


@frozen(kw_only=True)
class DestroyVolume(Step):
    """Deletes a volume with all that is on it."""

    verb = "destroy volume"
    says = "destroy volume {step.volume}"
    sign = "-"
    operations = (api.VOLUME_DELETE,)
    volume: str


@frozen(kw_only=True)
class ReleaseAddress(Step):
    """Gives an address back; the app is not reached by it any more."""

    verb = "release address"
    says = "release address {step.address}"
    sign = "-"
    operations = (api.APP_IP_ASSIGNMENTS_DELETE,)
    address: str


@frozen(kw_only=True)
class DestroyApp(Step):
    """Deletes the app, with everything that is still in it."""

    verb = "destroy app"
    says = "destroy app {step.app}"
    sign = "-"
    operations = (api.APPS_DELETE,)
    app: str
