"""Certificates of host names. Validation succeeds when it is asked for."""

from __future__ import annotations

from typing import Any, Final

from fly_emulator.calls import Call, Handler
from fly_emulator.records import App, CertificateRecord, Json
from fly_emulator.wire import ApiResponse, Outcome, Refusal
from score_flyio.base.clock import rfc3339

_DEFAULT_LIMIT: Final = 25
_MOST: Final = 500


def _state(certificate: CertificateRecord) -> Json:
    """What each document says of a certificate."""
    active = certificate.checked or certificate.custom
    return {
        "hostname": certificate.hostname,
        "status": "active" if active else "pending_validation",
        "configured": active,
        "dns_provider": "",
        "acme_requested": certificate.acme,
    }


def _detail(call: Call, app: App, certificate: CertificateRecord) -> Json:
    sources = ["custom"] * certificate.custom + ["fly"] * _issued(certificate, call.now)
    return {
        **_state(certificate),
        "rate_limited_until": None,
        "certificates": [_entry(certificate, source) for source in sources],
        "validation": {
            "dns_configured": certificate.checked,
            "alpn_configured": certificate.checked,
            "http_configured": certificate.checked,
            "ownership_txt_configured": False,
        },
        "validation_errors": [],
        "dns_requirements": _requirements(app, certificate.hostname),
    }


def _issued(certificate: CertificateRecord, now: float) -> bool:
    """Whether the platform's own certificate is there: some time after the validation."""
    issued_at = certificate.issued_at
    return certificate.acme and issued_at is not None and issued_at <= now


def _entry(certificate: CertificateRecord, source: str) -> Json:
    return {
        "source": source,
        "status": "active",
        "created_at": rfc3339(certificate.created_at),
        "expires_at": rfc3339(certificate.created_at + 90 * 86_400),
        "issuer": None if source == "custom" else "Let's Encrypt",
        "issued": [],
    }


def _requirements(app: App, hostname: str) -> Json:
    bare = hostname.removeprefix("*.")
    target = f"{app.id[:7]}.{app.name}.fly.dev"
    return {
        "a": [ip.ip for ip in app.ips if ip.type in {"v4", "shared_v4"}],
        "aaaa": [ip.ip for ip in app.ips if ip.type == "v6"],
        "cname": target,
        "acme_challenge": {"name": f"_acme-challenge.{bare}", "target": f"{bare}.{target}"},
        "ownership": {
            "name": f"_fly-ownership.{bare}",
            "app_value": f"app-{app.id[:7]}",
            "org_value": f"org-{app.organization}",
        },
    }


def _find(call: Call) -> tuple[App, CertificateRecord]:
    app, hostname = call.app(), call.path["hostname"].lower()
    if hostname not in app.certificates:
        raise Refusal(404, f"certificate not found: {hostname}")
    return app, app.certificates[hostname]


def _record(call: Call, app: App) -> CertificateRecord:
    hostname: Any = call.body().get("hostname")
    if not isinstance(hostname, str) or "." not in hostname or " " in hostname:
        raise Refusal(422, f"invalid hostname: {hostname!r}")
    return app.certificates.setdefault(
        hostname.lower(), CertificateRecord(hostname=hostname.lower(), created_at=call.now)
    )


def _create_acme(call: Call) -> Outcome:
    app = call.app()
    certificate = _record(call, app)
    if certificate.acme:
        raise Refusal(422, f"Hostname already exists on app: {certificate.hostname}")
    certificate.acme = True
    return ApiResponse(status=201, document=_detail(call, app, certificate))


def _create_custom(call: Call) -> Outcome:
    app, body = call.app(), call.body()
    for name in ("fullchain", "private_key"):
        if "-----BEGIN" not in str(body.get(name) or ""):
            raise Refusal(422, f"invalid {name}: not in PEM form")
    certificate = _record(call, app)
    certificate.custom = True
    return ApiResponse(status=201, document=_detail(call, app, certificate))


def _check(call: Call) -> Outcome:
    app, certificate = _find(call)
    if not certificate.checked:
        certificate.issued_at = call.now + call.settings.certificate_issue
    certificate.checked = True
    records: Json = {"a": [], "aaaa": [], "cname": [], "resolved_addresses": [], "soa": None}
    return {**_detail(call, app, certificate), "dns_records": records}


def _list(call: Call) -> Outcome:
    app, limit = call.app(), call.integer("limit", _DEFAULT_LIMIT)
    wanted = call.query("filter") or ""
    names = sorted(name for name in app.certificates if wanted in name)
    start = max(call.integer("cursor", 0), 0)
    end = start + min(max(limit, 1), _MOST)
    return {
        "certificates": [summary(app.certificates[name], call.now) for name in names[start:end]],
        "total_count": len(names),
        "next_cursor": str(end) if end < len(names) else "",
    }


def summary(certificate: CertificateRecord, now: float) -> Json:
    """A certificate as lists show it."""
    return {
        **_state(certificate),
        "acme_alpn_configured": certificate.checked,
        "acme_dns_configured": certificate.checked,
        "acme_http_configured": certificate.checked,
        "ownership_txt_configured": False,
        "has_custom_certificate": certificate.custom,
        "has_fly_certificate": _issued(certificate, now),
        "created_at": rfc3339(certificate.created_at),
        "updated_at": rfc3339(certificate.created_at),
    }


def _delete(call: Call) -> None:
    app, certificate = _find(call)
    del app.certificates[certificate.hostname]


def _delete_acme(call: Call) -> Outcome:
    app, certificate = _find(call)
    certificate.acme = False
    return _detail(call, app, certificate)


def _delete_custom(call: Call) -> Outcome:
    app, certificate = _find(call)
    certificate.custom = False
    warning = "" if certificate.acme else "no certificate is left for this host name"
    detail = {k: v for k, v in _detail(call, app, certificate).items() if v is not None}
    return {**detail, "warning": warning}


HANDLERS: Final[dict[str, Handler]] = {
    "App_Certificates_list": _list,
    "App_Certificates_acme_create": _create_acme,
    "App_Certificates_custom_create": _create_custom,
    "App_Certificates_show": lambda call: _detail(call, *_find(call)),
    "App_Certificates_delete": _delete,
    "App_Certificates_acme_delete": _delete_acme,
    "App_Certificates_check": _check,
    "App_Certificates_custom_delete": _delete_custom,
}
