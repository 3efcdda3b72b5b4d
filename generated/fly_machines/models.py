# Made by openapi/generate.py from the document and its corrections; do not edit.

from __future__ import annotations

from typing import Any, Literal, TypeAlias

from fly_machines.model import Model, define


@define(init=False)
class AcmeChallenge(Model):
    __slots__ = ("extra", "name", "target")
    name: str | None
    target: str | None
    extra: dict[str, Any]

    def __init__(
        self,
        *,
        name: str | None = None,
        target: str | None = None,
        extra: dict[str, Any] | None = None,
    ) -> None:
        self.name = name
        self.target = target
        self.extra = {} if extra is None else extra


@define(init=False)
class AppOrganizationInfo(Model):
    __slots__ = ("extra", "internal_numeric_id", "name", "slug")
    internal_numeric_id: int | None
    name: str | None
    slug: str | None
    extra: dict[str, Any]

    def __init__(
        self,
        *,
        internal_numeric_id: int | None = None,
        name: str | None = None,
        slug: str | None = None,
        extra: dict[str, Any] | None = None,
    ) -> None:
        self.internal_numeric_id = internal_numeric_id
        self.name = name
        self.slug = slug
        self.extra = {} if extra is None else extra


@define(init=False)
class AppSecret(Model):
    """A secret of an app; the value is normally not given."""

    __slots__ = ("created_at", "digest", "extra", "name", "updated_at", "value")
    created_at: str | None
    """RFC 3339"""
    digest: str | None
    """Changes with the value; how it is computed is not documented"""
    name: str | None
    updated_at: str | None
    """RFC 3339"""
    value: str | None
    extra: dict[str, Any]

    def __init__(
        self,
        *,
        created_at: str | None = None,
        digest: str | None = None,
        name: str | None = None,
        updated_at: str | None = None,
        value: str | None = None,
        extra: dict[str, Any] | None = None,
    ) -> None:
        self.created_at = created_at
        self.digest = digest
        self.name = name
        self.updated_at = updated_at
        self.value = value
        self.extra = {} if extra is None else extra


@define(init=False)
class AppSecrets(Model):
    __slots__ = ("extra", "secrets")
    secrets: list[AppSecret] | None
    extra: dict[str, Any]

    def __init__(
        self,
        *,
        secrets: list[AppSecret] | None = None,
        extra: dict[str, Any] | None = None,
    ) -> None:
        self.secrets = secrets
        self.extra = {} if extra is None else extra


@define(init=False)
class AppSecretsUpdateRequest(Model):
    """Secrets to set, and to delete."""

    __slots__ = ("extra", "values")
    values: dict[str, str | None] | None
    """Value by name"""
    extra: dict[str, Any]

    def __init__(
        self,
        *,
        values: dict[str, str | None] | None = None,
        extra: dict[str, Any] | None = None,
    ) -> None:
        self.values = values
        self.extra = {} if extra is None else extra


@define(init=False)
class AppSecretsUpdateResp(Model):
    __slots__ = ("Version", "extra", "secrets", "version")
    Version: int | None
    """Deprecated, use `version`"""
    secrets: list[AppSecret] | None
    version: int | None
    """Secrets version: grows with each change"""
    extra: dict[str, Any]

    def __init__(
        self,
        *,
        Version: int | None = None,
        secrets: list[AppSecret] | None = None,
        version: int | None = None,
        extra: dict[str, Any] | None = None,
    ) -> None:
        self.Version = Version
        self.secrets = secrets
        self.version = version
        self.extra = {} if extra is None else extra


@define(init=False)
class CertificateSummary(Model):
    __slots__ = (
        "acme_alpn_configured",
        "acme_dns_configured",
        "acme_http_configured",
        "acme_requested",
        "configured",
        "created_at",
        "dns_provider",
        "extra",
        "has_custom_certificate",
        "has_fly_certificate",
        "hostname",
        "ownership_txt_configured",
        "status",
        "updated_at",
    )
    acme_alpn_configured: bool | None
    acme_dns_configured: bool | None
    acme_http_configured: bool | None
    acme_requested: bool | None
    configured: bool | None
    created_at: str | None
    dns_provider: str | None
    has_custom_certificate: bool | None
    has_fly_certificate: bool | None
    hostname: str | None
    ownership_txt_configured: bool | None
    status: str | None
    updated_at: str | None
    extra: dict[str, Any]

    def __init__(
        self,
        *,
        acme_alpn_configured: bool | None = None,
        acme_dns_configured: bool | None = None,
        acme_http_configured: bool | None = None,
        acme_requested: bool | None = None,
        configured: bool | None = None,
        created_at: str | None = None,
        dns_provider: str | None = None,
        has_custom_certificate: bool | None = None,
        has_fly_certificate: bool | None = None,
        hostname: str | None = None,
        ownership_txt_configured: bool | None = None,
        status: str | None = None,
        updated_at: str | None = None,
        extra: dict[str, Any] | None = None,
    ) -> None:
        self.acme_alpn_configured = acme_alpn_configured
        self.acme_dns_configured = acme_dns_configured
        self.acme_http_configured = acme_http_configured
        self.acme_requested = acme_requested
        self.configured = configured
        self.created_at = created_at
        self.dns_provider = dns_provider
        self.has_custom_certificate = has_custom_certificate
        self.has_fly_certificate = has_fly_certificate
        self.hostname = hostname
        self.ownership_txt_configured = ownership_txt_configured
        self.status = status
        self.updated_at = updated_at
        self.extra = {} if extra is None else extra


@define(init=False)
class CertificateValidation(Model):
    __slots__ = (
        "alpn_configured",
        "dns_configured",
        "extra",
        "http_configured",
        "ownership_txt_configured",
    )
    alpn_configured: bool | None
    dns_configured: bool | None
    http_configured: bool | None
    ownership_txt_configured: bool | None
    extra: dict[str, Any]

    def __init__(
        self,
        *,
        alpn_configured: bool | None = None,
        dns_configured: bool | None = None,
        http_configured: bool | None = None,
        ownership_txt_configured: bool | None = None,
        extra: dict[str, Any] | None = None,
    ) -> None:
        self.alpn_configured = alpn_configured
        self.dns_configured = dns_configured
        self.http_configured = http_configured
        self.ownership_txt_configured = ownership_txt_configured
        self.extra = {} if extra is None else extra


@define(init=False)
class CertificateValidationError(Model):
    __slots__ = ("code", "extra", "message", "remediation", "timestamp")
    code: str | None
    message: str | None
    remediation: str | None
    timestamp: str | None
    extra: dict[str, Any]

    def __init__(
        self,
        *,
        code: str | None = None,
        message: str | None = None,
        remediation: str | None = None,
        timestamp: str | None = None,
        extra: dict[str, Any] | None = None,
    ) -> None:
        self.code = code
        self.message = message
        self.remediation = remediation
        self.timestamp = timestamp
        self.extra = {} if extra is None else extra


@define(init=False)
class CheckStatus(Model):
    """Result of a health check of a machine."""

    __slots__ = ("extra", "name", "output", "status", "updated_at")
    name: str | None
    output: str | None
    status: str | None
    """`passing`, `warning` or `critical`"""
    updated_at: str | None
    """RFC 3339"""
    extra: dict[str, Any]

    def __init__(
        self,
        *,
        name: str | None = None,
        output: str | None = None,
        status: str | None = None,
        updated_at: str | None = None,
        extra: dict[str, Any] | None = None,
    ) -> None:
        self.name = name
        self.output = output
        self.status = status
        self.updated_at = updated_at
        self.extra = {} if extra is None else extra


@define(init=False)
class CreateAppDeployTokenRequest(Model):
    __slots__ = (
        "expiry",
        "extra",
    )
    expiry: str | None
    """Go duration, such as `175200h`"""
    extra: dict[str, Any]

    def __init__(
        self,
        *,
        expiry: str | None = None,
        extra: dict[str, Any] | None = None,
    ) -> None:
        self.expiry = expiry
        self.extra = {} if extra is None else extra


@define(init=False)
class CreateAppRequest(Model):
    """An app to create; `name` and `org_slug` are needed."""

    __slots__ = (
        "app_role_id",
        "enable_subdomains",
        "extra",
        "name",
        "network",
        "org_slug",
    )
    enable_subdomains: bool | None
    name: str | None
    """Lower-case letters, digits and dashes, at most 63"""
    network: str | None
    """Private network; made when it does not exist; can never be changed"""
    org_slug: str | None
    app_role_id: str | None
    extra: dict[str, Any]

    def __init__(
        self,
        *,
        enable_subdomains: bool | None = None,
        name: str | None = None,
        network: str | None = None,
        org_slug: str | None = None,
        app_role_id: str | None = None,
        extra: dict[str, Any] | None = None,
    ) -> None:
        self.enable_subdomains = enable_subdomains
        self.name = name
        self.network = network
        self.org_slug = org_slug
        self.app_role_id = app_role_id
        self.extra = {} if extra is None else extra


@define(init=False)
class CreateAppResponse(Model):
    __slots__ = ("extra", "token")
    token: str | None
    extra: dict[str, Any]

    def __init__(
        self,
        *,
        token: str | None = None,
        extra: dict[str, Any] | None = None,
    ) -> None:
        self.token = token
        self.extra = {} if extra is None else extra


@define(init=False)
class CreateLeaseRequest(Model):
    """A lease to take or prolong."""

    __slots__ = ("description", "extra", "ttl")
    description: str | None
    """Shown to whoever meets the lease"""
    ttl: int | None
    """Seconds until it ends by itself"""
    extra: dict[str, Any]

    def __init__(
        self,
        *,
        description: str | None = None,
        ttl: int | None = None,
        extra: dict[str, Any] | None = None,
    ) -> None:
        self.description = description
        self.ttl = ttl
        self.extra = {} if extra is None else extra


@define(init=False)
class CreateOIDCTokenRequest(Model):
    __slots__ = (
        "aud",
        "aws_principal_tags",
        "extra",
    )
    aud: str | None
    aws_principal_tags: bool | None
    extra: dict[str, Any]

    def __init__(
        self,
        *,
        aud: str | None = None,
        aws_principal_tags: bool | None = None,
        extra: dict[str, Any] | None = None,
    ) -> None:
        self.aud = aud
        self.aws_principal_tags = aws_principal_tags
        self.extra = {} if extra is None else extra


@define(init=False)
class DNSRecords(Model):
    __slots__ = (
        "a",
        "aaaa",
        "acme_challenge_cname",
        "cname",
        "extra",
        "ownership_txt",
        "resolved_addresses",
        "soa",
    )
    a: list[str] | None
    aaaa: list[str] | None
    acme_challenge_cname: str | None
    cname: list[str] | None
    ownership_txt: str | None
    resolved_addresses: list[str] | None
    soa: str | None
    extra: dict[str, Any]

    def __init__(
        self,
        *,
        a: list[str] | None = None,
        aaaa: list[str] | None = None,
        acme_challenge_cname: str | None = None,
        cname: list[str] | None = None,
        ownership_txt: str | None = None,
        resolved_addresses: list[str] | None = None,
        soa: str | None = None,
        extra: dict[str, Any] | None = None,
    ) -> None:
        self.a = a
        self.aaaa = aaaa
        self.acme_challenge_cname = acme_challenge_cname
        self.cname = cname
        self.ownership_txt = ownership_txt
        self.resolved_addresses = resolved_addresses
        self.soa = soa
        self.extra = {} if extra is None else extra


@define(init=False)
class DecryptSecretkeyRequest(Model):
    __slots__ = (
        "associated_data",
        "ciphertext",
        "extra",
    )
    associated_data: str | None
    ciphertext: str | None
    extra: dict[str, Any]

    def __init__(
        self,
        *,
        associated_data: str | None = None,
        ciphertext: str | None = None,
        extra: dict[str, Any] | None = None,
    ) -> None:
        self.associated_data = associated_data
        self.ciphertext = ciphertext
        self.extra = {} if extra is None else extra


@define(init=False)
class DecryptSecretkeyResponse(Model):
    __slots__ = ("extra", "plaintext")
    plaintext: str | None
    extra: dict[str, Any]

    def __init__(
        self,
        *,
        plaintext: str | None = None,
        extra: dict[str, Any] | None = None,
    ) -> None:
        self.plaintext = plaintext
        self.extra = {} if extra is None else extra


@define(init=False)
class DeleteAppSecretResponse(Model):
    __slots__ = ("Version", "extra", "version")
    Version: int | None
    """Deprecated, use `version`"""
    version: int | None
    """Secrets version"""
    extra: dict[str, Any]

    def __init__(
        self,
        *,
        Version: int | None = None,
        version: int | None = None,
        extra: dict[str, Any] | None = None,
    ) -> None:
        self.Version = Version
        self.version = version
        self.extra = {} if extra is None else extra


@define(init=False)
class DeleteSecretkeyResponse(Model):
    __slots__ = ("Version", "extra", "version")
    Version: int | None
    """Deprecated, use `version`"""
    version: int | None
    extra: dict[str, Any]

    def __init__(
        self,
        *,
        Version: int | None = None,
        version: int | None = None,
        extra: dict[str, Any] | None = None,
    ) -> None:
        self.Version = Version
        self.version = version
        self.extra = {} if extra is None else extra


@define(init=False)
class EncryptSecretkeyRequest(Model):
    __slots__ = ("associated_data", "extra", "plaintext")
    associated_data: str | None
    plaintext: str | None
    extra: dict[str, Any]

    def __init__(
        self,
        *,
        associated_data: str | None = None,
        plaintext: str | None = None,
        extra: dict[str, Any] | None = None,
    ) -> None:
        self.associated_data = associated_data
        self.plaintext = plaintext
        self.extra = {} if extra is None else extra


@define(init=False)
class EncryptSecretkeyResponse(Model):
    __slots__ = (
        "ciphertext",
        "extra",
    )
    ciphertext: str | None
    extra: dict[str, Any]

    def __init__(
        self,
        *,
        ciphertext: str | None = None,
        extra: dict[str, Any] | None = None,
    ) -> None:
        self.ciphertext = ciphertext
        self.extra = {} if extra is None else extra


@define(init=False)
class ExtendVolumeRequest(Model):
    __slots__ = ("extra", "size_gb")
    size_gb: int | None
    extra: dict[str, Any]

    def __init__(
        self,
        *,
        size_gb: int | None = None,
        extra: dict[str, Any] | None = None,
    ) -> None:
        self.size_gb = size_gb
        self.extra = {} if extra is None else extra


@define(init=False)
class ImageRef(Model):
    """The image a machine runs."""

    __slots__ = ("digest", "extra", "labels", "registry", "repository", "tag")
    digest: str | None
    labels: dict[str, str] | None
    registry: str | None
    repository: str | None
    tag: str | None
    extra: dict[str, Any]

    def __init__(
        self,
        *,
        digest: str | None = None,
        labels: dict[str, str] | None = None,
        registry: str | None = None,
        repository: str | None = None,
        tag: str | None = None,
        extra: dict[str, Any] | None = None,
    ) -> None:
        self.digest = digest
        self.labels = labels
        self.registry = registry
        self.repository = repository
        self.tag = tag
        self.extra = {} if extra is None else extra


@define(init=False)
class IssuedCertificate(Model):
    __slots__ = ("certificate_authority", "expires_at", "extra", "type")
    certificate_authority: str | None
    expires_at: str | None
    type: Literal["rsa", "ecdsa"] | None
    extra: dict[str, Any]

    def __init__(
        self,
        *,
        certificate_authority: str | None = None,
        expires_at: str | None = None,
        type: Literal["rsa", "ecdsa"] | None = None,
        extra: dict[str, Any] | None = None,
    ) -> None:
        self.certificate_authority = certificate_authority
        self.expires_at = expires_at
        self.type = type
        self.extra = {} if extra is None else extra


@define(init=False)
class Lease(Model):
    """The exclusive hold on one machine."""

    __slots__ = ("description", "expires_at", "extra", "nonce", "owner", "version")
    description: str | None
    expires_at: int | None
    """Seconds since 1970"""
    nonce: str | None
    """Send it with each change of the machine"""
    owner: str | None
    version: str | None
    """Version of the machine when it was leased"""
    extra: dict[str, Any]

    def __init__(
        self,
        *,
        description: str | None = None,
        expires_at: int | None = None,
        nonce: str | None = None,
        owner: str | None = None,
        version: str | None = None,
        extra: dict[str, Any] | None = None,
    ) -> None:
        self.description = description
        self.expires_at = expires_at
        self.nonce = nonce
        self.owner = owner
        self.version = version
        self.extra = {} if extra is None else extra


@define(init=False)
class ListenSocket(Model):
    __slots__ = ("address", "extra", "proto")
    address: str | None
    proto: str | None
    extra: dict[str, Any]

    def __init__(
        self,
        *,
        address: str | None = None,
        proto: str | None = None,
        extra: dict[str, Any] | None = None,
    ) -> None:
        self.address = address
        self.proto = proto
        self.extra = {} if extra is None else extra


@define(init=False)
class MachineEvent(Model):
    """Something that happened to a machine."""

    __slots__ = ("extra", "id", "request", "source", "status", "timestamp", "type")
    id: str | None
    request: dict[str, Any] | None
    source: str | None
    """`user`, `flyd` and others"""
    status: str | None
    timestamp: int | None
    """Milliseconds since 1970"""
    type: str | None
    """`launch`, `start`, `exit`, `update` and others"""
    extra: dict[str, Any]

    def __init__(
        self,
        *,
        id: str | None = None,
        request: dict[str, Any] | None = None,
        source: str | None = None,
        status: str | None = None,
        timestamp: int | None = None,
        type: str | None = None,
        extra: dict[str, Any] | None = None,
    ) -> None:
        self.id = id
        self.request = request
        self.source = source
        self.status = status
        self.timestamp = timestamp
        self.type = type
        self.extra = {} if extra is None else extra


@define(init=False)
class MachineExecRequest(Model):
    __slots__ = ("cmd", "command", "container", "extra", "machine", "stdin", "timeout")
    cmd: str | None
    """Deprecated, use `command`"""
    command: list[str] | None
    container: str | None
    """Container to run it in"""
    stdin: str | None
    timeout: int | None
    """Seconds"""
    machine: bool | None
    extra: dict[str, Any]

    def __init__(
        self,
        *,
        cmd: str | None = None,
        command: list[str] | None = None,
        container: str | None = None,
        stdin: str | None = None,
        timeout: int | None = None,
        machine: bool | None = None,
        extra: dict[str, Any] | None = None,
    ) -> None:
        self.cmd = cmd
        self.command = command
        self.container = container
        self.stdin = stdin
        self.timeout = timeout
        self.machine = machine
        self.extra = {} if extra is None else extra


@define(init=False)
class OrgVolume(Model):
    """A volume in the list of an organization."""

    __slots__ = (
        "app_name",
        "attached_alloc_id",
        "attached_machine_id",
        "auto_backup_enabled",
        "block_size",
        "blocks",
        "blocks_avail",
        "blocks_free",
        "bytes_total",
        "bytes_used",
        "created_at",
        "encrypted",
        "extra",
        "fstype",
        "host_status",
        "id",
        "name",
        "region",
        "size_gb",
        "snapshot_retention",
        "state",
        "type",
        "updated_at",
        "zone",
    )
    app_name: str | None
    attached_alloc_id: str | None
    attached_machine_id: str | None
    auto_backup_enabled: bool | None
    block_size: int | None
    blocks: int | None
    blocks_avail: int | None
    blocks_free: int | None
    bytes_total: int | None
    bytes_used: int | None
    created_at: str | None
    encrypted: bool | None
    fstype: str | None
    host_status: Literal["ok", "unknown", "unreachable"] | None
    id: str | None
    name: str | None
    region: str | None
    size_gb: int | None
    snapshot_retention: int | None
    state: str | None
    type: Literal["local", "cache"] | None
    updated_at: str | None
    zone: str | None
    extra: dict[str, Any]

    def __init__(
        self,
        *,
        app_name: str | None = None,
        attached_alloc_id: str | None = None,
        attached_machine_id: str | None = None,
        auto_backup_enabled: bool | None = None,
        block_size: int | None = None,
        blocks: int | None = None,
        blocks_avail: int | None = None,
        blocks_free: int | None = None,
        bytes_total: int | None = None,
        bytes_used: int | None = None,
        created_at: str | None = None,
        encrypted: bool | None = None,
        fstype: str | None = None,
        host_status: Literal["ok", "unknown", "unreachable"] | None = None,
        id: str | None = None,
        name: str | None = None,
        region: str | None = None,
        size_gb: int | None = None,
        snapshot_retention: int | None = None,
        state: str | None = None,
        type: Literal["local", "cache"] | None = None,
        updated_at: str | None = None,
        zone: str | None = None,
        extra: dict[str, Any] | None = None,
    ) -> None:
        self.app_name = app_name
        self.attached_alloc_id = attached_alloc_id
        self.attached_machine_id = attached_machine_id
        self.auto_backup_enabled = auto_backup_enabled
        self.block_size = block_size
        self.blocks = blocks
        self.blocks_avail = blocks_avail
        self.blocks_free = blocks_free
        self.bytes_total = bytes_total
        self.bytes_used = bytes_used
        self.created_at = created_at
        self.encrypted = encrypted
        self.fstype = fstype
        self.host_status = host_status
        self.id = id
        self.name = name
        self.region = region
        self.size_gb = size_gb
        self.snapshot_retention = snapshot_retention
        self.state = state
        self.type = type
        self.updated_at = updated_at
        self.zone = zone
        self.extra = {} if extra is None else extra


@define(init=False)
class OrgVolumesResponse(Model):
    __slots__ = ("extra", "last_updated_at", "last_volume_id", "next_cursor", "volumes")
    last_updated_at: str | None
    last_volume_id: str | None
    next_cursor: str | None
    volumes: list[OrgVolume] | None
    extra: dict[str, Any]

    def __init__(
        self,
        *,
        last_updated_at: str | None = None,
        last_volume_id: str | None = None,
        next_cursor: str | None = None,
        volumes: list[OrgVolume] | None = None,
        extra: dict[str, Any] | None = None,
    ) -> None:
        self.last_updated_at = last_updated_at
        self.last_volume_id = last_volume_id
        self.next_cursor = next_cursor
        self.volumes = volumes
        self.extra = {} if extra is None else extra


@define(init=False)
class OwnershipVerification(Model):
    __slots__ = ("app_value", "extra", "name", "org_value")
    app_value: str | None
    name: str | None
    org_value: str | None
    extra: dict[str, Any]

    def __init__(
        self,
        *,
        app_value: str | None = None,
        name: str | None = None,
        org_value: str | None = None,
        extra: dict[str, Any] | None = None,
    ) -> None:
        self.app_value = app_value
        self.name = name
        self.org_value = org_value
        self.extra = {} if extra is None else extra


@define(init=False)
class ProcessStat(Model):
    """A process inside a machine."""

    __slots__ = (
        "command",
        "cpu",
        "directory",
        "extra",
        "listen_sockets",
        "pid",
        "rss",
        "rtime",
        "stime",
    )
    command: str | None
    cpu: int | None
    directory: str | None
    listen_sockets: list[ListenSocket] | None
    pid: int | None
    rss: int | None
    """Bytes of memory"""
    rtime: int | None
    stime: int | None
    extra: dict[str, Any]

    def __init__(
        self,
        *,
        command: str | None = None,
        cpu: int | None = None,
        directory: str | None = None,
        listen_sockets: list[ListenSocket] | None = None,
        pid: int | None = None,
        rss: int | None = None,
        rtime: int | None = None,
        stime: int | None = None,
        extra: dict[str, Any] | None = None,
    ) -> None:
        self.command = command
        self.cpu = cpu
        self.directory = directory
        self.listen_sockets = listen_sockets
        self.pid = pid
        self.rss = rss
        self.rtime = rtime
        self.stime = stime
        self.extra = {} if extra is None else extra


@define(init=False)
class SecretKey(Model):
    __slots__ = ("created_at", "extra", "name", "public_key", "type", "updated_at")
    created_at: str | None
    name: str | None
    type: str | None
    updated_at: str | None
    public_key: str | None
    extra: dict[str, Any]

    def __init__(
        self,
        *,
        created_at: str | None = None,
        name: str | None = None,
        type: str | None = None,
        updated_at: str | None = None,
        public_key: str | None = None,
        extra: dict[str, Any] | None = None,
    ) -> None:
        self.created_at = created_at
        self.name = name
        self.type = type
        self.updated_at = updated_at
        self.public_key = public_key
        self.extra = {} if extra is None else extra


@define(init=False)
class SecretKeys(Model):
    __slots__ = ("extra", "secret_keys")
    secret_keys: list[SecretKey] | None
    extra: dict[str, Any]

    def __init__(
        self,
        *,
        secret_keys: list[SecretKey] | None = None,
        extra: dict[str, Any] | None = None,
    ) -> None:
        self.secret_keys = secret_keys
        self.extra = {} if extra is None else extra


@define(init=False)
class SetAppSecretRequest(Model):
    __slots__ = ("extra", "value")
    value: str | None
    extra: dict[str, Any]

    def __init__(
        self,
        *,
        value: str | None = None,
        extra: dict[str, Any] | None = None,
    ) -> None:
        self.value = value
        self.extra = {} if extra is None else extra


@define(init=False)
class SetAppSecretResponse(Model):
    __slots__ = (
        "Version",
        "created_at",
        "digest",
        "extra",
        "name",
        "updated_at",
        "value",
        "version",
    )
    Version: int | None
    """Deprecated, use `version`"""
    created_at: str | None
    digest: str | None
    name: str | None
    updated_at: str | None
    value: str | None
    version: int | None
    """Secrets version"""
    extra: dict[str, Any]

    def __init__(
        self,
        *,
        Version: int | None = None,
        created_at: str | None = None,
        digest: str | None = None,
        name: str | None = None,
        updated_at: str | None = None,
        value: str | None = None,
        version: int | None = None,
        extra: dict[str, Any] | None = None,
    ) -> None:
        self.Version = Version
        self.created_at = created_at
        self.digest = digest
        self.name = name
        self.updated_at = updated_at
        self.value = value
        self.version = version
        self.extra = {} if extra is None else extra


@define(init=False)
class SetSecretkeyRequest(Model):
    __slots__ = ("extra", "type", "value")
    type: str | None
    value: str | None
    extra: dict[str, Any]

    def __init__(
        self,
        *,
        type: str | None = None,
        value: str | None = None,
        extra: dict[str, Any] | None = None,
    ) -> None:
        self.type = type
        self.value = value
        self.extra = {} if extra is None else extra


@define(init=False)
class SetSecretkeyResponse(Model):
    __slots__ = (
        "Version",
        "created_at",
        "extra",
        "name",
        "public_key",
        "type",
        "updated_at",
        "version",
    )
    Version: int | None
    """Deprecated, use `version`"""
    created_at: str | None
    name: str | None
    type: str | None
    updated_at: str | None
    version: int | None
    public_key: str | None
    extra: dict[str, Any]

    def __init__(
        self,
        *,
        Version: int | None = None,
        created_at: str | None = None,
        name: str | None = None,
        type: str | None = None,
        updated_at: str | None = None,
        version: int | None = None,
        public_key: str | None = None,
        extra: dict[str, Any] | None = None,
    ) -> None:
        self.Version = Version
        self.created_at = created_at
        self.name = name
        self.type = type
        self.updated_at = updated_at
        self.version = version
        self.public_key = public_key
        self.extra = {} if extra is None else extra


@define(init=False)
class SignSecretkeyRequest(Model):
    __slots__ = ("extra", "plaintext")
    plaintext: str | None
    extra: dict[str, Any]

    def __init__(
        self,
        *,
        plaintext: str | None = None,
        extra: dict[str, Any] | None = None,
    ) -> None:
        self.plaintext = plaintext
        self.extra = {} if extra is None else extra


@define(init=False)
class SignSecretkeyResponse(Model):
    __slots__ = ("extra", "signature")
    signature: str | None
    extra: dict[str, Any]

    def __init__(
        self,
        *,
        signature: str | None = None,
        extra: dict[str, Any] | None = None,
    ) -> None:
        self.signature = signature
        self.extra = {} if extra is None else extra


@define(init=False)
class SignalRequest(Model):
    __slots__ = ("extra", "signal")
    signal: (
        Literal[
            "SIGABRT",
            "SIGALRM",
            "SIGFPE",
            "SIGHUP",
            "SIGILL",
            "SIGINT",
            "SIGKILL",
            "SIGPIPE",
            "SIGQUIT",
            "SIGSEGV",
            "SIGTERM",
            "SIGTRAP",
            "SIGUSR1",
            "SIGUSR2",
        ]
        | None
    )
    extra: dict[str, Any]

    def __init__(
        self,
        *,
        signal: Literal[
            "SIGABRT",
            "SIGALRM",
            "SIGFPE",
            "SIGHUP",
            "SIGILL",
            "SIGINT",
            "SIGKILL",
            "SIGPIPE",
            "SIGQUIT",
            "SIGSEGV",
            "SIGTERM",
            "SIGTRAP",
            "SIGUSR1",
            "SIGUSR2",
        ]
        | None = None,
        extra: dict[str, Any] | None = None,
    ) -> None:
        self.signal = signal
        self.extra = {} if extra is None else extra


@define(init=False)
class StopRequest(Model):
    """How to stop a machine."""

    __slots__ = ("extra", "signal", "timeout")
    signal: (
        Literal["SIGHUP", "SIGINT", "SIGQUIT", "SIGKILL", "SIGUSR1", "SIGUSR2", "SIGTERM"] | None
    )
    timeout: str | None
    """Go duration, such as `10s`"""
    extra: dict[str, Any]

    def __init__(
        self,
        *,
        signal: Literal["SIGHUP", "SIGINT", "SIGQUIT", "SIGKILL", "SIGUSR1", "SIGUSR2", "SIGTERM"]
        | None = None,
        timeout: str | None = None,
        extra: dict[str, Any] | None = None,
    ) -> None:
        self.signal = signal
        self.timeout = timeout
        self.extra = {} if extra is None else extra


@define(init=False)
class UpdateVolumeRequest(Model):
    __slots__ = ("auto_backup_enabled", "extra", "snapshot_retention")
    auto_backup_enabled: bool | None
    snapshot_retention: int | None
    extra: dict[str, Any]

    def __init__(
        self,
        *,
        auto_backup_enabled: bool | None = None,
        snapshot_retention: int | None = None,
        extra: dict[str, Any] | None = None,
    ) -> None:
        self.auto_backup_enabled = auto_backup_enabled
        self.snapshot_retention = snapshot_retention
        self.extra = {} if extra is None else extra


@define(init=False)
class VerifySecretkeyRequest(Model):
    __slots__ = ("extra", "plaintext", "signature")
    plaintext: str | None
    signature: str | None
    extra: dict[str, Any]

    def __init__(
        self,
        *,
        plaintext: str | None = None,
        signature: str | None = None,
        extra: dict[str, Any] | None = None,
    ) -> None:
        self.plaintext = plaintext
        self.signature = signature
        self.extra = {} if extra is None else extra


@define(init=False)
class Volume(Model):
    """A disk on one host, for one machine at a time."""

    __slots__ = (
        "attached_alloc_id",
        "attached_machine_id",
        "auto_backup_enabled",
        "block_size",
        "blocks",
        "blocks_avail",
        "blocks_free",
        "bytes_total",
        "bytes_used",
        "created_at",
        "encrypted",
        "extra",
        "fstype",
        "host_dedication_id",
        "host_status",
        "id",
        "name",
        "region",
        "size_gb",
        "snapshot_retention",
        "state",
        "type",
        "zone",
    )
    attached_alloc_id: str | None
    attached_machine_id: str | None
    """Machine that has it"""
    auto_backup_enabled: bool | None
    block_size: int | None
    """Bytes"""
    blocks: int | None
    blocks_avail: int | None
    blocks_free: int | None
    bytes_total: int | None
    """Bytes"""
    bytes_used: int | None
    """Bytes"""
    created_at: str | None
    encrypted: bool | None
    fstype: str | None
    host_status: Literal["ok", "unknown", "unreachable"] | None
    id: str | None
    name: str | None
    region: str | None
    size_gb: int | None
    snapshot_retention: int | None
    """Days"""
    state: str | None
    type: Literal["local", "cache"] | None
    zone: str | None
    host_dedication_id: str | None
    extra: dict[str, Any]

    def __init__(
        self,
        *,
        attached_alloc_id: str | None = None,
        attached_machine_id: str | None = None,
        auto_backup_enabled: bool | None = None,
        block_size: int | None = None,
        blocks: int | None = None,
        blocks_avail: int | None = None,
        blocks_free: int | None = None,
        bytes_total: int | None = None,
        bytes_used: int | None = None,
        created_at: str | None = None,
        encrypted: bool | None = None,
        fstype: str | None = None,
        host_status: Literal["ok", "unknown", "unreachable"] | None = None,
        id: str | None = None,
        name: str | None = None,
        region: str | None = None,
        size_gb: int | None = None,
        snapshot_retention: int | None = None,
        state: str | None = None,
        type: Literal["local", "cache"] | None = None,
        zone: str | None = None,
        host_dedication_id: str | None = None,
        extra: dict[str, Any] | None = None,
    ) -> None:
        self.attached_alloc_id = attached_alloc_id
        self.attached_machine_id = attached_machine_id
        self.auto_backup_enabled = auto_backup_enabled
        self.block_size = block_size
        self.blocks = blocks
        self.blocks_avail = blocks_avail
        self.blocks_free = blocks_free
        self.bytes_total = bytes_total
        self.bytes_used = bytes_used
        self.created_at = created_at
        self.encrypted = encrypted
        self.fstype = fstype
        self.host_status = host_status
        self.id = id
        self.name = name
        self.region = region
        self.size_gb = size_gb
        self.snapshot_retention = snapshot_retention
        self.state = state
        self.type = type
        self.zone = zone
        self.host_dedication_id = host_dedication_id
        self.extra = {} if extra is None else extra


@define(init=False)
class VolumeSnapshot(Model):
    """A snapshot of a volume."""

    __slots__ = (
        "created_at",
        "digest",
        "extra",
        "id",
        "retention_days",
        "size",
        "status",
        "volume_size",
    )
    created_at: str | None
    digest: str | None
    id: str | None
    retention_days: int | None
    """Days"""
    size: int | None
    """Bytes"""
    status: str | None
    volume_size: int | None
    """Bytes"""
    extra: dict[str, Any]

    def __init__(
        self,
        *,
        created_at: str | None = None,
        digest: str | None = None,
        id: str | None = None,
        retention_days: int | None = None,
        size: int | None = None,
        status: str | None = None,
        volume_size: int | None = None,
        extra: dict[str, Any] | None = None,
    ) -> None:
        self.created_at = created_at
        self.digest = digest
        self.id = id
        self.retention_days = retention_days
        self.size = size
        self.status = status
        self.volume_size = volume_size
        self.extra = {} if extra is None else extra


@define(init=False)
class WaitMachineResponse(Model):
    """What a wait saw."""

    __slots__ = ("event_id", "extra", "ok", "state", "version")
    event_id: str | None
    ok: bool | None
    state: str | None
    version: str | None
    extra: dict[str, Any]

    def __init__(
        self,
        *,
        event_id: str | None = None,
        ok: bool | None = None,
        state: str | None = None,
        version: str | None = None,
        extra: dict[str, Any] | None = None,
    ) -> None:
        self.event_id = event_id
        self.ok = ok
        self.state = state
        self.version = version
        self.extra = {} if extra is None else extra


@define(init=False)
class AssignIPRequest(Model):
    """An address to give to an app; `type` is needed."""

    __slots__ = ("extra", "network", "org_slug", "region", "service_name", "type")
    network: str | None
    """Network a private address is reachable from"""
    org_slug: str | None
    region: str | None
    service_name: str | None
    type: str | None
    """`v4`, `v6`, `shared_v4`, `private_v6`, `egress_v4`, `egress_v6` or `egress_pair`"""
    extra: dict[str, Any]

    def __init__(
        self,
        *,
        network: str | None = None,
        org_slug: str | None = None,
        region: str | None = None,
        service_name: str | None = None,
        type: str | None = None,
        extra: dict[str, Any] | None = None,
    ) -> None:
        self.network = network
        self.org_slug = org_slug
        self.region = region
        self.service_name = service_name
        self.type = type
        self.extra = {} if extra is None else extra


@define(init=False)
class AuthenticateTokenRequest(Model):
    __slots__ = ("extra", "header")
    header: str | None
    extra: dict[str, Any]

    def __init__(
        self,
        *,
        header: str | None = None,
        extra: dict[str, Any] | None = None,
    ) -> None:
        self.header = header
        self.extra = {} if extra is None else extra


@define(init=False)
class CreateAcmeCertificateRequest(Model):
    __slots__ = ("extra", "hostname")
    hostname: str | None
    extra: dict[str, Any]

    def __init__(
        self,
        *,
        hostname: str | None = None,
        extra: dict[str, Any] | None = None,
    ) -> None:
        self.hostname = hostname
        self.extra = {} if extra is None else extra


@define(init=False)
class CreateCustomCertificateRequest(Model):
    __slots__ = ("extra", "fullchain", "hostname", "private_key")
    fullchain: str | None
    hostname: str | None
    private_key: str | None
    extra: dict[str, Any]

    def __init__(
        self,
        *,
        fullchain: str | None = None,
        hostname: str | None = None,
        private_key: str | None = None,
        extra: dict[str, Any] | None = None,
    ) -> None:
        self.fullchain = fullchain
        self.hostname = hostname
        self.private_key = private_key
        self.extra = {} if extra is None else extra


FlyContainerDependencyCondition: TypeAlias = Literal["exited_successfully", "healthy", "started"]


FlyContainerHealthcheckKind: TypeAlias = Literal["readiness", "liveness"]


FlyContainerHealthcheckScheme: TypeAlias = Literal["http", "https"]


@define(init=False)
class FlyEnvFrom(Model):
    """A variable filled from a fact about the machine."""

    __slots__ = ("env_var", "extra", "field_ref")
    env_var: str | None
    """Always needed"""
    field_ref: Literal["id", "version", "app_name", "private_ip", "region", "image"] | None
    extra: dict[str, Any]

    def __init__(
        self,
        *,
        env_var: str | None = None,
        field_ref: Literal["id", "version", "app_name", "private_ip", "region", "image"]
        | None = None,
        extra: dict[str, Any] | None = None,
    ) -> None:
        self.env_var = env_var
        self.field_ref = field_ref
        self.extra = {} if extra is None else extra


@define(init=False)
class FlyExecHealthcheck(Model):
    __slots__ = (
        "command",
        "extra",
    )
    command: list[str] | None
    extra: dict[str, Any]

    def __init__(
        self,
        *,
        command: list[str] | None = None,
        extra: dict[str, Any] | None = None,
    ) -> None:
        self.command = command
        self.extra = {} if extra is None else extra


@define(init=False)
class FlyFile(Model):
    """A file written into the machine: from a value, a secret or an image."""

    __slots__ = (
        "extra",
        "guest_path",
        "image_config",
        "mode",
        "raw_value",
        "secret_name",
    )
    guest_path: str | None
    """Absolute path"""
    image_config: str | None
    mode: int | None
    """Permission bits"""
    raw_value: str | None
    """Content in base64"""
    secret_name: str | None
    """Secret with the content in base64"""
    extra: dict[str, Any]

    def __init__(
        self,
        *,
        guest_path: str | None = None,
        image_config: str | None = None,
        mode: int | None = None,
        raw_value: str | None = None,
        secret_name: str | None = None,
        extra: dict[str, Any] | None = None,
    ) -> None:
        self.guest_path = guest_path
        self.image_config = image_config
        self.mode = mode
        self.raw_value = raw_value
        self.secret_name = secret_name
        self.extra = {} if extra is None else extra


@define(init=False)
class FlyHTTPResponseOptions(Model):
    __slots__ = ("extra", "headers", "pristine")
    pristine: bool | None
    headers: dict[str, Any] | None
    extra: dict[str, Any]

    def __init__(
        self,
        *,
        pristine: bool | None = None,
        headers: dict[str, Any] | None = None,
        extra: dict[str, Any] | None = None,
    ) -> None:
        self.pristine = pristine
        self.headers = headers
        self.extra = {} if extra is None else extra


@define(init=False)
class FlyMachineCacheDrive(Model):
    __slots__ = ("extra", "size_mb")
    size_mb: int | None
    extra: dict[str, Any]

    def __init__(
        self,
        *,
        size_mb: int | None = None,
        extra: dict[str, Any] | None = None,
    ) -> None:
        self.size_mb = size_mb
        self.extra = {} if extra is None else extra


@define(init=False)
class FlyMachineGuest(Model):
    """Size of a machine."""

    __slots__ = (
        "cpu_kind",
        "cpus",
        "extra",
        "gpu_kind",
        "gpus",
        "host_dedication_id",
        "kernel_args",
        "max_memory_mb",
        "memory_mb",
        "persist_rootfs",
    )
    cpu_kind: str | None
    """`shared` or `performance`"""
    cpus: int | None
    gpu_kind: str | None
    gpus: int | None
    host_dedication_id: str | None
    kernel_args: list[str] | None
    max_memory_mb: int | None
    memory_mb: int | None
    """MB, in steps of 256"""
    persist_rootfs: Literal["never", "always", "restart"] | None
    """Deprecated, use `rootfs`"""
    extra: dict[str, Any]

    def __init__(
        self,
        *,
        cpu_kind: str | None = None,
        cpus: int | None = None,
        gpu_kind: str | None = None,
        gpus: int | None = None,
        host_dedication_id: str | None = None,
        kernel_args: list[str] | None = None,
        max_memory_mb: int | None = None,
        memory_mb: int | None = None,
        persist_rootfs: Literal["never", "always", "restart"] | None = None,
        extra: dict[str, Any] | None = None,
    ) -> None:
        self.cpu_kind = cpu_kind
        self.cpus = cpus
        self.gpu_kind = gpu_kind
        self.gpus = gpus
        self.host_dedication_id = host_dedication_id
        self.kernel_args = kernel_args
        self.max_memory_mb = max_memory_mb
        self.memory_mb = memory_mb
        self.persist_rootfs = persist_rootfs
        self.extra = {} if extra is None else extra


@define(init=False)
class FlyMachineHTTPHeader(Model):
    __slots__ = ("extra", "name", "values")
    name: str | None
    values: list[str] | None
    extra: dict[str, Any]

    def __init__(
        self,
        *,
        name: str | None = None,
        values: list[str] | None = None,
        extra: dict[str, Any] | None = None,
    ) -> None:
        self.name = name
        self.values = values
        self.extra = {} if extra is None else extra


@define(init=False)
class FlyMachineInit(Model):
    """What is run in a machine."""

    __slots__ = (
        "cmd",
        "entrypoint",
        "exec",
        "extra",
        "kernel_args",
        "swap_size_mb",
        "tty",
    )
    cmd: list[str] | None
    """Replaces the command of the image"""
    entrypoint: list[str] | None
    """Replaces the entrypoint of the image"""
    exec: list[str] | None
    """Replaces entrypoint and command"""
    kernel_args: list[str] | None
    swap_size_mb: int | None
    """MB"""
    tty: bool | None
    extra: dict[str, Any]

    def __init__(
        self,
        *,
        cmd: list[str] | None = None,
        entrypoint: list[str] | None = None,
        exec: list[str] | None = None,
        kernel_args: list[str] | None = None,
        swap_size_mb: int | None = None,
        tty: bool | None = None,
        extra: dict[str, Any] | None = None,
    ) -> None:
        self.cmd = cmd
        self.entrypoint = entrypoint
        self.exec = exec
        self.kernel_args = kernel_args
        self.swap_size_mb = swap_size_mb
        self.tty = tty
        self.extra = {} if extra is None else extra


@define(init=False)
class FlyMachineMetrics(Model):
    __slots__ = ("extra", "https", "path", "port")
    https: bool | None
    path: str | None
    port: int | None
    extra: dict[str, Any]

    def __init__(
        self,
        *,
        https: bool | None = None,
        path: str | None = None,
        port: int | None = None,
        extra: dict[str, Any] | None = None,
    ) -> None:
        self.https = https
        self.path = path
        self.port = port
        self.extra = {} if extra is None else extra


@define(init=False)
class FlyMachineMount(Model):
    """A volume in the file system of a machine."""

    __slots__ = (
        "add_size_gb",
        "encrypted",
        "extend_threshold_percent",
        "extra",
        "name",
        "path",
        "size_gb",
        "size_gb_limit",
        "volume",
    )
    add_size_gb: int | None
    """How much to grow at a time"""
    encrypted: bool | None
    extend_threshold_percent: int | None
    """Grow when this full"""
    name: str | None
    """Name of the volume"""
    path: str | None
    """Absolute path in the machine"""
    size_gb: int | None
    size_gb_limit: int | None
    """Never grow beyond"""
    volume: str | None
    """Id of the volume"""
    extra: dict[str, Any]

    def __init__(
        self,
        *,
        add_size_gb: int | None = None,
        encrypted: bool | None = None,
        extend_threshold_percent: int | None = None,
        name: str | None = None,
        path: str | None = None,
        size_gb: int | None = None,
        size_gb_limit: int | None = None,
        volume: str | None = None,
        extra: dict[str, Any] | None = None,
    ) -> None:
        self.add_size_gb = add_size_gb
        self.encrypted = encrypted
        self.extend_threshold_percent = extend_threshold_percent
        self.name = name
        self.path = path
        self.size_gb = size_gb
        self.size_gb_limit = size_gb_limit
        self.volume = volume
        self.extra = {} if extra is None else extra


@define(init=False)
class FlyMachineRestart(Model):
    """What to do when the main process ends."""

    __slots__ = ("extra", "gpu_bid_price", "max_retries", "policy")
    gpu_bid_price: float | None
    max_retries: int | None
    """For `on-failure`: tries within 5 minutes, 10 unless given"""
    policy: Literal["no", "always", "on-failure", "spot-price"] | None
    extra: dict[str, Any]

    def __init__(
        self,
        *,
        gpu_bid_price: float | None = None,
        max_retries: int | None = None,
        policy: Literal["no", "always", "on-failure", "spot-price"] | None = None,
        extra: dict[str, Any] | None = None,
    ) -> None:
        self.gpu_bid_price = gpu_bid_price
        self.max_retries = max_retries
        self.policy = policy
        self.extra = {} if extra is None else extra


@define(init=False)
class FlyMachineRootfs(Model):
    __slots__ = ("extra", "persist", "size_gb")
    persist: Literal["never", "always", "restart"] | None
    size_gb: int | None
    extra: dict[str, Any]

    def __init__(
        self,
        *,
        persist: Literal["never", "always", "restart"] | None = None,
        size_gb: int | None = None,
        extra: dict[str, Any] | None = None,
    ) -> None:
        self.persist = persist
        self.size_gb = size_gb
        self.extra = {} if extra is None else extra


@define(init=False)
class FlyMachineSecret(Model):
    """A secret given to a process as a variable."""

    __slots__ = ("env_var", "extra", "name")
    env_var: str | None
    """Always needed"""
    name: str | None
    """Secret to take; the variable's own name unless given"""
    extra: dict[str, Any]

    def __init__(
        self,
        *,
        env_var: str | None = None,
        name: str | None = None,
        extra: dict[str, Any] | None = None,
    ) -> None:
        self.env_var = env_var
        self.name = name
        self.extra = {} if extra is None else extra


@define(init=False)
class FlyMachineServiceCheck(Model):
    """A check that decides whether the proxy uses the machine."""

    __slots__ = (
        "extra",
        "grace_period",
        "headers",
        "interval",
        "method",
        "path",
        "port",
        "protocol",
        "timeout",
        "tls_server_name",
        "tls_skip_verify",
        "type",
    )
    grace_period: str | None
    """Go duration"""
    headers: list[FlyMachineHTTPHeader] | None
    interval: str | None
    """Go duration"""
    method: str | None
    path: str | None
    port: int | None
    protocol: str | None
    timeout: str | None
    """Go duration"""
    tls_server_name: str | None
    tls_skip_verify: bool | None
    type: str | None
    """`tcp` or `http`"""
    extra: dict[str, Any]

    def __init__(
        self,
        *,
        grace_period: str | None = None,
        headers: list[FlyMachineHTTPHeader] | None = None,
        interval: str | None = None,
        method: str | None = None,
        path: str | None = None,
        port: int | None = None,
        protocol: str | None = None,
        timeout: str | None = None,
        tls_server_name: str | None = None,
        tls_skip_verify: bool | None = None,
        type: str | None = None,
        extra: dict[str, Any] | None = None,
    ) -> None:
        self.grace_period = grace_period
        self.headers = headers
        self.interval = interval
        self.method = method
        self.path = path
        self.port = port
        self.protocol = protocol
        self.timeout = timeout
        self.tls_server_name = tls_server_name
        self.tls_skip_verify = tls_skip_verify
        self.type = type
        self.extra = {} if extra is None else extra


@define(init=False)
class FlyMachineServiceConcurrency(Model):
    """How much load the proxy puts on one machine."""

    __slots__ = ("extra", "hard_limit", "soft_limit", "type")
    hard_limit: int | None
    soft_limit: int | None
    type: str | None
    """`connections` or `requests`"""
    extra: dict[str, Any]

    def __init__(
        self,
        *,
        hard_limit: int | None = None,
        soft_limit: int | None = None,
        type: str | None = None,
        extra: dict[str, Any] | None = None,
    ) -> None:
        self.hard_limit = hard_limit
        self.soft_limit = soft_limit
        self.type = type
        self.extra = {} if extra is None else extra


@define(init=False)
class FlyProxyProtoOptions(Model):
    __slots__ = ("extra", "version")
    version: str | None
    extra: dict[str, Any]

    def __init__(
        self,
        *,
        version: str | None = None,
        extra: dict[str, Any] | None = None,
    ) -> None:
        self.version = version
        self.extra = {} if extra is None else extra


@define(init=False)
class FlyReplayCache(Model):
    __slots__ = ("allow_bypass", "extra", "name", "path_prefix", "ttl_seconds", "type")
    allow_bypass: bool | None
    name: str | None
    path_prefix: str | None
    ttl_seconds: int | None
    """Seconds"""
    type: Literal["cookie", "header"] | None
    extra: dict[str, Any]

    def __init__(
        self,
        *,
        allow_bypass: bool | None = None,
        name: str | None = None,
        path_prefix: str | None = None,
        ttl_seconds: int | None = None,
        type: Literal["cookie", "header"] | None = None,
        extra: dict[str, Any] | None = None,
    ) -> None:
        self.allow_bypass = allow_bypass
        self.name = name
        self.path_prefix = path_prefix
        self.ttl_seconds = ttl_seconds
        self.type = type
        self.extra = {} if extra is None else extra


@define(init=False)
class FlyStatic(Model):
    """Files the proxy serves by itself."""

    __slots__ = ("extra", "guest_path", "index_document", "tigris_bucket", "url_prefix")
    guest_path: str
    url_prefix: str
    index_document: str | None
    tigris_bucket: str | None
    extra: dict[str, Any]

    def __init__(
        self,
        *,
        guest_path: str,
        url_prefix: str,
        index_document: str | None = None,
        tigris_bucket: str | None = None,
        extra: dict[str, Any] | None = None,
    ) -> None:
        self.guest_path = guest_path
        self.url_prefix = url_prefix
        self.index_document = index_document
        self.tigris_bucket = tigris_bucket
        self.extra = {} if extra is None else extra


@define(init=False)
class FlyStopConfig(Model):
    """How a machine is stopped."""

    __slots__ = ("extra", "signal", "timeout")
    signal: (
        Literal["SIGHUP", "SIGINT", "SIGQUIT", "SIGKILL", "SIGUSR1", "SIGUSR2", "SIGTERM"] | None
    )
    timeout: str | None
    """Go duration, at most 5 minutes"""
    extra: dict[str, Any]

    def __init__(
        self,
        *,
        signal: Literal["SIGHUP", "SIGINT", "SIGQUIT", "SIGKILL", "SIGUSR1", "SIGUSR2", "SIGTERM"]
        | None = None,
        timeout: str | None = None,
        extra: dict[str, Any] | None = None,
    ) -> None:
        self.signal = signal
        self.timeout = timeout
        self.extra = {} if extra is None else extra


@define(init=False)
class FlyTCPHealthcheck(Model):
    __slots__ = ("extra", "port")
    port: int | None
    extra: dict[str, Any]

    def __init__(
        self,
        *,
        port: int | None = None,
        extra: dict[str, Any] | None = None,
    ) -> None:
        self.port = port
        self.extra = {} if extra is None else extra


@define(init=False)
class FlyTLSOptions(Model):
    __slots__ = ("alpn", "default_self_signed", "extra", "versions")
    alpn: list[str] | None
    default_self_signed: bool | None
    versions: list[str] | None
    extra: dict[str, Any]

    def __init__(
        self,
        *,
        alpn: list[str] | None = None,
        default_self_signed: bool | None = None,
        versions: list[str] | None = None,
        extra: dict[str, Any] | None = None,
    ) -> None:
        self.alpn = alpn
        self.default_self_signed = default_self_signed
        self.versions = versions
        self.extra = {} if extra is None else extra


FlyUnhealthyPolicy: TypeAlias = Literal["stop"]


@define(init=False)
class FlyDnsForwardRule(Model):
    __slots__ = (
        "addr",
        "basename",
        "extra",
    )
    addr: str | None
    basename: str | None
    extra: dict[str, Any]

    def __init__(
        self,
        *,
        addr: str | None = None,
        basename: str | None = None,
        extra: dict[str, Any] | None = None,
    ) -> None:
        self.addr = addr
        self.basename = basename
        self.extra = {} if extra is None else extra


@define(init=False)
class FlyDnsOption(Model):
    __slots__ = ("extra", "name", "value")
    name: str | None
    value: str | None
    extra: dict[str, Any]

    def __init__(
        self,
        *,
        name: str | None = None,
        value: str | None = None,
        extra: dict[str, Any] | None = None,
    ) -> None:
        self.name = name
        self.value = value
        self.extra = {} if extra is None else extra


@define(init=False)
class Flydv1ExecResponse(Model):
    __slots__ = ("exit_code", "exit_signal", "extra", "stderr", "stdout")
    exit_code: int | None
    exit_signal: int | None
    stderr: str | None
    stdout: str | None
    extra: dict[str, Any]

    def __init__(
        self,
        *,
        exit_code: int | None = None,
        exit_signal: int | None = None,
        stderr: str | None = None,
        stdout: str | None = None,
        extra: dict[str, Any] | None = None,
    ) -> None:
        self.exit_code = exit_code
        self.exit_signal = exit_signal
        self.stderr = stderr
        self.stdout = stdout
        self.extra = {} if extra is None else extra


@define(init=False)
class FlyioAccess(Model):
    __slots__ = (
        "action",
        "app_feature",
        "appid",
        "cluster",
        "command",
        "extra",
        "feature",
        "machine",
        "machine_feature",
        "mutation",
        "orgid",
        "sourceApp",
        "sourceMachine",
        "sourceOrganization",
        "storage_object",
        "volume",
    )
    app_feature: str | None
    appid: int | None
    cluster: str | None
    command: list[str] | None
    feature: str | None
    machine: str | None
    machine_feature: str | None
    mutation: str | None
    orgid: int | None
    sourceApp: str | None
    sourceMachine: str | None
    sourceOrganization: str | None
    storage_object: str | None
    volume: str | None
    action: str | None
    extra: dict[str, Any]

    def __init__(
        self,
        *,
        app_feature: str | None = None,
        appid: int | None = None,
        cluster: str | None = None,
        command: list[str] | None = None,
        feature: str | None = None,
        machine: str | None = None,
        machine_feature: str | None = None,
        mutation: str | None = None,
        orgid: int | None = None,
        sourceApp: str | None = None,
        sourceMachine: str | None = None,
        sourceOrganization: str | None = None,
        storage_object: str | None = None,
        volume: str | None = None,
        action: str | None = None,
        extra: dict[str, Any] | None = None,
    ) -> None:
        self.app_feature = app_feature
        self.appid = appid
        self.cluster = cluster
        self.command = command
        self.feature = feature
        self.machine = machine
        self.machine_feature = machine_feature
        self.mutation = mutation
        self.orgid = orgid
        self.sourceApp = sourceApp
        self.sourceMachine = sourceMachine
        self.sourceOrganization = sourceOrganization
        self.storage_object = storage_object
        self.volume = volume
        self.action = action
        self.extra = {} if extra is None else extra


@define(init=False)
class ListCertificatesResponse(Model):
    __slots__ = ("certificates", "extra", "next_cursor", "total_count")
    certificates: list[CertificateSummary] | None
    next_cursor: str | None
    total_count: int | None
    extra: dict[str, Any]

    def __init__(
        self,
        *,
        certificates: list[CertificateSummary] | None = None,
        next_cursor: str | None = None,
        total_count: int | None = None,
        extra: dict[str, Any] | None = None,
    ) -> None:
        self.certificates = certificates
        self.next_cursor = next_cursor
        self.total_count = total_count
        self.extra = {} if extra is None else extra


@define(init=False)
class MacaroonCaveatSet(Model):
    __slots__ = (
        "caveats",
        "extra",
    )
    caveats: list[dict[str, Any]] | None
    extra: dict[str, Any]

    def __init__(
        self,
        *,
        caveats: list[dict[str, Any]] | None = None,
        extra: dict[str, Any] | None = None,
    ) -> None:
        self.caveats = caveats
        self.extra = {} if extra is None else extra


@define(init=False)
class MacaroonNonce(Model):
    __slots__ = ("extra", "kid", "proof", "rnd")
    proof: bool | None
    kid: str | None
    rnd: str | None
    extra: dict[str, Any]

    def __init__(
        self,
        *,
        proof: bool | None = None,
        kid: str | None = None,
        rnd: str | None = None,
        extra: dict[str, Any] | None = None,
    ) -> None:
        self.proof = proof
        self.kid = kid
        self.rnd = rnd
        self.extra = {} if extra is None else extra


@define(init=False)
class MainTokenAccess(Model):
    __slots__ = (
        "action",
        "app_feature",
        "app_name",
        "command",
        "extra",
        "machine_feature",
        "machine_id",
        "mutation",
        "org_feature",
        "org_slug",
        "source_machine",
        "storage_object",
        "volume_id",
    )
    app_feature: str | None
    app_name: str | None
    command: list[str] | None
    machine_feature: str | None
    machine_id: str | None
    mutation: str | None
    org_feature: str | None
    org_slug: str | None
    source_machine: str | None
    storage_object: str | None
    volume_id: str | None
    action: str | None
    extra: dict[str, Any]

    def __init__(
        self,
        *,
        app_feature: str | None = None,
        app_name: str | None = None,
        command: list[str] | None = None,
        machine_feature: str | None = None,
        machine_id: str | None = None,
        mutation: str | None = None,
        org_feature: str | None = None,
        org_slug: str | None = None,
        source_machine: str | None = None,
        storage_object: str | None = None,
        volume_id: str | None = None,
        action: str | None = None,
        extra: dict[str, Any] | None = None,
    ) -> None:
        self.app_feature = app_feature
        self.app_name = app_name
        self.command = command
        self.machine_feature = machine_feature
        self.machine_id = machine_id
        self.mutation = mutation
        self.org_feature = org_feature
        self.org_slug = org_slug
        self.source_machine = source_machine
        self.storage_object = storage_object
        self.volume_id = volume_id
        self.action = action
        self.extra = {} if extra is None else extra


@define(init=False)
class MainMemoryResponse(Model):
    __slots__ = ("available_mb", "extra", "limit_mb")
    available_mb: int | None
    limit_mb: int | None
    extra: dict[str, Any]

    def __init__(
        self,
        *,
        available_mb: int | None = None,
        limit_mb: int | None = None,
        extra: dict[str, Any] | None = None,
    ) -> None:
        self.available_mb = available_mb
        self.limit_mb = limit_mb
        self.extra = {} if extra is None else extra


@define(init=False)
class MainReclaimMemoryRequest(Model):
    __slots__ = (
        "amount_mb",
        "extra",
    )
    amount_mb: int | None
    extra: dict[str, Any]

    def __init__(
        self,
        *,
        amount_mb: int | None = None,
        extra: dict[str, Any] | None = None,
    ) -> None:
        self.amount_mb = amount_mb
        self.extra = {} if extra is None else extra


@define(init=False)
class MainReclaimMemoryResponse(Model):
    __slots__ = (
        "actual_mb",
        "extra",
    )
    actual_mb: int | None
    extra: dict[str, Any]

    def __init__(
        self,
        *,
        actual_mb: int | None = None,
        extra: dict[str, Any] | None = None,
    ) -> None:
        self.actual_mb = actual_mb
        self.extra = {} if extra is None else extra


@define(init=False)
class MainRegionRow(Model):
    __slots__ = (
        "capacity",
        "code",
        "deprecated",
        "extra",
        "gateway_available",
        "geo_region",
        "latitude",
        "longitude",
        "mpg_available",
        "name",
        "requires_paid_plan",
    )
    code: str | None
    deprecated: bool | None
    gateway_available: bool | None
    geo_region: str | None
    latitude: float | None
    longitude: float | None
    name: str | None
    requires_paid_plan: bool | None
    capacity: int | None
    mpg_available: bool | None
    extra: dict[str, Any]

    def __init__(
        self,
        *,
        code: str | None = None,
        deprecated: bool | None = None,
        gateway_available: bool | None = None,
        geo_region: str | None = None,
        latitude: float | None = None,
        longitude: float | None = None,
        name: str | None = None,
        requires_paid_plan: bool | None = None,
        capacity: int | None = None,
        mpg_available: bool | None = None,
        extra: dict[str, Any] | None = None,
    ) -> None:
        self.code = code
        self.deprecated = deprecated
        self.gateway_available = gateway_available
        self.geo_region = geo_region
        self.latitude = latitude
        self.longitude = longitude
        self.name = name
        self.requires_paid_plan = requires_paid_plan
        self.capacity = capacity
        self.mpg_available = mpg_available
        self.extra = {} if extra is None else extra


@define(init=False)
class MainSetMemoryLimitRequest(Model):
    __slots__ = ("extra", "limit_mb")
    limit_mb: int | None
    extra: dict[str, Any]

    def __init__(
        self,
        *,
        limit_mb: int | None = None,
        extra: dict[str, Any] | None = None,
    ) -> None:
        self.limit_mb = limit_mb
        self.extra = {} if extra is None else extra


MainStatusCode: TypeAlias = Literal[
    "unknown",
    "insufficient_capacity",
    "name_taken",
    "volume_placement",
    "volume_placement_capacity",
    "error",
]
"""Why a call was refused, as a code: an open set."""


@define(init=False)
class MainTokenInfo(Model):
    __slots__ = (
        "apps",
        "extra",
        "org_slug",
        "organization",
        "restricted_to_machine",
        "source_machine_id",
        "token_id",
        "user",
    )
    apps: list[str] | None
    org_slug: str | None
    organization: str | None
    restricted_to_machine: str | None
    source_machine_id: str | None
    token_id: str | None
    user: str | None
    extra: dict[str, Any]

    def __init__(
        self,
        *,
        apps: list[str] | None = None,
        org_slug: str | None = None,
        organization: str | None = None,
        restricted_to_machine: str | None = None,
        source_machine_id: str | None = None,
        token_id: str | None = None,
        user: str | None = None,
        extra: dict[str, Any] | None = None,
    ) -> None:
        self.apps = apps
        self.org_slug = org_slug
        self.organization = organization
        self.restricted_to_machine = restricted_to_machine
        self.source_machine_id = source_machine_id
        self.token_id = token_id
        self.user = user
        self.extra = {} if extra is None else extra


@define(init=False)
class MetadataValueResponse(Model):
    __slots__ = ("extra", "value")
    value: str | None
    extra: dict[str, Any]

    def __init__(
        self,
        *,
        value: str | None = None,
        extra: dict[str, Any] | None = None,
    ) -> None:
        self.value = value
        self.extra = {} if extra is None else extra


@define(init=False)
class PlacementRegionPlacement(Model):
    __slots__ = ("concurrency", "count", "extra", "region")
    concurrency: int | None
    count: int | None
    region: str | None
    extra: dict[str, Any]

    def __init__(
        self,
        *,
        concurrency: int | None = None,
        count: int | None = None,
        region: str | None = None,
        extra: dict[str, Any] | None = None,
    ) -> None:
        self.concurrency = concurrency
        self.count = count
        self.region = region
        self.extra = {} if extra is None else extra


PlacementWeights: TypeAlias = dict[str, int]


RessetAction: TypeAlias = Literal[1, 2, 4, 8, 16, 31, 0]
"""Bits of what a token may do: 1 read, 2 write, 4 create, 8 delete, 16 control."""


@define(init=False)
class RootVerifiedToken(Model):
    __slots__ = ("caveats", "extra", "header", "nonce", "permission_token")
    caveats: MacaroonCaveatSet | None
    header: str | None
    nonce: MacaroonNonce | None
    permission_token: str | None
    extra: dict[str, Any]

    def __init__(
        self,
        *,
        caveats: MacaroonCaveatSet | None = None,
        header: str | None = None,
        nonce: MacaroonNonce | None = None,
        permission_token: str | None = None,
        extra: dict[str, Any] | None = None,
    ) -> None:
        self.caveats = caveats
        self.header = header
        self.nonce = nonce
        self.permission_token = permission_token
        self.extra = {} if extra is None else extra


@define(init=False)
class UpdateMetadataRequest(Model):
    """Metadata to change."""

    __slots__ = ("extra", "machine_version", "metadata", "updated_at")
    machine_version: str | None
    """Refuse with 412 unless the machine has this version"""
    metadata: dict[str, str | None] | None
    """Value by key; an empty value removes the key"""
    updated_at: str | None
    extra: dict[str, Any]

    def __init__(
        self,
        *,
        machine_version: str | None = None,
        metadata: dict[str, str | None] | None = None,
        updated_at: str | None = None,
        extra: dict[str, Any] | None = None,
    ) -> None:
        self.machine_version = machine_version
        self.metadata = metadata
        self.updated_at = updated_at
        self.extra = {} if extra is None else extra


@define(init=False)
class UpsertMetadataKeyRequest(Model):
    __slots__ = ("extra", "updated_at", "value")
    updated_at: str | None
    value: str | None
    extra: dict[str, Any]

    def __init__(
        self,
        *,
        updated_at: str | None = None,
        value: str | None = None,
        extra: dict[str, Any] | None = None,
    ) -> None:
        self.updated_at = updated_at
        self.value = value
        self.extra = {} if extra is None else extra


@define(init=False)
class FlyMachineSpot(Model):
    __slots__ = ("extra", "max_price_fraction")
    max_price_fraction: float | None
    extra: dict[str, Any]

    def __init__(
        self,
        *,
        max_price_fraction: float | None = None,
        extra: dict[str, Any] | None = None,
    ) -> None:
        self.max_price_fraction = max_price_fraction
        self.extra = {} if extra is None else extra


@define(init=False)
class FlyTempDirVolume(Model):
    __slots__ = ("extra", "size_mb", "storage_type")
    storage_type: Literal["disk", "memory"] | None
    size_mb: int | None
    extra: dict[str, Any]

    def __init__(
        self,
        *,
        storage_type: Literal["disk", "memory"] | None = None,
        size_mb: int | None = None,
        extra: dict[str, Any] | None = None,
    ) -> None:
        self.storage_type = storage_type
        self.size_mb = size_mb
        self.extra = {} if extra is None else extra


@define(init=False)
class FlyContainerMount(Model):
    __slots__ = ("extra", "name", "path")
    name: str | None
    path: str | None
    extra: dict[str, Any]

    def __init__(
        self,
        *,
        name: str | None = None,
        path: str | None = None,
        extra: dict[str, Any] | None = None,
    ) -> None:
        self.name = name
        self.path = path
        self.extra = {} if extra is None else extra


@define(init=False)
class ContainerStatus(Model):
    __slots__ = ("extra", "name", "state")
    name: str | None
    state: str | None
    extra: dict[str, Any]

    def __init__(
        self,
        *,
        name: str | None = None,
        state: str | None = None,
        extra: dict[str, Any] | None = None,
    ) -> None:
        self.name = name
        self.state = state
        self.extra = {} if extra is None else extra


@define(init=False)
class LeaseResponse(Model):
    __slots__ = ("code", "data", "extra", "message", "status")
    status: str | None
    data: Lease | None
    message: str | None
    code: str | None
    extra: dict[str, Any]

    def __init__(
        self,
        *,
        status: str | None = None,
        data: Lease | None = None,
        message: str | None = None,
        code: str | None = None,
        extra: dict[str, Any] | None = None,
    ) -> None:
        self.status = status
        self.data = data
        self.message = message
        self.code = code
        self.extra = {} if extra is None else extra


@define(init=False)
class OkResponse(Model):
    __slots__ = ("extra", "ok")
    ok: bool | None
    extra: dict[str, Any]

    def __init__(
        self,
        *,
        ok: bool | None = None,
        extra: dict[str, Any] | None = None,
    ) -> None:
        self.ok = ok
        self.extra = {} if extra is None else extra


@define(init=False)
class StartMachineResponse(Model):
    __slots__ = ("extra", "message", "migrated", "new_host", "previous_state", "status")
    previous_state: str | None
    migrated: bool | None
    new_host: str | None
    message: str | None
    status: str | None
    extra: dict[str, Any]

    def __init__(
        self,
        *,
        previous_state: str | None = None,
        migrated: bool | None = None,
        new_host: str | None = None,
        message: str | None = None,
        status: str | None = None,
        extra: dict[str, Any] | None = None,
    ) -> None:
        self.previous_state = previous_state
        self.migrated = migrated
        self.new_host = new_host
        self.message = message
        self.status = status
        self.extra = {} if extra is None else extra


@define(init=False)
class ManagedPostgresEndpoint(Model):
    __slots__ = ("extra", "host", "port")
    host: str | None
    port: int | None
    extra: dict[str, Any]

    def __init__(
        self,
        *,
        host: str | None = None,
        port: int | None = None,
        extra: dict[str, Any] | None = None,
    ) -> None:
        self.host = host
        self.port = port
        self.extra = {} if extra is None else extra


@define(init=False)
class ManagedPostgresEndpointPair(Model):
    __slots__ = ("direct", "extra", "pooler")
    direct: ManagedPostgresEndpoint | None
    pooler: ManagedPostgresEndpoint | None
    extra: dict[str, Any]

    def __init__(
        self,
        *,
        direct: ManagedPostgresEndpoint | None = None,
        pooler: ManagedPostgresEndpoint | None = None,
        extra: dict[str, Any] | None = None,
    ) -> None:
        self.direct = direct
        self.pooler = pooler
        self.extra = {} if extra is None else extra


@define(init=False)
class ManagedPostgresEndpoints(Model):
    __slots__ = ("extra", "primary")
    primary: ManagedPostgresEndpointPair | None
    extra: dict[str, Any]

    def __init__(
        self,
        *,
        primary: ManagedPostgresEndpointPair | None = None,
        extra: dict[str, Any] | None = None,
    ) -> None:
        self.primary = primary
        self.extra = {} if extra is None else extra


@define(init=False)
class ManagedPostgresOrganization(Model):
    __slots__ = ("extra", "name", "slug")
    name: str | None
    slug: str | None
    extra: dict[str, Any]

    def __init__(
        self,
        *,
        name: str | None = None,
        slug: str | None = None,
        extra: dict[str, Any] | None = None,
    ) -> None:
        self.name = name
        self.slug = slug
        self.extra = {} if extra is None else extra


@define(init=False)
class ManagedPostgresAttachedApp(Model):
    __slots__ = ("extra", "name")
    name: str | None
    extra: dict[str, Any]

    def __init__(
        self,
        *,
        name: str | None = None,
        extra: dict[str, Any] | None = None,
    ) -> None:
        self.name = name
        self.extra = {} if extra is None else extra


@define(init=False)
class ManagedPostgresCluster(Model):
    __slots__ = (
        "attached_apps",
        "cpu_kind",
        "cpus",
        "created_at",
        "disk_size_gb",
        "endpoints",
        "extra",
        "id",
        "memory_mb",
        "name",
        "organization",
        "pg_major_version",
        "plan",
        "postgis_enabled",
        "region",
        "replicas",
        "status",
    )
    id: str | None
    name: str | None
    status: str | None
    region: str | None
    plan: str | None
    disk_size_gb: int | None
    cpus: int | None
    cpu_kind: str | None
    memory_mb: int | None
    replicas: int | None
    pg_major_version: str | None
    postgis_enabled: bool | None
    endpoints: ManagedPostgresEndpoints | None
    organization: ManagedPostgresOrganization | None
    created_at: str | None
    attached_apps: list[ManagedPostgresAttachedApp] | None
    extra: dict[str, Any]

    def __init__(
        self,
        *,
        id: str | None = None,
        name: str | None = None,
        status: str | None = None,
        region: str | None = None,
        plan: str | None = None,
        disk_size_gb: int | None = None,
        cpus: int | None = None,
        cpu_kind: str | None = None,
        memory_mb: int | None = None,
        replicas: int | None = None,
        pg_major_version: str | None = None,
        postgis_enabled: bool | None = None,
        endpoints: ManagedPostgresEndpoints | None = None,
        organization: ManagedPostgresOrganization | None = None,
        created_at: str | None = None,
        attached_apps: list[ManagedPostgresAttachedApp] | None = None,
        extra: dict[str, Any] | None = None,
    ) -> None:
        self.id = id
        self.name = name
        self.status = status
        self.region = region
        self.plan = plan
        self.disk_size_gb = disk_size_gb
        self.cpus = cpus
        self.cpu_kind = cpu_kind
        self.memory_mb = memory_mb
        self.replicas = replicas
        self.pg_major_version = pg_major_version
        self.postgis_enabled = postgis_enabled
        self.endpoints = endpoints
        self.organization = organization
        self.created_at = created_at
        self.attached_apps = attached_apps
        self.extra = {} if extra is None else extra


@define(init=False)
class ManagedPostgresClusterEnvelope(Model):
    __slots__ = (
        "data",
        "extra",
    )
    data: ManagedPostgresCluster | None
    extra: dict[str, Any]

    def __init__(
        self,
        *,
        data: ManagedPostgresCluster | None = None,
        extra: dict[str, Any] | None = None,
    ) -> None:
        self.data = data
        self.extra = {} if extra is None else extra


@define(init=False)
class CreateManagedPostgresClusterRequest(Model):
    __slots__ = (
        "disk_size_gb",
        "extra",
        "name",
        "org_slug",
        "pg_major_version",
        "plan",
        "postgis_enabled",
        "region",
    )
    org_slug: str | None
    name: str | None
    region: str | None
    plan: str | None
    disk_size_gb: int | None
    pg_major_version: str | None
    postgis_enabled: bool | None
    extra: dict[str, Any]

    def __init__(
        self,
        *,
        org_slug: str | None = None,
        name: str | None = None,
        region: str | None = None,
        plan: str | None = None,
        disk_size_gb: int | None = None,
        pg_major_version: str | None = None,
        postgis_enabled: bool | None = None,
        extra: dict[str, Any] | None = None,
    ) -> None:
        self.org_slug = org_slug
        self.name = name
        self.region = region
        self.plan = plan
        self.disk_size_gb = disk_size_gb
        self.pg_major_version = pg_major_version
        self.postgis_enabled = postgis_enabled
        self.extra = {} if extra is None else extra


@define(init=False)
class ManagedPostgresUserCredentials(Model):
    __slots__ = ("extra", "password", "username")
    username: str | None
    password: str | None
    extra: dict[str, Any]

    def __init__(
        self,
        *,
        username: str | None = None,
        password: str | None = None,
        extra: dict[str, Any] | None = None,
    ) -> None:
        self.username = username
        self.password = password
        self.extra = {} if extra is None else extra


@define(init=False)
class ManagedPostgresUserCredentialsEnvelope(Model):
    __slots__ = (
        "data",
        "extra",
    )
    data: ManagedPostgresUserCredentials | None
    extra: dict[str, Any]

    def __init__(
        self,
        *,
        data: ManagedPostgresUserCredentials | None = None,
        extra: dict[str, Any] | None = None,
    ) -> None:
        self.data = data
        self.extra = {} if extra is None else extra


@define(init=False)
class IPAssignmentNetwork(Model):
    """The network that a private address belongs to."""

    __slots__ = ("extra", "name", "org_slug")
    name: str | None
    """Empty for the default network of the organization"""
    org_slug: str | None
    extra: dict[str, Any]

    def __init__(
        self,
        *,
        name: str | None = None,
        org_slug: str | None = None,
        extra: dict[str, Any] | None = None,
    ) -> None:
        self.name = name
        self.org_slug = org_slug
        self.extra = {} if extra is None else extra


@define(init=False)
class IPPair(Model):
    """Two addresses that were allocated at once."""

    __slots__ = ("extra", "v4", "v6")
    v4: str | None
    v6: str | None
    extra: dict[str, Any]

    def __init__(
        self,
        *,
        v4: str | None = None,
        v6: str | None = None,
        extra: dict[str, Any] | None = None,
    ) -> None:
        self.v4 = v4
        self.v6 = v6
        self.extra = {} if extra is None else extra


@define(init=False)
class NetworkPolicyMachine(Model):
    __slots__ = ("extra", "id")
    id: str | None
    extra: dict[str, Any]

    def __init__(
        self,
        *,
        id: str | None = None,
        extra: dict[str, Any] | None = None,
    ) -> None:
        self.id = id
        self.extra = {} if extra is None else extra


@define(init=False)
class NetworkPolicyPort(Model):
    __slots__ = ("extra", "port", "protocol")
    protocol: str | None
    port: int | None
    extra: dict[str, Any]

    def __init__(
        self,
        *,
        protocol: str | None = None,
        port: int | None = None,
        extra: dict[str, Any] | None = None,
    ) -> None:
        self.protocol = protocol
        self.port = port
        self.extra = {} if extra is None else extra


@define(init=False)
class App(Model):
    """An app: the frame around machines, volumes, addresses and secrets."""

    __slots__ = (
        "app_role",
        "cname_target",
        "extra",
        "id",
        "internal_numeric_id",
        "machine_count",
        "name",
        "network",
        "organization",
        "status",
        "volume_count",
    )
    id: str | None
    internal_numeric_id: int | None
    """Number of the app"""
    machine_count: int | None
    name: str | None
    network: str | None
    """Private network it is in"""
    organization: AppOrganizationInfo | None
    status: str | None
    """`pending`, `deployed` or `suspended`: an open set"""
    volume_count: int | None
    app_role: str | None
    cname_target: str | None
    extra: dict[str, Any]

    def __init__(
        self,
        *,
        id: str | None = None,
        internal_numeric_id: int | None = None,
        machine_count: int | None = None,
        name: str | None = None,
        network: str | None = None,
        organization: AppOrganizationInfo | None = None,
        status: str | None = None,
        volume_count: int | None = None,
        app_role: str | None = None,
        cname_target: str | None = None,
        extra: dict[str, Any] | None = None,
    ) -> None:
        self.id = id
        self.internal_numeric_id = internal_numeric_id
        self.machine_count = machine_count
        self.name = name
        self.network = network
        self.organization = organization
        self.status = status
        self.volume_count = volume_count
        self.app_role = app_role
        self.cname_target = cname_target
        self.extra = {} if extra is None else extra


@define(init=False)
class CertificateEntry(Model):
    __slots__ = (
        "created_at",
        "expires_at",
        "extra",
        "issued",
        "issuer",
        "source",
        "status",
    )
    created_at: str | None
    expires_at: str | None
    issued: list[IssuedCertificate] | None
    issuer: str | None
    source: Literal["custom", "fly"] | None
    status: Literal["active", "pending_ownership", "pending_validation"] | None
    extra: dict[str, Any]

    def __init__(
        self,
        *,
        created_at: str | None = None,
        expires_at: str | None = None,
        issued: list[IssuedCertificate] | None = None,
        issuer: str | None = None,
        source: Literal["custom", "fly"] | None = None,
        status: Literal["active", "pending_ownership", "pending_validation"] | None = None,
        extra: dict[str, Any] | None = None,
    ) -> None:
        self.created_at = created_at
        self.expires_at = expires_at
        self.issued = issued
        self.issuer = issuer
        self.source = source
        self.status = status
        self.extra = {} if extra is None else extra


@define(init=False)
class CreateVolumeRequest(Model):
    """A volume to create; `name` is needed."""

    __slots__ = (
        "auto_backup_enabled",
        "compute",
        "compute_image",
        "encrypted",
        "extra",
        "fstype",
        "name",
        "region",
        "require_unique_zone",
        "size_gb",
        "snapshot_id",
        "snapshot_retention",
        "source_volume_id",
        "unique_zone_app_wide",
    )
    auto_backup_enabled: bool | None
    """Daily snapshots; true unless given"""
    compute: FlyMachineGuest | None
    compute_image: str | None
    encrypted: bool | None
    """True unless given"""
    fstype: str | None
    """`ext4` or `raw`"""
    name: str | None
    region: str | None
    """One region; no lists, no aliases"""
    require_unique_zone: bool | None
    """Not on a host that has a volume of this name already"""
    size_gb: int | None
    """1 to 500"""
    snapshot_id: str | None
    """Snapshot to restore"""
    snapshot_retention: int | None
    """Days, 1 to 60"""
    source_volume_id: str | None
    """Volume to fork"""
    unique_zone_app_wide: bool | None
    extra: dict[str, Any]

    def __init__(
        self,
        *,
        auto_backup_enabled: bool | None = None,
        compute: FlyMachineGuest | None = None,
        compute_image: str | None = None,
        encrypted: bool | None = None,
        fstype: str | None = None,
        name: str | None = None,
        region: str | None = None,
        require_unique_zone: bool | None = None,
        size_gb: int | None = None,
        snapshot_id: str | None = None,
        snapshot_retention: int | None = None,
        source_volume_id: str | None = None,
        unique_zone_app_wide: bool | None = None,
        extra: dict[str, Any] | None = None,
    ) -> None:
        self.auto_backup_enabled = auto_backup_enabled
        self.compute = compute
        self.compute_image = compute_image
        self.encrypted = encrypted
        self.fstype = fstype
        self.name = name
        self.region = region
        self.require_unique_zone = require_unique_zone
        self.size_gb = size_gb
        self.snapshot_id = snapshot_id
        self.snapshot_retention = snapshot_retention
        self.source_volume_id = source_volume_id
        self.unique_zone_app_wide = unique_zone_app_wide
        self.extra = {} if extra is None else extra


@define(init=False)
class CurrentTokenResponse(Model):
    __slots__ = ("extra", "tokens")
    tokens: list[MainTokenInfo] | None
    extra: dict[str, Any]

    def __init__(
        self,
        *,
        tokens: list[MainTokenInfo] | None = None,
        extra: dict[str, Any] | None = None,
    ) -> None:
        self.tokens = tokens
        self.extra = {} if extra is None else extra


@define(init=False)
class DNSRequirements(Model):
    __slots__ = ("a", "aaaa", "acme_challenge", "cname", "extra", "ownership")
    a: list[str] | None
    aaaa: list[str] | None
    acme_challenge: AcmeChallenge | None
    cname: str | None
    ownership: OwnershipVerification | None
    extra: dict[str, Any]

    def __init__(
        self,
        *,
        a: list[str] | None = None,
        aaaa: list[str] | None = None,
        acme_challenge: AcmeChallenge | None = None,
        cname: str | None = None,
        ownership: OwnershipVerification | None = None,
        extra: dict[str, Any] | None = None,
    ) -> None:
        self.a = a
        self.aaaa = aaaa
        self.acme_challenge = acme_challenge
        self.cname = cname
        self.ownership = ownership
        self.extra = {} if extra is None else extra


@define(init=False)
class ErrorResponse(Model):
    """Why a call was refused."""

    __slots__ = ("details", "error", "extra", "status")
    details: dict[str, Any] | None
    """Deprecated"""
    error: str | None
    """Text for people"""
    status: MainStatusCode | None
    extra: dict[str, Any]

    def __init__(
        self,
        *,
        details: dict[str, Any] | None = None,
        error: str | None = None,
        status: MainStatusCode | None = None,
        extra: dict[str, Any] | None = None,
    ) -> None:
        self.details = details
        self.error = error
        self.status = status
        self.extra = {} if extra is None else extra


@define(init=False)
class ExtendVolumeResponse(Model):
    __slots__ = ("extra", "needs_restart", "volume")
    needs_restart: bool | None
    """The machine sees the room only after a restart"""
    volume: Volume | None
    extra: dict[str, Any]

    def __init__(
        self,
        *,
        needs_restart: bool | None = None,
        volume: Volume | None = None,
        extra: dict[str, Any] | None = None,
    ) -> None:
        self.needs_restart = needs_restart
        self.volume = volume
        self.extra = {} if extra is None else extra


@define(init=False)
class IPAssignment(Model):
    """An address of an app."""

    __slots__ = (
        "created_at",
        "egress",
        "extra",
        "ip",
        "ip_pair",
        "network",
        "region",
        "service_name",
        "shared",
    )
    created_at: str | None
    ip: str | None
    region: str | None
    service_name: str | None
    shared: bool | None
    """Shared with other apps"""
    egress: bool | None
    """Connections of the app come from it; none arrive"""
    ip_pair: IPPair | None
    network: IPAssignmentNetwork | None
    extra: dict[str, Any]

    def __init__(
        self,
        *,
        created_at: str | None = None,
        ip: str | None = None,
        region: str | None = None,
        service_name: str | None = None,
        shared: bool | None = None,
        egress: bool | None = None,
        ip_pair: IPPair | None = None,
        network: IPAssignmentNetwork | None = None,
        extra: dict[str, Any] | None = None,
    ) -> None:
        self.created_at = created_at
        self.ip = ip
        self.region = region
        self.service_name = service_name
        self.shared = shared
        self.egress = egress
        self.ip_pair = ip_pair
        self.network = network
        self.extra = {} if extra is None else extra


@define(init=False)
class ListAppsResponse(Model):
    __slots__ = ("apps", "extra", "total_apps")
    apps: list[App] | None
    total_apps: int | None
    extra: dict[str, Any]

    def __init__(
        self,
        *,
        apps: list[App] | None = None,
        total_apps: int | None = None,
        extra: dict[str, Any] | None = None,
    ) -> None:
        self.apps = apps
        self.total_apps = total_apps
        self.extra = {} if extra is None else extra


@define(init=False)
class MachineOverviewConfig(Model):
    __slots__ = ("extra", "guest", "image", "metadata")
    guest: FlyMachineGuest | None
    image: str | None
    metadata: dict[str, str] | None
    extra: dict[str, Any]

    def __init__(
        self,
        *,
        guest: FlyMachineGuest | None = None,
        image: str | None = None,
        metadata: dict[str, str] | None = None,
        extra: dict[str, Any] | None = None,
    ) -> None:
        self.guest = guest
        self.image = image
        self.metadata = metadata
        self.extra = {} if extra is None else extra


@define(init=False)
class OrgMachine(Model):
    """A machine in the list of an organization."""

    __slots__ = (
        "app_name",
        "config",
        "created_at",
        "extra",
        "id",
        "instance_id",
        "name",
        "private_ip",
        "region",
        "state",
        "updated_at",
        "version",
    )
    app_name: str | None
    config: MachineOverviewConfig | None
    created_at: str | None
    id: str | None
    instance_id: str | None
    name: str | None
    private_ip: str | None
    region: str | None
    state: str | None
    updated_at: str | None
    version: str | None
    extra: dict[str, Any]

    def __init__(
        self,
        *,
        app_name: str | None = None,
        config: MachineOverviewConfig | None = None,
        created_at: str | None = None,
        id: str | None = None,
        instance_id: str | None = None,
        name: str | None = None,
        private_ip: str | None = None,
        region: str | None = None,
        state: str | None = None,
        updated_at: str | None = None,
        version: str | None = None,
        extra: dict[str, Any] | None = None,
    ) -> None:
        self.app_name = app_name
        self.config = config
        self.created_at = created_at
        self.id = id
        self.instance_id = instance_id
        self.name = name
        self.private_ip = private_ip
        self.region = region
        self.state = state
        self.updated_at = updated_at
        self.version = version
        self.extra = {} if extra is None else extra


@define(init=False)
class OrgMachinesResponse(Model):
    __slots__ = (
        "error_regions",
        "extra",
        "last_machine_id",
        "last_updated_at",
        "machines",
        "next_cursor",
    )
    error_regions: list[str] | None
    last_machine_id: str | None
    last_updated_at: str | None
    machines: list[OrgMachine] | None
    next_cursor: str | None
    extra: dict[str, Any]

    def __init__(
        self,
        *,
        error_regions: list[str] | None = None,
        last_machine_id: str | None = None,
        last_updated_at: str | None = None,
        machines: list[OrgMachine] | None = None,
        next_cursor: str | None = None,
        extra: dict[str, Any] | None = None,
    ) -> None:
        self.error_regions = error_regions
        self.last_machine_id = last_machine_id
        self.last_updated_at = last_updated_at
        self.machines = machines
        self.next_cursor = next_cursor
        self.extra = {} if extra is None else extra


@define(init=False)
class AuthorizeResponse(Model):
    __slots__ = ("access", "extra", "verified_token")
    access: FlyioAccess | None
    verified_token: RootVerifiedToken | None
    extra: dict[str, Any]

    def __init__(
        self,
        *,
        access: FlyioAccess | None = None,
        verified_token: RootVerifiedToken | None = None,
        extra: dict[str, Any] | None = None,
    ) -> None:
        self.access = access
        self.verified_token = verified_token
        self.extra = {} if extra is None else extra


@define(init=False)
class AuthorizeTokenRequest(Model):
    __slots__ = ("access", "extra", "header")
    access: MainTokenAccess | None
    header: str | None
    extra: dict[str, Any]

    def __init__(
        self,
        *,
        access: MainTokenAccess | None = None,
        header: str | None = None,
        extra: dict[str, Any] | None = None,
    ) -> None:
        self.access = access
        self.header = header
        self.extra = {} if extra is None else extra


@define(init=False)
class DestroyCustomCertificateResponse(Model):
    __slots__ = (
        "acme_requested",
        "certificates",
        "configured",
        "dns_provider",
        "dns_requirements",
        "extra",
        "hostname",
        "rate_limited_until",
        "status",
        "validation",
        "validation_errors",
        "warning",
    )
    acme_requested: bool | None
    certificates: list[CertificateEntry] | None
    configured: bool | None
    dns_provider: str | None
    dns_requirements: DNSRequirements | None
    hostname: str | None
    rate_limited_until: str | None
    status: str | None
    validation: CertificateValidation | None
    validation_errors: list[CertificateValidationError] | None
    warning: str | None
    extra: dict[str, Any]

    def __init__(
        self,
        *,
        acme_requested: bool | None = None,
        certificates: list[CertificateEntry] | None = None,
        configured: bool | None = None,
        dns_provider: str | None = None,
        dns_requirements: DNSRequirements | None = None,
        hostname: str | None = None,
        rate_limited_until: str | None = None,
        status: str | None = None,
        validation: CertificateValidation | None = None,
        validation_errors: list[CertificateValidationError] | None = None,
        warning: str | None = None,
        extra: dict[str, Any] | None = None,
    ) -> None:
        self.acme_requested = acme_requested
        self.certificates = certificates
        self.configured = configured
        self.dns_provider = dns_provider
        self.dns_requirements = dns_requirements
        self.hostname = hostname
        self.rate_limited_until = rate_limited_until
        self.status = status
        self.validation = validation
        self.validation_errors = validation_errors
        self.warning = warning
        self.extra = {} if extra is None else extra


@define(init=False)
class FlyContainerDependency(Model):
    __slots__ = ("condition", "extra", "name")
    condition: FlyContainerDependencyCondition | None
    name: str | None
    extra: dict[str, Any]

    def __init__(
        self,
        *,
        condition: FlyContainerDependencyCondition | None = None,
        name: str | None = None,
        extra: dict[str, Any] | None = None,
    ) -> None:
        self.condition = condition
        self.name = name
        self.extra = {} if extra is None else extra


@define(init=False)
class FlyDNSConfig(Model):
    __slots__ = (
        "dns_forward_rules",
        "extra",
        "hostname",
        "hostname_fqdn",
        "nameservers",
        "options",
        "searches",
        "skip_registration",
    )
    dns_forward_rules: list[FlyDnsForwardRule] | None
    hostname: str | None
    hostname_fqdn: str | None
    nameservers: list[str] | None
    options: list[FlyDnsOption] | None
    searches: list[str] | None
    skip_registration: bool | None
    extra: dict[str, Any]

    def __init__(
        self,
        *,
        dns_forward_rules: list[FlyDnsForwardRule] | None = None,
        hostname: str | None = None,
        hostname_fqdn: str | None = None,
        nameservers: list[str] | None = None,
        options: list[FlyDnsOption] | None = None,
        searches: list[str] | None = None,
        skip_registration: bool | None = None,
        extra: dict[str, Any] | None = None,
    ) -> None:
        self.dns_forward_rules = dns_forward_rules
        self.hostname = hostname
        self.hostname_fqdn = hostname_fqdn
        self.nameservers = nameservers
        self.options = options
        self.searches = searches
        self.skip_registration = skip_registration
        self.extra = {} if extra is None else extra


@define(init=False)
class FlyHTTPHealthcheck(Model):
    __slots__ = (
        "extra",
        "headers",
        "method",
        "path",
        "port",
        "scheme",
        "tls_server_name",
        "tls_skip_verify",
    )
    headers: list[FlyMachineHTTPHeader] | None
    method: str | None
    path: str | None
    port: int | None
    scheme: FlyContainerHealthcheckScheme | None
    tls_server_name: str | None
    tls_skip_verify: bool | None
    extra: dict[str, Any]

    def __init__(
        self,
        *,
        headers: list[FlyMachineHTTPHeader] | None = None,
        method: str | None = None,
        path: str | None = None,
        port: int | None = None,
        scheme: FlyContainerHealthcheckScheme | None = None,
        tls_server_name: str | None = None,
        tls_skip_verify: bool | None = None,
        extra: dict[str, Any] | None = None,
    ) -> None:
        self.headers = headers
        self.method = method
        self.path = path
        self.port = port
        self.scheme = scheme
        self.tls_server_name = tls_server_name
        self.tls_skip_verify = tls_skip_verify
        self.extra = {} if extra is None else extra


@define(init=False)
class FlyHTTPOptions(Model):
    __slots__ = (
        "compress",
        "extra",
        "h2_backend",
        "headers_read_timeout",
        "idle_timeout",
        "replay_cache",
        "response",
    )
    compress: bool | None
    h2_backend: bool | None
    headers_read_timeout: int | None
    """Seconds"""
    idle_timeout: int | None
    """Seconds"""
    replay_cache: list[FlyReplayCache] | None
    response: FlyHTTPResponseOptions | None
    extra: dict[str, Any]

    def __init__(
        self,
        *,
        compress: bool | None = None,
        h2_backend: bool | None = None,
        headers_read_timeout: int | None = None,
        idle_timeout: int | None = None,
        replay_cache: list[FlyReplayCache] | None = None,
        response: FlyHTTPResponseOptions | None = None,
        extra: dict[str, Any] | None = None,
    ) -> None:
        self.compress = compress
        self.h2_backend = h2_backend
        self.headers_read_timeout = headers_read_timeout
        self.idle_timeout = idle_timeout
        self.replay_cache = replay_cache
        self.response = response
        self.extra = {} if extra is None else extra


@define(init=False)
class FlyMachineCheck(Model):
    """A check of the machine that is not tied to a service."""

    __slots__ = (
        "extra",
        "grace_period",
        "headers",
        "interval",
        "kind",
        "method",
        "path",
        "port",
        "protocol",
        "timeout",
        "tls_server_name",
        "tls_skip_verify",
        "type",
    )
    grace_period: str | None
    """Go duration"""
    headers: list[FlyMachineHTTPHeader] | None
    interval: str | None
    """Go duration"""
    kind: Literal["informational", "readiness"] | None
    method: str | None
    path: str | None
    port: int | None
    protocol: str | None
    timeout: str | None
    """Go duration"""
    tls_server_name: str | None
    tls_skip_verify: bool | None
    type: str | None
    """`tcp` or `http`"""
    extra: dict[str, Any]

    def __init__(
        self,
        *,
        grace_period: str | None = None,
        headers: list[FlyMachineHTTPHeader] | None = None,
        interval: str | None = None,
        kind: Literal["informational", "readiness"] | None = None,
        method: str | None = None,
        path: str | None = None,
        port: int | None = None,
        protocol: str | None = None,
        timeout: str | None = None,
        tls_server_name: str | None = None,
        tls_skip_verify: bool | None = None,
        type: str | None = None,
        extra: dict[str, Any] | None = None,
    ) -> None:
        self.grace_period = grace_period
        self.headers = headers
        self.interval = interval
        self.kind = kind
        self.method = method
        self.path = path
        self.port = port
        self.protocol = protocol
        self.timeout = timeout
        self.tls_server_name = tls_server_name
        self.tls_skip_verify = tls_skip_verify
        self.type = type
        self.extra = {} if extra is None else extra


@define(init=False)
class FlyMachinePort(Model):
    """A public port of a service."""

    __slots__ = (
        "end_port",
        "extra",
        "force_https",
        "handlers",
        "http_options",
        "port",
        "proxy_proto_options",
        "start_port",
        "tls_options",
    )
    end_port: int | None
    force_https: bool | None
    handlers: list[str] | None
    http_options: FlyHTTPOptions | None
    port: int | None
    proxy_proto_options: FlyProxyProtoOptions | None
    start_port: int | None
    tls_options: FlyTLSOptions | None
    extra: dict[str, Any]

    def __init__(
        self,
        *,
        end_port: int | None = None,
        force_https: bool | None = None,
        handlers: list[str] | None = None,
        http_options: FlyHTTPOptions | None = None,
        port: int | None = None,
        proxy_proto_options: FlyProxyProtoOptions | None = None,
        start_port: int | None = None,
        tls_options: FlyTLSOptions | None = None,
        extra: dict[str, Any] | None = None,
    ) -> None:
        self.end_port = end_port
        self.force_https = force_https
        self.handlers = handlers
        self.http_options = http_options
        self.port = port
        self.proxy_proto_options = proxy_proto_options
        self.start_port = start_port
        self.tls_options = tls_options
        self.extra = {} if extra is None else extra


@define(init=False)
class FlyMachineProcess(Model):
    """A further process of a machine."""

    __slots__ = (
        "cmd",
        "entrypoint",
        "env",
        "env_from",
        "exec",
        "extra",
        "ignore_app_secrets",
        "secrets",
        "user",
    )
    cmd: list[str] | None
    entrypoint: list[str] | None
    env: dict[str, str] | None
    env_from: list[FlyEnvFrom] | None
    exec: list[str] | None
    ignore_app_secrets: bool | None
    """Give it only the secrets listed here"""
    secrets: list[FlyMachineSecret] | None
    user: str | None
    extra: dict[str, Any]

    def __init__(
        self,
        *,
        cmd: list[str] | None = None,
        entrypoint: list[str] | None = None,
        env: dict[str, str] | None = None,
        env_from: list[FlyEnvFrom] | None = None,
        exec: list[str] | None = None,
        ignore_app_secrets: bool | None = None,
        secrets: list[FlyMachineSecret] | None = None,
        user: str | None = None,
        extra: dict[str, Any] | None = None,
    ) -> None:
        self.cmd = cmd
        self.entrypoint = entrypoint
        self.env = env
        self.env_from = env_from
        self.exec = exec
        self.ignore_app_secrets = ignore_app_secrets
        self.secrets = secrets
        self.user = user
        self.extra = {} if extra is None else extra


@define(init=False)
class FlyMachineService(Model):
    """A port inside the machine made reachable through the proxy."""

    __slots__ = (
        "autostart",
        "autostop",
        "checks",
        "concurrency",
        "extra",
        "force_instance_description",
        "force_instance_key",
        "internal_port",
        "min_machines_running",
        "ports",
        "protocol",
    )
    autostart: bool | None
    checks: list[FlyMachineServiceCheck] | None
    concurrency: FlyMachineServiceConcurrency | None
    force_instance_description: str | None
    force_instance_key: str | None
    internal_port: int | None
    min_machines_running: int | None
    """Machines the proxy leaves running in the primary region"""
    ports: list[FlyMachinePort] | None
    protocol: str | None
    autostop: bool | Literal["off", "stop", "suspend"] | None
    extra: dict[str, Any]

    def __init__(
        self,
        *,
        autostart: bool | None = None,
        checks: list[FlyMachineServiceCheck] | None = None,
        concurrency: FlyMachineServiceConcurrency | None = None,
        force_instance_description: str | None = None,
        force_instance_key: str | None = None,
        internal_port: int | None = None,
        min_machines_running: int | None = None,
        ports: list[FlyMachinePort] | None = None,
        protocol: str | None = None,
        autostop: bool | Literal["off", "stop", "suspend"] | None = None,
        extra: dict[str, Any] | None = None,
    ) -> None:
        self.autostart = autostart
        self.checks = checks
        self.concurrency = concurrency
        self.force_instance_description = force_instance_description
        self.force_instance_key = force_instance_key
        self.internal_port = internal_port
        self.min_machines_running = min_machines_running
        self.ports = ports
        self.protocol = protocol
        self.autostop = autostop
        self.extra = {} if extra is None else extra


@define(init=False)
class ListIPAssignmentsResponse(Model):
    __slots__ = ("extra", "ips")
    ips: list[IPAssignment] | None
    extra: dict[str, Any]

    def __init__(
        self,
        *,
        ips: list[IPAssignment] | None = None,
        extra: dict[str, Any] | None = None,
    ) -> None:
        self.ips = ips
        self.extra = {} if extra is None else extra


@define(init=False)
class MainGetPlacementsRequest(Model):
    __slots__ = (
        "compute",
        "count",
        "extra",
        "org_slug",
        "region",
        "volume_name",
        "volume_size_bytes",
        "weights",
    )
    org_slug: str
    compute: FlyMachineGuest | None
    """`performance-1x` unless given"""
    count: int | None
    region: str | None
    volume_name: str | None
    volume_size_bytes: int | None
    """Bytes"""
    weights: PlacementWeights | None
    extra: dict[str, Any]

    def __init__(
        self,
        *,
        org_slug: str,
        compute: FlyMachineGuest | None = None,
        count: int | None = None,
        region: str | None = None,
        volume_name: str | None = None,
        volume_size_bytes: int | None = None,
        weights: PlacementWeights | None = None,
        extra: dict[str, Any] | None = None,
    ) -> None:
        self.org_slug = org_slug
        self.compute = compute
        self.count = count
        self.region = region
        self.volume_name = volume_name
        self.volume_size_bytes = volume_size_bytes
        self.weights = weights
        self.extra = {} if extra is None else extra


@define(init=False)
class MainGetPlacementsResponse(Model):
    __slots__ = ("extra", "regions")
    regions: list[PlacementRegionPlacement] | None
    extra: dict[str, Any]

    def __init__(
        self,
        *,
        regions: list[PlacementRegionPlacement] | None = None,
        extra: dict[str, Any] | None = None,
    ) -> None:
        self.regions = regions
        self.extra = {} if extra is None else extra


@define(init=False)
class MainRegionResponse(Model):
    __slots__ = ("Nearest", "Regions", "extra", "nearest", "regions")
    nearest: str | None
    regions: list[MainRegionRow] | None
    Nearest: str | None
    Regions: list[MainRegionRow] | None
    extra: dict[str, Any]

    def __init__(
        self,
        *,
        nearest: str | None = None,
        regions: list[MainRegionRow] | None = None,
        Nearest: str | None = None,
        Regions: list[MainRegionRow] | None = None,
        extra: dict[str, Any] | None = None,
    ) -> None:
        self.nearest = nearest
        self.regions = regions
        self.Nearest = Nearest
        self.Regions = Regions
        self.extra = {} if extra is None else extra


@define(init=False)
class FlyVolumeConfig(Model):
    __slots__ = ("extra", "image", "name", "temp_dir")
    name: str | None
    temp_dir: FlyTempDirVolume | None
    image: str | None
    extra: dict[str, Any]

    def __init__(
        self,
        *,
        name: str | None = None,
        temp_dir: FlyTempDirVolume | None = None,
        image: str | None = None,
        extra: dict[str, Any] | None = None,
    ) -> None:
        self.name = name
        self.temp_dir = temp_dir
        self.image = image
        self.extra = {} if extra is None else extra


@define(init=False)
class LeaseReleaseResponse(Model):
    __slots__ = ("data", "extra", "status")
    status: str | None
    data: OkResponse | None
    extra: dict[str, Any]

    def __init__(
        self,
        *,
        status: str | None = None,
        data: OkResponse | None = None,
        extra: dict[str, Any] | None = None,
    ) -> None:
        self.status = status
        self.data = data
        self.extra = {} if extra is None else extra


@define(init=False)
class NetworkPolicySelector(Model):
    __slots__ = ("all", "extra", "machines", "metadata")
    all: bool | None
    machines: list[NetworkPolicyMachine] | None
    metadata: dict[str, str] | None
    extra: dict[str, Any]

    def __init__(
        self,
        *,
        all: bool | None = None,
        machines: list[NetworkPolicyMachine] | None = None,
        metadata: dict[str, str] | None = None,
        extra: dict[str, Any] | None = None,
    ) -> None:
        self.all = all
        self.machines = machines
        self.metadata = metadata
        self.extra = {} if extra is None else extra


@define(init=False)
class NetworkPolicyRule(Model):
    __slots__ = ("action", "direction", "extra", "ports")
    action: Literal["allow"] | None
    direction: Literal["ingress", "egress"] | None
    ports: list[NetworkPolicyPort] | None
    extra: dict[str, Any]

    def __init__(
        self,
        *,
        action: Literal["allow"] | None = None,
        direction: Literal["ingress", "egress"] | None = None,
        ports: list[NetworkPolicyPort] | None = None,
        extra: dict[str, Any] | None = None,
    ) -> None:
        self.action = action
        self.direction = direction
        self.ports = ports
        self.extra = {} if extra is None else extra


@define(init=False)
class CertificateCheckResponse(Model):
    """What a check of the DNS records found."""

    __slots__ = (
        "acme_requested",
        "certificates",
        "configured",
        "dns_provider",
        "dns_records",
        "dns_requirements",
        "extra",
        "hostname",
        "rate_limited_until",
        "status",
        "validation",
        "validation_errors",
    )
    acme_requested: bool | None
    certificates: list[CertificateEntry] | None
    configured: bool | None
    dns_provider: str | None
    dns_records: DNSRecords | None
    dns_requirements: DNSRequirements | None
    hostname: str | None
    rate_limited_until: str | None
    status: str | None
    validation: CertificateValidation | None
    validation_errors: list[CertificateValidationError] | None
    extra: dict[str, Any]

    def __init__(
        self,
        *,
        acme_requested: bool | None = None,
        certificates: list[CertificateEntry] | None = None,
        configured: bool | None = None,
        dns_provider: str | None = None,
        dns_records: DNSRecords | None = None,
        dns_requirements: DNSRequirements | None = None,
        hostname: str | None = None,
        rate_limited_until: str | None = None,
        status: str | None = None,
        validation: CertificateValidation | None = None,
        validation_errors: list[CertificateValidationError] | None = None,
        extra: dict[str, Any] | None = None,
    ) -> None:
        self.acme_requested = acme_requested
        self.certificates = certificates
        self.configured = configured
        self.dns_provider = dns_provider
        self.dns_records = dns_records
        self.dns_requirements = dns_requirements
        self.hostname = hostname
        self.rate_limited_until = rate_limited_until
        self.status = status
        self.validation = validation
        self.validation_errors = validation_errors
        self.extra = {} if extra is None else extra


@define(init=False)
class CertificateDetail(Model):
    __slots__ = (
        "acme_requested",
        "certificates",
        "configured",
        "dns_provider",
        "dns_requirements",
        "extra",
        "hostname",
        "rate_limited_until",
        "status",
        "validation",
        "validation_errors",
    )
    acme_requested: bool | None
    certificates: list[CertificateEntry] | None
    configured: bool | None
    dns_provider: str | None
    dns_requirements: DNSRequirements | None
    hostname: str | None
    rate_limited_until: str | None
    status: str | None
    validation: CertificateValidation | None
    validation_errors: list[CertificateValidationError] | None
    extra: dict[str, Any]

    def __init__(
        self,
        *,
        acme_requested: bool | None = None,
        certificates: list[CertificateEntry] | None = None,
        configured: bool | None = None,
        dns_provider: str | None = None,
        dns_requirements: DNSRequirements | None = None,
        hostname: str | None = None,
        rate_limited_until: str | None = None,
        status: str | None = None,
        validation: CertificateValidation | None = None,
        validation_errors: list[CertificateValidationError] | None = None,
        extra: dict[str, Any] | None = None,
    ) -> None:
        self.acme_requested = acme_requested
        self.certificates = certificates
        self.configured = configured
        self.dns_provider = dns_provider
        self.dns_requirements = dns_requirements
        self.hostname = hostname
        self.rate_limited_until = rate_limited_until
        self.status = status
        self.validation = validation
        self.validation_errors = validation_errors
        self.extra = {} if extra is None else extra


@define(init=False)
class FlyContainerHealthcheck(Model):
    """A health check of a container: one of `http`, `tcp` and `exec`."""

    __slots__ = (
        "exec",
        "extra",
        "failure_threshold",
        "grace_period",
        "http",
        "interval",
        "kind",
        "name",
        "success_threshold",
        "tcp",
        "timeout",
        "unhealthy",
    )
    exec: FlyExecHealthcheck | None
    failure_threshold: int | None
    grace_period: int | None
    """Seconds"""
    http: FlyHTTPHealthcheck | None
    interval: int | None
    """Seconds"""
    kind: FlyContainerHealthcheckKind | None
    name: str | None
    success_threshold: int | None
    tcp: FlyTCPHealthcheck | None
    timeout: int | None
    """Seconds"""
    unhealthy: FlyUnhealthyPolicy | None
    extra: dict[str, Any]

    def __init__(
        self,
        *,
        exec: FlyExecHealthcheck | None = None,
        failure_threshold: int | None = None,
        grace_period: int | None = None,
        http: FlyHTTPHealthcheck | None = None,
        interval: int | None = None,
        kind: FlyContainerHealthcheckKind | None = None,
        name: str | None = None,
        success_threshold: int | None = None,
        tcp: FlyTCPHealthcheck | None = None,
        timeout: int | None = None,
        unhealthy: FlyUnhealthyPolicy | None = None,
        extra: dict[str, Any] | None = None,
    ) -> None:
        self.exec = exec
        self.failure_threshold = failure_threshold
        self.grace_period = grace_period
        self.http = http
        self.interval = interval
        self.kind = kind
        self.name = name
        self.success_threshold = success_threshold
        self.tcp = tcp
        self.timeout = timeout
        self.unhealthy = unhealthy
        self.extra = {} if extra is None else extra


@define(init=False)
class NetworkPolicy(Model):
    """What the machines of an app may send and receive."""

    __slots__ = ("extra", "id", "name", "rules", "selector")
    id: str | None
    """Given by the platform; names the policy that is changed"""
    name: str | None
    selector: NetworkPolicySelector | None
    rules: list[NetworkPolicyRule] | None
    extra: dict[str, Any]

    def __init__(
        self,
        *,
        id: str | None = None,
        name: str | None = None,
        selector: NetworkPolicySelector | None = None,
        rules: list[NetworkPolicyRule] | None = None,
        extra: dict[str, Any] | None = None,
    ) -> None:
        self.id = id
        self.name = name
        self.selector = selector
        self.rules = rules
        self.extra = {} if extra is None else extra


@define(init=False)
class FlyContainerConfig(Model):
    """One of several containers in a machine."""

    __slots__ = (
        "cmd",
        "depends_on",
        "entrypoint",
        "env",
        "env_from",
        "exec",
        "extra",
        "files",
        "healthchecks",
        "image",
        "mounts",
        "name",
        "restart",
        "secrets",
        "stop",
        "user",
    )
    cmd: list[str] | None
    depends_on: list[FlyContainerDependency] | None
    entrypoint: list[str] | None
    env: dict[str, str] | None
    env_from: list[FlyEnvFrom] | None
    exec: list[str] | None
    files: list[FlyFile] | None
    healthchecks: list[FlyContainerHealthcheck] | None
    image: str | None
    name: str | None
    restart: FlyMachineRestart | None
    secrets: list[FlyMachineSecret] | None
    stop: FlyStopConfig | None
    user: str | None
    mounts: list[FlyContainerMount] | None
    extra: dict[str, Any]

    def __init__(
        self,
        *,
        cmd: list[str] | None = None,
        depends_on: list[FlyContainerDependency] | None = None,
        entrypoint: list[str] | None = None,
        env: dict[str, str] | None = None,
        env_from: list[FlyEnvFrom] | None = None,
        exec: list[str] | None = None,
        files: list[FlyFile] | None = None,
        healthchecks: list[FlyContainerHealthcheck] | None = None,
        image: str | None = None,
        name: str | None = None,
        restart: FlyMachineRestart | None = None,
        secrets: list[FlyMachineSecret] | None = None,
        stop: FlyStopConfig | None = None,
        user: str | None = None,
        mounts: list[FlyContainerMount] | None = None,
        extra: dict[str, Any] | None = None,
    ) -> None:
        self.cmd = cmd
        self.depends_on = depends_on
        self.entrypoint = entrypoint
        self.env = env
        self.env_from = env_from
        self.exec = exec
        self.files = files
        self.healthchecks = healthchecks
        self.image = image
        self.name = name
        self.restart = restart
        self.secrets = secrets
        self.stop = stop
        self.user = user
        self.mounts = mounts
        self.extra = {} if extra is None else extra


@define(init=False)
class FlyMachineConfig(Model):
    """What a machine is: image, size, mounts, services and all else."""

    __slots__ = (
        "auto_destroy",
        "cache_drive",
        "checks",
        "containers",
        "disable_machine_autostart",
        "dns",
        "env",
        "extra",
        "files",
        "guest",
        "image",
        "init",
        "metadata",
        "metrics",
        "mounts",
        "processes",
        "restart",
        "rootfs",
        "schedule",
        "services",
        "size",
        "spot",
        "standbys",
        "statics",
        "stop_config",
        "volumes",
    )
    auto_destroy: bool | None
    """Delete the machine when it stops"""
    cache_drive: FlyMachineCacheDrive | None
    checks: dict[str, FlyMachineCheck] | None
    """Check by name"""
    containers: list[FlyContainerConfig] | None
    disable_machine_autostart: bool | None
    """Deprecated, use `services`"""
    dns: FlyDNSConfig | None
    env: dict[str, str] | None
    files: list[FlyFile] | None
    guest: FlyMachineGuest | None
    image: str | None
    init: FlyMachineInit | None
    metadata: dict[str, str] | None
    metrics: FlyMachineMetrics | None
    mounts: list[FlyMachineMount] | None
    processes: list[FlyMachineProcess] | None
    restart: FlyMachineRestart | None
    rootfs: FlyMachineRootfs | None
    schedule: str | None
    """`hourly`, `daily`, `weekly` or `monthly`"""
    services: list[FlyMachineService] | None
    size: str | None
    """Deprecated, use `guest`"""
    standbys: list[str] | None
    """Machines this one stands in for"""
    statics: list[FlyStatic] | None
    stop_config: FlyStopConfig | None
    spot: FlyMachineSpot | None
    volumes: list[FlyVolumeConfig] | None
    extra: dict[str, Any]

    def __init__(
        self,
        *,
        auto_destroy: bool | None = None,
        cache_drive: FlyMachineCacheDrive | None = None,
        checks: dict[str, FlyMachineCheck] | None = None,
        containers: list[FlyContainerConfig] | None = None,
        disable_machine_autostart: bool | None = None,
        dns: FlyDNSConfig | None = None,
        env: dict[str, str] | None = None,
        files: list[FlyFile] | None = None,
        guest: FlyMachineGuest | None = None,
        image: str | None = None,
        init: FlyMachineInit | None = None,
        metadata: dict[str, str] | None = None,
        metrics: FlyMachineMetrics | None = None,
        mounts: list[FlyMachineMount] | None = None,
        processes: list[FlyMachineProcess] | None = None,
        restart: FlyMachineRestart | None = None,
        rootfs: FlyMachineRootfs | None = None,
        schedule: str | None = None,
        services: list[FlyMachineService] | None = None,
        size: str | None = None,
        standbys: list[str] | None = None,
        statics: list[FlyStatic] | None = None,
        stop_config: FlyStopConfig | None = None,
        spot: FlyMachineSpot | None = None,
        volumes: list[FlyVolumeConfig] | None = None,
        extra: dict[str, Any] | None = None,
    ) -> None:
        self.auto_destroy = auto_destroy
        self.cache_drive = cache_drive
        self.checks = checks
        self.containers = containers
        self.disable_machine_autostart = disable_machine_autostart
        self.dns = dns
        self.env = env
        self.files = files
        self.guest = guest
        self.image = image
        self.init = init
        self.metadata = metadata
        self.metrics = metrics
        self.mounts = mounts
        self.processes = processes
        self.restart = restart
        self.rootfs = rootfs
        self.schedule = schedule
        self.services = services
        self.size = size
        self.standbys = standbys
        self.statics = statics
        self.stop_config = stop_config
        self.spot = spot
        self.volumes = volumes
        self.extra = {} if extra is None else extra


@define(init=False)
class CreateMachineRequest(Model):
    """A machine to create; `config` is needed."""

    __slots__ = (
        "config",
        "extra",
        "lease_ttl",
        "lsvd",
        "min_secrets_version",
        "name",
        "region",
        "skip_launch",
        "skip_secrets",
        "skip_service_registration",
    )
    config: FlyMachineConfig | None
    lease_ttl: int | None
    """Seconds; when given, the answer has the nonce of a lease"""
    lsvd: bool | None
    min_secrets_version: int | None
    """Do not start with older secrets than these"""
    name: str | None
    """Made up when missing; cannot be changed"""
    region: str | None
    """A region, a comma list in order of preference, an alias such as `eu`, or `any`; cannot be changed"""
    skip_launch: bool | None
    """Leave it in the state `created`"""
    skip_secrets: bool | None
    skip_service_registration: bool | None
    """Keep it out of routing until it is uncordoned"""
    extra: dict[str, Any]

    def __init__(
        self,
        *,
        config: FlyMachineConfig | None = None,
        lease_ttl: int | None = None,
        lsvd: bool | None = None,
        min_secrets_version: int | None = None,
        name: str | None = None,
        region: str | None = None,
        skip_launch: bool | None = None,
        skip_secrets: bool | None = None,
        skip_service_registration: bool | None = None,
        extra: dict[str, Any] | None = None,
    ) -> None:
        self.config = config
        self.lease_ttl = lease_ttl
        self.lsvd = lsvd
        self.min_secrets_version = min_secrets_version
        self.name = name
        self.region = region
        self.skip_launch = skip_launch
        self.skip_secrets = skip_secrets
        self.skip_service_registration = skip_service_registration
        self.extra = {} if extra is None else extra


@define(init=False)
class Machine(Model):
    """A virtual machine."""

    __slots__ = (
        "checks",
        "config",
        "containers",
        "cordoned",
        "created_at",
        "events",
        "extra",
        "host_status",
        "id",
        "image_ref",
        "incomplete_config",
        "instance_id",
        "name",
        "nonce",
        "private_ip",
        "region",
        "state",
        "updated_at",
        "version",
    )
    checks: list[CheckStatus] | None
    config: FlyMachineConfig | None
    created_at: str | None
    """RFC 3339"""
    events: list[MachineEvent] | None
    host_status: Literal["ok", "unknown", "unreachable"] | None
    id: str | None
    image_ref: ImageRef | None
    incomplete_config: FlyMachineConfig | None
    instance_id: str | None
    """Version: changes with each update"""
    name: str | None
    nonce: str | None
    """Nonce of the lease asked for on create"""
    private_ip: str | None
    """IPv6 address in the private network"""
    region: str | None
    state: str | None
    """An open set"""
    updated_at: str | None
    """RFC 3339"""
    version: str | None
    cordoned: bool | None
    containers: list[ContainerStatus] | None
    extra: dict[str, Any]

    def __init__(
        self,
        *,
        checks: list[CheckStatus] | None = None,
        config: FlyMachineConfig | None = None,
        created_at: str | None = None,
        events: list[MachineEvent] | None = None,
        host_status: Literal["ok", "unknown", "unreachable"] | None = None,
        id: str | None = None,
        image_ref: ImageRef | None = None,
        incomplete_config: FlyMachineConfig | None = None,
        instance_id: str | None = None,
        name: str | None = None,
        nonce: str | None = None,
        private_ip: str | None = None,
        region: str | None = None,
        state: str | None = None,
        updated_at: str | None = None,
        version: str | None = None,
        cordoned: bool | None = None,
        containers: list[ContainerStatus] | None = None,
        extra: dict[str, Any] | None = None,
    ) -> None:
        self.checks = checks
        self.config = config
        self.created_at = created_at
        self.events = events
        self.host_status = host_status
        self.id = id
        self.image_ref = image_ref
        self.incomplete_config = incomplete_config
        self.instance_id = instance_id
        self.name = name
        self.nonce = nonce
        self.private_ip = private_ip
        self.region = region
        self.state = state
        self.updated_at = updated_at
        self.version = version
        self.cordoned = cordoned
        self.containers = containers
        self.extra = {} if extra is None else extra


@define(init=False)
class MachineVersion(Model):
    """A configuration a machine had."""

    __slots__ = ("extra", "user_config", "version")
    user_config: FlyMachineConfig | None
    version: str | None
    extra: dict[str, Any]

    def __init__(
        self,
        *,
        user_config: FlyMachineConfig | None = None,
        version: str | None = None,
        extra: dict[str, Any] | None = None,
    ) -> None:
        self.user_config = user_config
        self.version = version
        self.extra = {} if extra is None else extra


@define(init=False)
class UpdateMachineRequest(Model):
    """The new configuration of a machine."""

    __slots__ = (
        "config",
        "current_version",
        "extra",
        "lease_ttl",
        "lsvd",
        "min_secrets_version",
        "name",
        "region",
        "skip_launch",
        "skip_secrets",
        "skip_service_registration",
    )
    config: FlyMachineConfig | None
    current_version: str | None
    """Refuse unless the machine has this version"""
    lease_ttl: int | None
    """Seconds"""
    lsvd: bool | None
    min_secrets_version: int | None
    """Do not start with older secrets than these"""
    name: str | None
    region: str | None
    skip_launch: bool | None
    """Do not start it"""
    skip_secrets: bool | None
    skip_service_registration: bool | None
    """Keep it out of routing until it is uncordoned"""
    extra: dict[str, Any]

    def __init__(
        self,
        *,
        config: FlyMachineConfig | None = None,
        current_version: str | None = None,
        lease_ttl: int | None = None,
        lsvd: bool | None = None,
        min_secrets_version: int | None = None,
        name: str | None = None,
        region: str | None = None,
        skip_launch: bool | None = None,
        skip_secrets: bool | None = None,
        skip_service_registration: bool | None = None,
        extra: dict[str, Any] | None = None,
    ) -> None:
        self.config = config
        self.current_version = current_version
        self.lease_ttl = lease_ttl
        self.lsvd = lsvd
        self.min_secrets_version = min_secrets_version
        self.name = name
        self.region = region
        self.skip_launch = skip_launch
        self.skip_secrets = skip_secrets
        self.skip_service_registration = skip_service_registration
        self.extra = {} if extra is None else extra
