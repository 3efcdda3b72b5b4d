"""Certificates of the host names of an app."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import TypeAlias

from fly_machines import models
from score_flyio.base.document import Document
from score_flyio.base.record import evolve, frozen, values
from score_flyio.deploy.app_step import AddCertificate, RemoveCertificate
from score_flyio.deploy.model import OwnCertificate, host_name
from score_flyio.deploy.observe import Wanted
from score_flyio.engine.operations.apps import AppRef, observe
from score_flyio.engine.operations.change import Before, Change, operation
from score_flyio.engine.session import Session
from score_flyio.errors import InvalidRequest, NotAuthorized, NotFound, UsageError
from score_flyio.flytoml.names import is_host_name

PAGE = 500
"""Certificates in one answer, at most (Machines API)."""

_Detail: TypeAlias = (
    models.CertificateDetail | models.CertificateCheckResponse | models.CertificateSummary
)


@frozen(kw_only=True)
class DnsRecord(Document):
    """A DNS record that is asked for."""

    type: str
    name: str
    value: str


@frozen(kw_only=True)
class Certificate(Document):
    """The certificate of one host name."""

    hostname: str
    """What it is for."""
    status: str
    """What the platform says of it."""
    configured: bool
    """Whether the DNS records are as they have to be."""
    sources: tuple[str, ...] = ()
    """`fly`, made by the platform, and `custom`, given to it."""
    dns_records: tuple[DnsRecord, ...] = ()
    """Those that are asked for."""
    problems: tuple[str, ...] = ()
    """What the platform finds wrong, a sentence each."""


@frozen(kw_only=True)
class AddedCertificate(Change):
    """What was done for a certificate, and what there is of it then."""

    certificate: Certificate | None = None
    """None where nothing was done, or it failed."""


async def list_certificates(session: Session, ref: AppRef) -> tuple[Certificate, ...]:
    """All of an app, by host name. Raises UsageError when there is no such app."""
    found: list[models.CertificateSummary] = []
    cursor: str | None = None
    while True:
        async with _of_an_app_that_is_there(session, ref):
            page = await session.client.api.app_certificates_list(
                ref.app, cursor=cursor, limit=PAGE
            )
        found += page.certificates or []
        if not page.next_cursor or page.next_cursor == cursor:
            break
        cursor = page.next_cursor
    return tuple(sorted(map(_certificate, found), key=lambda c: c.hostname))


async def add_certificate(
    session: Session,
    ref: AppRef,
    hostname: str,
    own: OwnCertificate | None = None,
    *,
    dry_run: bool = False,
) -> AddedCertificate:
    """Has the platform make one, unless it was asked before, or gives it one. Raises UsageError."""
    async with operation(session, "certs add", ref, dry_run=dry_run, remembered=False) as do:
        name = _host(hostname)
        observed = await observe(session, ref, Wanted(certificates=True))
        step = AddCertificate(id=f"certificate:{name}", hostname=name, own=own)
        steps = [] if own is None and name in observed.certificates else [step]
        change = await do.carry_out(Change.of(session, ref, observed, *steps))
        done = change.report is not None and not change.report.failures
        found = await read_certificate(session, ref, name) if done else None
        return AddedCertificate(**values(change), certificate=found)


async def remove_certificate(
    session: Session,
    ref: AppRef,
    hostname: str,
    *,
    before: Before | None = None,
    dry_run: bool = False,
) -> Change:
    """Takes all certificates of the host name away. Raises UsageError for an unknown one."""
    async with operation(session, "certs remove", ref, dry_run=dry_run, remembered=False) as do:
        name = _host(hostname)
        observed = await observe(session, ref, Wanted(certificates=True))
        if name not in observed.certificates:
            raise _unknown(ref, name)
        step = RemoveCertificate(id=f"certificate:{name}", hostname=name)
        return await do.carry_out(Change.of(session, ref, observed, step), before=before)


async def read_certificate(
    session: Session, ref: AppRef, hostname: str, *, check: bool = False
) -> Certificate:
    """As it is, with `check` after a new look at the DNS records. Raises UsageError."""
    api, name = session.client.api, _host(hostname)
    call: Callable[[str, str], Awaitable[_Detail]] = (
        api.app_certificates_check if check else api.app_certificates_show
    )
    try:
        async with _of_an_app_that_is_there(session, ref):
            return _certificate(await call(ref.app, name))
    except NotFound as error:
        raise _unknown(ref, hostname) from error


@asynccontextmanager
async def _of_an_app_that_is_there(session: Session, ref: AppRef) -> AsyncIterator[None]:
    """Raises UsageError for a refusal because there is no such app, whatever its status is."""
    try:
        yield
    except (NotFound, InvalidRequest, NotAuthorized):
        await observe(session, ref)
        raise


def _certificate(detail: _Detail) -> Certificate:
    found = Certificate(
        hostname=detail.hostname or "",
        status=detail.status or "",
        configured=bool(detail.configured),
    )
    if isinstance(detail, models.CertificateSummary):
        given = {"custom": detail.has_custom_certificate, "fly": detail.has_fly_certificate}
        return evolve(found, sources=tuple(source for source, has in given.items() if has))
    return evolve(
        found,
        sources=tuple(str(entry.source) for entry in detail.certificates or [] if entry.source),
        dns_records=() if found.configured else _records(found.hostname, detail),
        problems=tuple(
            " ".join(part for part in (error.message, error.remediation) if part)
            for error in detail.validation_errors or []
        ),
    )


def _records(
    hostname: str, detail: models.CertificateDetail | models.CertificateCheckResponse
) -> tuple[DnsRecord, ...]:
    wanted = detail.dns_requirements
    if wanted is None:
        return ()
    records = [
        DnsRecord(type=kind, name=hostname, value=value)
        for kind, values in (("A", wanted.a), ("AAAA", wanted.aaaa))
        for value in values or []
    ]
    if wanted.cname and not records:
        records.append(DnsRecord(type="CNAME", name=hostname, value=wanted.cname))
    challenge, owner = wanted.acme_challenge, wanted.ownership
    if challenge and challenge.name and challenge.target:
        records.append(DnsRecord(type="CNAME", name=challenge.name, value=challenge.target))
    if owner and owner.name and owner.app_value:
        records.append(DnsRecord(type="TXT", name=owner.name, value=owner.app_value))
    return tuple(records)


def _host(text: str) -> str:
    """A host name in its one form. Raises UsageError for what is none."""
    name = host_name(text.strip())
    if not is_host_name(name):
        raise UsageError(
            f"{text!r} is no host name",
            hint=f"write {_meant(name) or 'one such as www.example.com, or *.example.com'}",
            code="host_name_invalid",
        )
    return name


def _meant(text: str) -> str | None:
    """The host name that is in an address of the web, or is spelt in other letters."""
    name = text.removeprefix("http://").removeprefix("https://")
    name = name.partition("/")[0].partition(":")[0].strip()
    with suppress(UnicodeError):
        name = name.encode("idna").decode()
    return name if is_host_name(name) else None


def _unknown(ref: AppRef, hostname: str) -> UsageError:
    return UsageError(
        f"{ref} has no certificate for {hostname!r}",
        hint="add it with: score-flyio certs add, or see certs list",
        code="unknown_certificate",
    )
