"""Certificates of the host names of an app."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias

from attrs import frozen

from fly_machines import models
from score_flyio.errors import InvalidRequest, NotFound, UsageError
from score_flyio.operations.apps import AppRef, no_app
from score_flyio.operations.session import Session
from score_flyio.secret import Secret

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


async def add_certificate(session: Session, ref: AppRef, hostname: str) -> Certificate:
    """Asks the platform to make one; one that was asked for before is checked instead."""
    request = models.CreateAcmeCertificateRequest(hostname=hostname)
    try:
        detail = await session.client.api.app_certificates_acme_create(ref.app, request)
    except NotFound as error:
        raise no_app(ref) from error
    except InvalidRequest as error:
        if "already exists" not in error.answer.message.lower():
            raise
        return await show_certificate(session, ref, hostname)
    return _certificate(detail)


async def add_own_certificate(
    session: Session, ref: AppRef, hostname: str, *, fullchain: str, private_key: Secret
) -> Certificate:
    """Gives the platform a certificate and its key, both in PEM form."""
    request = models.CreateCustomCertificateRequest(
        hostname=hostname, fullchain=fullchain, private_key=private_key.reveal()
    )
    try:
        return _certificate(
            await session.client.api.app_certificates_custom_create(ref.app, request)
        )
    except NotFound as error:
        raise no_app(ref) from error


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


async def remove_certificate(session: Session, ref: AppRef, hostname: str) -> None:
    """Takes all certificates of the host name away. Raises UsageError for an unknown one."""
    try:
        await session.client.api.app_certificates_delete(ref.app, hostname)
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
