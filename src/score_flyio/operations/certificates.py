"""Certificates of the host names of an app."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias

from attrs import frozen

from fly_machines import models
from score_flyio.deploy.model import ObservedApp, OwnCertificate
from score_flyio.deploy.observe import Wanted, observe_app
from score_flyio.deploy.planning.plan import AppPlan
from score_flyio.deploy.step import AddCertificate, RemoveCertificate
from score_flyio.errors import NotFound, UsageError
from score_flyio.operations.apps import AppRef, existing, no_app
from score_flyio.operations.session import Session

PAGE = 500
"""Certificates in one answer, at most (Machines API)."""

_Detail: TypeAlias = (
    models.CertificateDetail | models.CertificateCheckResponse | models.CertificateSummary
)


@frozen(kw_only=True)
class Certificate:
    """The certificate of one host name."""

    hostname: str
    status: str
    configured: bool
    sources: tuple[str, ...] = ()
    """`fly`, made by the platform, and `custom`, given to it."""
    records: tuple[tuple[str, str, str], ...] = ()
    """DNS records that are asked for: type, name, value."""
    problems: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """One JSON object."""
        return {
            "hostname": self.hostname,
            "status": self.status,
            "configured": self.configured,
            "sources": list(self.sources),
            "dns_records": [
                {"type": kind, "name": name, "value": value} for kind, name, value in self.records
            ],
            "problems": list(self.problems),
        }


async def list_certificates(session: Session, ref: AppRef) -> tuple[Certificate, ...]:
    """All of an app, by host name. Raises UsageError when there is no such app."""
    found: list[models.CertificateSummary] = []
    cursor: str | None = None
    while True:
        try:
            page = await session.client.api.app_certificates_list(
                ref.app, cursor=cursor, limit=PAGE
            )
        except NotFound as error:
            raise no_app(ref) from error
        found += page.certificates or []
        if not page.next_cursor or page.next_cursor == cursor:
            break
        cursor = page.next_cursor
    return tuple(sorted(map(_certificate, found), key=lambda c: c.hostname))


async def plan_addition(
    session: Session, ref: AppRef, hostname: str, own: OwnCertificate | None = None
) -> AppPlan:
    """Has the platform make one, unless it was asked for before, or gives it one.

    Raises UsageError when there is no such app.
    """
    observed = await _observed(session, ref)
    step = AddCertificate(id=f"certificate:{hostname}", app=ref.app, hostname=hostname, own=own)
    needed = own is not None or hostname not in observed.certificates
    return session.plan(ref.app, ref.label, *([step] if needed else []))


async def plan_removal(session: Session, ref: AppRef, hostname: str) -> AppPlan:
    """Takes all certificates of the host name away. Raises UsageError for an unknown one."""
    observed = await _observed(session, ref)
    if hostname not in observed.certificates:
        raise _unknown(ref, hostname)
    step = RemoveCertificate(id=f"certificate:{hostname}", app=ref.app, hostname=hostname)
    return session.plan(ref.app, ref.label, step)


async def _observed(session: Session, ref: AppRef) -> ObservedApp:
    wanted = Wanted(certificates=True)
    return existing(await observe_app(session.client, ref.app, wanted), ref)


async def show_certificate(session: Session, ref: AppRef, hostname: str) -> Certificate:
    """As it is, without a new check. Raises UsageError for an unknown host name."""
    try:
        return _certificate(await session.client.api.app_certificates_show(ref.app, hostname))
    except NotFound as error:
        raise _unknown(ref, hostname) from error


async def check_certificate(session: Session, ref: AppRef, hostname: str) -> Certificate:
    """Has the platform look at the DNS records again. Raises UsageError."""
    try:
        return _certificate(await session.client.api.app_certificates_check(ref.app, hostname))
    except NotFound as error:
        raise _unknown(ref, hostname) from error


def _certificate(detail: _Detail) -> Certificate:
    if isinstance(detail, models.CertificateSummary):
        given = {"custom": detail.has_custom_certificate, "fly": detail.has_fly_certificate}
        return Certificate(
            hostname=detail.hostname or "",
            status=detail.status or "",
            configured=bool(detail.configured),
            sources=tuple(source for source, has in given.items() if has),
        )
    return Certificate(
        hostname=detail.hostname or "",
        status=detail.status or "",
        configured=bool(detail.configured),
        sources=tuple(str(entry.source) for entry in detail.certificates or [] if entry.source),
        records=() if detail.configured else _records(detail.hostname or "", detail),
        problems=tuple(
            " ".join(part for part in (error.message, error.remediation) if part)
            for error in detail.validation_errors or []
        ),
    )


def _records(
    hostname: str, detail: models.CertificateDetail | models.CertificateCheckResponse
) -> tuple[tuple[str, str, str], ...]:
    wanted = detail.dns_requirements
    if wanted is None:
        return ()
    records: list[tuple[str, str, str]] = []
    records += _addresses("A", hostname, wanted.a)
    records += _addresses("AAAA", hostname, wanted.aaaa)
    if wanted.cname and not records:
        records.append(("CNAME", hostname, wanted.cname))
    challenge, owner = wanted.acme_challenge, wanted.ownership
    if challenge and challenge.name and challenge.target:
        records.append(("CNAME", challenge.name, challenge.target))
    if owner and owner.name and owner.app_value:
        records.append(("TXT", owner.name, owner.app_value))
    return tuple(records)


def _addresses(
    kind: str, hostname: str, values: Sequence[str] | None
) -> list[tuple[str, str, str]]:
    return [(kind, hostname, value) for value in values or []]


def _unknown(ref: AppRef, hostname: str) -> UsageError:
    return UsageError(
        f"{ref} has no certificate for {hostname!r}",
        hint="add it with: score-flyio certs add, or see certs list",
        code="unknown_certificate",
    )
