# Made by openapi/generate.py from the document and its corrections; do not edit.

from __future__ import annotations

from typing import Any, Literal, TypeAlias

from attrs import define, field


@define(kw_only=True)
class AcmeChallenge:
    name: str | None = None
    target: str | None = None
    extra: dict[str, Any] = field(factory=dict, repr=False)


@define(kw_only=True)
class AppOrganizationInfo:
    internal_numeric_id: int | None = None
    name: str | None = None
    slug: str | None = None
    extra: dict[str, Any] = field(factory=dict, repr=False)


@define(kw_only=True)
class AppSecret:
    """A secret of an app; the value is normally not given."""

    created_at: str | None = None
    """RFC 3339"""
    digest: str | None = None
    """Changes with the value; how it is computed is not documented"""
    name: str | None = None
    updated_at: str | None = None
    """RFC 3339"""
    value: str | None = None
    extra: dict[str, Any] = field(factory=dict, repr=False)


@define(kw_only=True)
class AppSecrets:
    secrets: list[AppSecret] | None = None
    extra: dict[str, Any] = field(factory=dict, repr=False)


@define(kw_only=True)
class AppSecretsUpdateRequest:
    """Secrets to set, and to delete."""

    values: dict[str, str | None] | None = None
    """Value by name"""
    extra: dict[str, Any] = field(factory=dict, repr=False)


@define(kw_only=True)
class AppSecretsUpdateResp:
    Version: int | None = None
    """Deprecated, use `version`"""
    secrets: list[AppSecret] | None = None
    version: int | None = None
    """Secrets version: grows with each change"""
    extra: dict[str, Any] = field(factory=dict, repr=False)


@define(kw_only=True)
class CertificateSummary:
    acme_alpn_configured: bool | None = None
    acme_dns_configured: bool | None = None
    acme_http_configured: bool | None = None
    acme_requested: bool | None = None
    configured: bool | None = None
    created_at: str | None = None
    dns_provider: str | None = None
    has_custom_certificate: bool | None = None
    has_fly_certificate: bool | None = None
    hostname: str | None = None
    ownership_txt_configured: bool | None = None
    status: str | None = None
    updated_at: str | None = None
    extra: dict[str, Any] = field(factory=dict, repr=False)


@define(kw_only=True)
class CertificateValidation:
    alpn_configured: bool | None = None
    dns_configured: bool | None = None
    http_configured: bool | None = None
    ownership_txt_configured: bool | None = None
    extra: dict[str, Any] = field(factory=dict, repr=False)


@define(kw_only=True)
class CertificateValidationError:
    code: str | None = None
    message: str | None = None
    remediation: str | None = None
    timestamp: str | None = None
    extra: dict[str, Any] = field(factory=dict, repr=False)


@define(kw_only=True)
class CheckStatus:
    """Result of a health check of a machine."""

    name: str | None = None
    output: str | None = None
    status: str | None = None
    """`passing`, `warning` or `critical`"""
    updated_at: str | None = None
    """RFC 3339"""
    extra: dict[str, Any] = field(factory=dict, repr=False)


@define(kw_only=True)
class CreateAppDeployTokenRequest:
    expiry: str | None = None
    """Go duration, such as `175200h`"""
    extra: dict[str, Any] = field(factory=dict, repr=False)


@define(kw_only=True)
class CreateAppRequest:
    """An app to create; `name` and `org_slug` are needed."""

    enable_subdomains: bool | None = None
    name: str | None = None
    """Lower-case letters, digits and dashes, at most 63"""
    network: str | None = None
    """Private network; made when it does not exist; can never be changed"""
    org_slug: str | None = None
    app_role_id: str | None = None
    extra: dict[str, Any] = field(factory=dict, repr=False)


@define(kw_only=True)
class CreateAppResponse:
    token: str | None = None
    extra: dict[str, Any] = field(factory=dict, repr=False)


@define(kw_only=True)
class CreateLeaseRequest:
    """A lease to take or prolong."""

    description: str | None = None
    """Shown to whoever meets the lease"""
    ttl: int | None = None
    """Seconds until it ends by itself"""
    extra: dict[str, Any] = field(factory=dict, repr=False)


@define(kw_only=True)
class CreateOIDCTokenRequest:
    aud: str | None = None
    aws_principal_tags: bool | None = None
    extra: dict[str, Any] = field(factory=dict, repr=False)


@define(kw_only=True)
class DNSRecords:
    a: list[str] | None = None
    aaaa: list[str] | None = None
    acme_challenge_cname: str | None = None
    cname: list[str] | None = None
    ownership_txt: str | None = None
    resolved_addresses: list[str] | None = None
    soa: str | None = None
    extra: dict[str, Any] = field(factory=dict, repr=False)


@define(kw_only=True)
class DecryptSecretkeyRequest:
    associated_data: str | None = None
    ciphertext: str | None = None
    extra: dict[str, Any] = field(factory=dict, repr=False)


@define(kw_only=True)
class DecryptSecretkeyResponse:
    plaintext: str | None = None
    extra: dict[str, Any] = field(factory=dict, repr=False)


@define(kw_only=True)
class DeleteAppSecretResponse:
    Version: int | None = None
    """Deprecated, use `version`"""
    version: int | None = None
    """Secrets version"""
    extra: dict[str, Any] = field(factory=dict, repr=False)


@define(kw_only=True)
class DeleteSecretkeyResponse:
    Version: int | None = None
    """Deprecated, use `version`"""
    version: int | None = None
    extra: dict[str, Any] = field(factory=dict, repr=False)


@define(kw_only=True)
class EncryptSecretkeyRequest:
    associated_data: str | None = None
    plaintext: str | None = None
    extra: dict[str, Any] = field(factory=dict, repr=False)


@define(kw_only=True)
class EncryptSecretkeyResponse:
    ciphertext: str | None = None
    extra: dict[str, Any] = field(factory=dict, repr=False)


@define(kw_only=True)
class ExtendVolumeRequest:
    size_gb: int | None = None
    extra: dict[str, Any] = field(factory=dict, repr=False)


@define(kw_only=True)
class IPAssignment:
    """An address of an app."""

    created_at: str | None = None
    ip: str | None = None
    region: str | None = None
    service_name: str | None = None
    shared: bool | None = None
    """Shared with other apps"""
    extra: dict[str, Any] = field(factory=dict, repr=False)


@define(kw_only=True)
class ImageRef:
    """The image a machine runs."""

    digest: str | None = None
    labels: dict[str, str] | None = None
    registry: str | None = None
    repository: str | None = None
    tag: str | None = None
    extra: dict[str, Any] = field(factory=dict, repr=False)


@define(kw_only=True)
class IssuedCertificate:
    certificate_authority: str | None = None
    expires_at: str | None = None
    type: Literal["rsa", "ecdsa"] | None = None
    extra: dict[str, Any] = field(factory=dict, repr=False)


@define(kw_only=True)
class Lease:
    """The exclusive hold on one machine."""

    description: str | None = None
    expires_at: int | None = None
    """Seconds since 1970"""
    nonce: str | None = None
    """Send it with each change of the machine"""
    owner: str | None = None
    version: str | None = None
    """Version of the machine when it was leased"""
    extra: dict[str, Any] = field(factory=dict, repr=False)


@define(kw_only=True)
class ListenSocket:
    address: str | None = None
    proto: str | None = None
    extra: dict[str, Any] = field(factory=dict, repr=False)


@define(kw_only=True)
class MachineEvent:
    """Something that happened to a machine."""

    id: str | None = None
    request: dict[str, Any] | None = None
    source: str | None = None
    """`user`, `flyd` and others"""
    status: str | None = None
    timestamp: int | None = None
    """Milliseconds since 1970"""
    type: str | None = None
    """`launch`, `start`, `exit`, `update` and others"""
    extra: dict[str, Any] = field(factory=dict, repr=False)


@define(kw_only=True)
class MachineExecRequest:
    cmd: str | None = None
    """Deprecated, use `command`"""
    command: list[str] | None = None
    container: str | None = None
    """Container to run it in"""
    stdin: str | None = None
    timeout: int | None = None
    """Seconds"""
    machine: bool | None = None
    extra: dict[str, Any] = field(factory=dict, repr=False)


@define(kw_only=True)
class OrgVolume:
    """A volume in the list of an organization."""

    app_name: str | None = None
    attached_alloc_id: str | None = None
    attached_machine_id: str | None = None
    auto_backup_enabled: bool | None = None
    block_size: int | None = None
    blocks: int | None = None
    blocks_avail: int | None = None
    blocks_free: int | None = None
    bytes_total: int | None = None
    bytes_used: int | None = None
    created_at: str | None = None
    encrypted: bool | None = None
    fstype: str | None = None
    host_status: Literal["ok", "unknown", "unreachable"] | None = None
    id: str | None = None
    name: str | None = None
    region: str | None = None
    size_gb: int | None = None
    snapshot_retention: int | None = None
    state: str | None = None
    type: Literal["local", "cache"] | None = None
    updated_at: str | None = None
    zone: str | None = None
    extra: dict[str, Any] = field(factory=dict, repr=False)


@define(kw_only=True)
class OrgVolumesResponse:
    last_updated_at: str | None = None
    last_volume_id: str | None = None
    next_cursor: str | None = None
    volumes: list[OrgVolume] | None = None
    extra: dict[str, Any] = field(factory=dict, repr=False)


@define(kw_only=True)
class OwnershipVerification:
    app_value: str | None = None
    name: str | None = None
    org_value: str | None = None
    extra: dict[str, Any] = field(factory=dict, repr=False)


@define(kw_only=True)
class ProcessStat:
    """A process inside a machine."""

    command: str | None = None
    cpu: int | None = None
    directory: str | None = None
    listen_sockets: list[ListenSocket] | None = None
    pid: int | None = None
    rss: int | None = None
    """Bytes of memory"""
    rtime: int | None = None
    stime: int | None = None
    extra: dict[str, Any] = field(factory=dict, repr=False)


@define(kw_only=True)
class SecretKey:
    created_at: str | None = None
    name: str | None = None
    type: str | None = None
    updated_at: str | None = None
    public_key: str | None = None
    extra: dict[str, Any] = field(factory=dict, repr=False)


@define(kw_only=True)
class SecretKeys:
    secret_keys: list[SecretKey] | None = None
    extra: dict[str, Any] = field(factory=dict, repr=False)


@define(kw_only=True)
class SetAppSecretRequest:
    value: str | None = None
    extra: dict[str, Any] = field(factory=dict, repr=False)


@define(kw_only=True)
class SetAppSecretResponse:
    Version: int | None = None
    """Deprecated, use `version`"""
    created_at: str | None = None
    digest: str | None = None
    name: str | None = None
    updated_at: str | None = None
    value: str | None = None
    version: int | None = None
    """Secrets version"""
    extra: dict[str, Any] = field(factory=dict, repr=False)


@define(kw_only=True)
class SetSecretkeyRequest:
    type: str | None = None
    value: str | None = None
    extra: dict[str, Any] = field(factory=dict, repr=False)


@define(kw_only=True)
class SetSecretkeyResponse:
    Version: int | None = None
    """Deprecated, use `version`"""
    created_at: str | None = None
    name: str | None = None
    type: str | None = None
    updated_at: str | None = None
    version: int | None = None
    public_key: str | None = None
    extra: dict[str, Any] = field(factory=dict, repr=False)


@define(kw_only=True)
class SignSecretkeyRequest:
    plaintext: str | None = None
    extra: dict[str, Any] = field(factory=dict, repr=False)


@define(kw_only=True)
class SignSecretkeyResponse:
    signature: str | None = None
    extra: dict[str, Any] = field(factory=dict, repr=False)


@define(kw_only=True)
class SignalRequest:
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
    ) = None
    extra: dict[str, Any] = field(factory=dict, repr=False)


@define(kw_only=True)
class StopRequest:
    """How to stop a machine."""

    signal: (
        Literal["SIGHUP", "SIGINT", "SIGQUIT", "SIGKILL", "SIGUSR1", "SIGUSR2", "SIGTERM"] | None
    ) = None
    timeout: str | None = None
    """Go duration, such as `10s`"""
    extra: dict[str, Any] = field(factory=dict, repr=False)


@define(kw_only=True)
class UpdateVolumeRequest:
    auto_backup_enabled: bool | None = None
    snapshot_retention: int | None = None
    extra: dict[str, Any] = field(factory=dict, repr=False)


@define(kw_only=True)
class VerifySecretkeyRequest:
    plaintext: str | None = None
    signature: str | None = None
    extra: dict[str, Any] = field(factory=dict, repr=False)


@define(kw_only=True)
class Volume:
    """A disk on one host, for one machine at a time."""

    attached_alloc_id: str | None = None
    attached_machine_id: str | None = None
    """Machine that has it"""
    auto_backup_enabled: bool | None = None
    block_size: int | None = None
    """Bytes"""
    blocks: int | None = None
    blocks_avail: int | None = None
    blocks_free: int | None = None
    bytes_total: int | None = None
    """Bytes"""
    bytes_used: int | None = None
    """Bytes"""
    created_at: str | None = None
    encrypted: bool | None = None
    fstype: str | None = None
    host_status: Literal["ok", "unknown", "unreachable"] | None = None
    id: str | None = None
    name: str | None = None
    region: str | None = None
    size_gb: int | None = None
    snapshot_retention: int | None = None
    """Days"""
    state: str | None = None
    type: Literal["local", "cache"] | None = None
    zone: str | None = None
    host_dedication_id: str | None = None
    extra: dict[str, Any] = field(factory=dict, repr=False)


@define(kw_only=True)
class VolumeSnapshot:
    """A snapshot of a volume."""

    created_at: str | None = None
    digest: str | None = None
    id: str | None = None
    retention_days: int | None = None
    """Days"""
    size: int | None = None
    """Bytes"""
    status: str | None = None
    volume_size: int | None = None
    """Bytes"""
    extra: dict[str, Any] = field(factory=dict, repr=False)


@define(kw_only=True)
class WaitMachineResponse:
    """What a wait saw."""

    event_id: str | None = None
    ok: bool | None = None
    state: str | None = None
    version: str | None = None
    extra: dict[str, Any] = field(factory=dict, repr=False)


@define(kw_only=True)
class AssignIPRequest:
    """An address to give to an app; `type` is needed."""

    network: str | None = None
    """Network a private address is reachable from"""
    org_slug: str | None = None
    region: str | None = None
    service_name: str | None = None
    type: str | None = None
    """`v4`, `v6`, `shared_v4` or `private_v6`"""
    extra: dict[str, Any] = field(factory=dict, repr=False)


@define(kw_only=True)
class AuthenticateTokenRequest:
    header: str | None = None
    extra: dict[str, Any] = field(factory=dict, repr=False)


@define(kw_only=True)
class CreateAcmeCertificateRequest:
    hostname: str | None = None
    extra: dict[str, Any] = field(factory=dict, repr=False)


@define(kw_only=True)
class CreateCustomCertificateRequest:
    fullchain: str | None = None
    hostname: str | None = None
    private_key: str | None = None
    extra: dict[str, Any] = field(factory=dict, repr=False)


FlyContainerDependencyCondition: TypeAlias = Literal["exited_successfully", "healthy", "started"]


FlyContainerHealthcheckKind: TypeAlias = Literal["readiness", "liveness"]


FlyContainerHealthcheckScheme: TypeAlias = Literal["http", "https"]


@define(kw_only=True)
class FlyEnvFrom:
    """A variable filled from a fact about the machine."""

    env_var: str | None = None
    """Always needed"""
    field_ref: Literal["id", "version", "app_name", "private_ip", "region", "image"] | None = None
    extra: dict[str, Any] = field(factory=dict, repr=False)


@define(kw_only=True)
class FlyExecHealthcheck:
    command: list[str] | None = None
    extra: dict[str, Any] = field(factory=dict, repr=False)


@define(kw_only=True)
class FlyFile:
    """A file written into the machine: from a value, a secret or an image."""

    guest_path: str | None = None
    """Absolute path"""
    image_config: str | None = None
    mode: int | None = None
    """Permission bits"""
    raw_value: str | None = None
    """Content in base64"""
    secret_name: str | None = None
    """Secret with the content in base64"""
    extra: dict[str, Any] = field(factory=dict, repr=False)


@define(kw_only=True)
class FlyHTTPResponseOptions:
    pristine: bool | None = None
    headers: dict[str, Any] | None = None
    extra: dict[str, Any] = field(factory=dict, repr=False)


@define(kw_only=True)
class FlyMachineCacheDrive:
    size_mb: int | None = None
    extra: dict[str, Any] = field(factory=dict, repr=False)


@define(kw_only=True)
class FlyMachineGuest:
    """Size of a machine."""

    cpu_kind: str | None = None
    """`shared` or `performance`"""
    cpus: int | None = None
    gpu_kind: str | None = None
    gpus: int | None = None
    host_dedication_id: str | None = None
    kernel_args: list[str] | None = None
    max_memory_mb: int | None = None
    memory_mb: int | None = None
    """MB, in steps of 256"""
    persist_rootfs: Literal["never", "always", "restart"] | None = None
    """Deprecated, use `rootfs`"""
    extra: dict[str, Any] = field(factory=dict, repr=False)


@define(kw_only=True)
class FlyMachineHTTPHeader:
    name: str | None = None
    values: list[str] | None = None
    extra: dict[str, Any] = field(factory=dict, repr=False)


@define(kw_only=True)
class FlyMachineInit:
    """What is run in a machine."""

    cmd: list[str] | None = None
    """Replaces the command of the image"""
    entrypoint: list[str] | None = None
    """Replaces the entrypoint of the image"""
    exec: list[str] | None = None
    """Replaces entrypoint and command"""
    kernel_args: list[str] | None = None
    swap_size_mb: int | None = None
    """MB"""
    tty: bool | None = None
    extra: dict[str, Any] = field(factory=dict, repr=False)


@define(kw_only=True)
class FlyMachineMetrics:
    https: bool | None = None
    path: str | None = None
    port: int | None = None
    extra: dict[str, Any] = field(factory=dict, repr=False)


@define(kw_only=True)
class FlyMachineMount:
    """A volume in the file system of a machine."""

    add_size_gb: int | None = None
    """How much to grow at a time"""
    encrypted: bool | None = None
    extend_threshold_percent: int | None = None
    """Grow when this full"""
    name: str | None = None
    """Name of the volume"""
    path: str | None = None
    """Absolute path in the machine"""
    size_gb: int | None = None
    size_gb_limit: int | None = None
    """Never grow beyond"""
    volume: str | None = None
    """Id of the volume"""
    extra: dict[str, Any] = field(factory=dict, repr=False)


@define(kw_only=True)
class FlyMachineRestart:
    """What to do when the main process ends."""

    gpu_bid_price: float | None = None
    max_retries: int | None = None
    """For `on-failure`: tries within 5 minutes, 10 unless given"""
    policy: Literal["no", "always", "on-failure", "spot-price"] | None = None
    extra: dict[str, Any] = field(factory=dict, repr=False)


@define(kw_only=True)
class FlyMachineRootfs:
    persist: Literal["never", "always", "restart"] | None = None
    size_gb: int | None = None
    extra: dict[str, Any] = field(factory=dict, repr=False)


@define(kw_only=True)
class FlyMachineSecret:
    """A secret given to a process as a variable."""

    env_var: str | None = None
    """Always needed"""
    name: str | None = None
    """Secret to take; the variable's own name unless given"""
    extra: dict[str, Any] = field(factory=dict, repr=False)


@define(kw_only=True)
class FlyMachineServiceCheck:
    """A check that decides whether the proxy uses the machine."""

    grace_period: str | None = None
    """Go duration"""
    headers: list[FlyMachineHTTPHeader] | None = None
    interval: str | None = None
    """Go duration"""
    method: str | None = None
    path: str | None = None
    port: int | None = None
    protocol: str | None = None
    timeout: str | None = None
    """Go duration"""
    tls_server_name: str | None = None
    tls_skip_verify: bool | None = None
    type: str | None = None
    """`tcp` or `http`"""
    extra: dict[str, Any] = field(factory=dict, repr=False)


@define(kw_only=True)
class FlyMachineServiceConcurrency:
    """How much load the proxy puts on one machine."""

    hard_limit: int | None = None
    soft_limit: int | None = None
    type: str | None = None
    """`connections` or `requests`"""
    extra: dict[str, Any] = field(factory=dict, repr=False)


@define(kw_only=True)
class FlyProxyProtoOptions:
    version: str | None = None
    extra: dict[str, Any] = field(factory=dict, repr=False)


@define(kw_only=True)
class FlyReplayCache:
    allow_bypass: bool | None = None
    name: str | None = None
    path_prefix: str | None = None
    ttl_seconds: int | None = None
    """Seconds"""
    type: Literal["cookie", "header"] | None = None
    extra: dict[str, Any] = field(factory=dict, repr=False)


@define(kw_only=True)
class FlyStatic:
    """Files the proxy serves by itself."""

    guest_path: str
    url_prefix: str
    index_document: str | None = None
    tigris_bucket: str | None = None
    extra: dict[str, Any] = field(factory=dict, repr=False)


@define(kw_only=True)
class FlyStopConfig:
    """How a machine is stopped."""

    signal: (
        Literal["SIGHUP", "SIGINT", "SIGQUIT", "SIGKILL", "SIGUSR1", "SIGUSR2", "SIGTERM"] | None
    ) = None
    timeout: str | None = None
    """Go duration, at most 5 minutes"""
    extra: dict[str, Any] = field(factory=dict, repr=False)


@define(kw_only=True)
class FlyTCPHealthcheck:
    port: int | None = None
    extra: dict[str, Any] = field(factory=dict, repr=False)


@define(kw_only=True)
class FlyTLSOptions:
    alpn: list[str] | None = None
    default_self_signed: bool | None = None
    versions: list[str] | None = None
    extra: dict[str, Any] = field(factory=dict, repr=False)


FlyUnhealthyPolicy: TypeAlias = Literal["stop"]


@define(kw_only=True)
class FlyDnsForwardRule:
    addr: str | None = None
    basename: str | None = None
    extra: dict[str, Any] = field(factory=dict, repr=False)


@define(kw_only=True)
class FlyDnsOption:
    name: str | None = None
    value: str | None = None
    extra: dict[str, Any] = field(factory=dict, repr=False)


@define(kw_only=True)
class Flydv1ExecResponse:
    exit_code: int | None = None
    exit_signal: int | None = None
    stderr: str | None = None
    stdout: str | None = None
    extra: dict[str, Any] = field(factory=dict, repr=False)


@define(kw_only=True)
class FlyioAccess:
    app_feature: str | None = None
    appid: int | None = None
    cluster: str | None = None
    command: list[str] | None = None
    feature: str | None = None
    machine: str | None = None
    machine_feature: str | None = None
    mutation: str | None = None
    orgid: int | None = None
    sourceApp: str | None = None
    sourceMachine: str | None = None
    sourceOrganization: str | None = None
    storage_object: str | None = None
    volume: str | None = None
    action: str | None = None
    extra: dict[str, Any] = field(factory=dict, repr=False)


@define(kw_only=True)
class ListCertificatesResponse:
    certificates: list[CertificateSummary] | None = None
    next_cursor: str | None = None
    total_count: int | None = None
    extra: dict[str, Any] = field(factory=dict, repr=False)


@define(kw_only=True)
class ListIPAssignmentsResponse:
    ips: list[IPAssignment] | None = None
    extra: dict[str, Any] = field(factory=dict, repr=False)


@define(kw_only=True)
class MacaroonCaveatSet:
    caveats: list[dict[str, Any]] | None = None
    extra: dict[str, Any] = field(factory=dict, repr=False)


@define(kw_only=True)
class MacaroonNonce:
    proof: bool | None = None
    kid: str | None = None
    rnd: str | None = None
    extra: dict[str, Any] = field(factory=dict, repr=False)


@define(kw_only=True)
class MainTokenAccess:
    app_feature: str | None = None
    app_name: str | None = None
    command: list[str] | None = None
    machine_feature: str | None = None
    machine_id: str | None = None
    mutation: str | None = None
    org_feature: str | None = None
    org_slug: str | None = None
    source_machine: str | None = None
    storage_object: str | None = None
    volume_id: str | None = None
    action: str | None = None
    extra: dict[str, Any] = field(factory=dict, repr=False)


@define(kw_only=True)
class MainMemoryResponse:
    available_mb: int | None = None
    limit_mb: int | None = None
    extra: dict[str, Any] = field(factory=dict, repr=False)


@define(kw_only=True)
class MainReclaimMemoryRequest:
    amount_mb: int | None = None
    extra: dict[str, Any] = field(factory=dict, repr=False)


@define(kw_only=True)
class MainReclaimMemoryResponse:
    actual_mb: int | None = None
    extra: dict[str, Any] = field(factory=dict, repr=False)


@define(kw_only=True)
class MainRegionRow:
    code: str | None = None
    deprecated: bool | None = None
    gateway_available: bool | None = None
    geo_region: str | None = None
    latitude: float | None = None
    longitude: float | None = None
    name: str | None = None
    requires_paid_plan: bool | None = None
    capacity: int | None = None
    mpg_available: bool | None = None
    extra: dict[str, Any] = field(factory=dict, repr=False)


@define(kw_only=True)
class MainSetMemoryLimitRequest:
    limit_mb: int | None = None
    extra: dict[str, Any] = field(factory=dict, repr=False)


MainStatusCode: TypeAlias = Literal[
    "unknown",
    "insufficient_capacity",
    "name_taken",
    "volume_placement",
    "volume_placement_capacity",
    "error",
]
"""Why a call was refused, as a code: an open set."""


@define(kw_only=True)
class MainTokenInfo:
    apps: list[str] | None = None
    org_slug: str | None = None
    organization: str | None = None
    restricted_to_machine: str | None = None
    source_machine_id: str | None = None
    token_id: str | None = None
    user: str | None = None
    extra: dict[str, Any] = field(factory=dict, repr=False)


@define(kw_only=True)
class MetadataValueResponse:
    value: str | None = None
    extra: dict[str, Any] = field(factory=dict, repr=False)


@define(kw_only=True)
class PlacementRegionPlacement:
    concurrency: int | None = None
    count: int | None = None
    region: str | None = None
    extra: dict[str, Any] = field(factory=dict, repr=False)


PlacementWeights: TypeAlias = dict[str, int]


RessetAction: TypeAlias = Literal[1, 2, 4, 8, 16, 31, 0]
"""Bits of what a token may do: 1 read, 2 write, 4 create, 8 delete, 16 control."""


@define(kw_only=True)
class RootVerifiedToken:
    caveats: MacaroonCaveatSet | None = None
    header: str | None = None
    nonce: MacaroonNonce | None = None
    permission_token: str | None = None
    extra: dict[str, Any] = field(factory=dict, repr=False)


@define(kw_only=True)
class UpdateMetadataRequest:
    """Metadata to change."""

    machine_version: str | None = None
    """Refuse with 412 unless the machine has this version"""
    metadata: dict[str, str | None] | None = None
    """Value by key; an empty value removes the key"""
    updated_at: str | None = None
    extra: dict[str, Any] = field(factory=dict, repr=False)


@define(kw_only=True)
class UpsertMetadataKeyRequest:
    updated_at: str | None = None
    value: str | None = None
    extra: dict[str, Any] = field(factory=dict, repr=False)


@define(kw_only=True)
class FlyMachineSpot:
    max_price_fraction: float | None = None
    extra: dict[str, Any] = field(factory=dict, repr=False)


@define(kw_only=True)
class FlyTempDirVolume:
    storage_type: Literal["disk", "memory"] | None = None
    size_mb: int | None = None
    extra: dict[str, Any] = field(factory=dict, repr=False)


@define(kw_only=True)
class FlyContainerMount:
    name: str | None = None
    path: str | None = None
    extra: dict[str, Any] = field(factory=dict, repr=False)


@define(kw_only=True)
class ContainerStatus:
    name: str | None = None
    state: str | None = None
    extra: dict[str, Any] = field(factory=dict, repr=False)


@define(kw_only=True)
class LeaseResponse:
    status: str | None = None
    data: Lease | None = None
    message: str | None = None
    code: str | None = None
    extra: dict[str, Any] = field(factory=dict, repr=False)


@define(kw_only=True)
class OkResponse:
    ok: bool | None = None
    extra: dict[str, Any] = field(factory=dict, repr=False)


@define(kw_only=True)
class StartMachineResponse:
    previous_state: str | None = None
    migrated: bool | None = None
    new_host: str | None = None
    message: str | None = None
    status: str | None = None
    extra: dict[str, Any] = field(factory=dict, repr=False)


@define(kw_only=True)
class ManagedPostgresEndpoint:
    host: str | None = None
    port: int | None = None
    extra: dict[str, Any] = field(factory=dict, repr=False)


@define(kw_only=True)
class ManagedPostgresEndpointPair:
    direct: ManagedPostgresEndpoint | None = None
    pooler: ManagedPostgresEndpoint | None = None
    extra: dict[str, Any] = field(factory=dict, repr=False)


@define(kw_only=True)
class ManagedPostgresEndpoints:
    primary: ManagedPostgresEndpointPair | None = None
    extra: dict[str, Any] = field(factory=dict, repr=False)


@define(kw_only=True)
class ManagedPostgresOrganization:
    name: str | None = None
    slug: str | None = None
    extra: dict[str, Any] = field(factory=dict, repr=False)


@define(kw_only=True)
class ManagedPostgresAttachedApp:
    name: str | None = None
    extra: dict[str, Any] = field(factory=dict, repr=False)


@define(kw_only=True)
class ManagedPostgresCluster:
    id: str | None = None
    name: str | None = None
    status: str | None = None
    region: str | None = None
    plan: str | None = None
    disk_size_gb: int | None = None
    cpus: int | None = None
    cpu_kind: str | None = None
    memory_mb: int | None = None
    replicas: int | None = None
    pg_major_version: str | None = None
    postgis_enabled: bool | None = None
    endpoints: ManagedPostgresEndpoints | None = None
    organization: ManagedPostgresOrganization | None = None
    created_at: str | None = None
    attached_apps: list[ManagedPostgresAttachedApp] | None = None
    extra: dict[str, Any] = field(factory=dict, repr=False)


@define(kw_only=True)
class ManagedPostgresClusterEnvelope:
    data: ManagedPostgresCluster | None = None
    extra: dict[str, Any] = field(factory=dict, repr=False)


@define(kw_only=True)
class CreateManagedPostgresClusterRequest:
    org_slug: str | None = None
    name: str | None = None
    region: str | None = None
    plan: str | None = None
    disk_size_gb: int | None = None
    pg_major_version: str | None = None
    postgis_enabled: bool | None = None
    extra: dict[str, Any] = field(factory=dict, repr=False)


@define(kw_only=True)
class ManagedPostgresUserCredentials:
    username: str | None = None
    password: str | None = None
    extra: dict[str, Any] = field(factory=dict, repr=False)


@define(kw_only=True)
class ManagedPostgresUserCredentialsEnvelope:
    data: ManagedPostgresUserCredentials | None = None
    extra: dict[str, Any] = field(factory=dict, repr=False)


@define(kw_only=True)
class NetworkPolicyMachine:
    id: str | None = None
    extra: dict[str, Any] = field(factory=dict, repr=False)


@define(kw_only=True)
class NetworkPolicyPort:
    protocol: str | None = None
    port: int | None = None
    extra: dict[str, Any] = field(factory=dict, repr=False)


@define(kw_only=True)
class App:
    """An app: the frame around machines, volumes, addresses and secrets."""

    id: str | None = None
    internal_numeric_id: int | None = None
    """Number of the app"""
    machine_count: int | None = None
    name: str | None = None
    network: str | None = None
    """Private network it is in"""
    organization: AppOrganizationInfo | None = None
    status: str | None = None
    """`pending`, `deployed` or `suspended`: an open set"""
    volume_count: int | None = None
    app_role: str | None = None
    cname_target: str | None = None
    extra: dict[str, Any] = field(factory=dict, repr=False)


@define(kw_only=True)
class CertificateEntry:
    created_at: str | None = None
    expires_at: str | None = None
    issued: list[IssuedCertificate] | None = None
    issuer: str | None = None
    source: Literal["custom", "fly"] | None = None
    status: Literal["active", "pending_ownership", "pending_validation"] | None = None
    extra: dict[str, Any] = field(factory=dict, repr=False)


@define(kw_only=True)
class CreateVolumeRequest:
    """A volume to create; `name` is needed."""

    auto_backup_enabled: bool | None = None
    """Daily snapshots; true unless given"""
    compute: FlyMachineGuest | None = None
    compute_image: str | None = None
    encrypted: bool | None = None
    """True unless given"""
    fstype: str | None = None
    """`ext4` or `raw`"""
    name: str | None = None
    region: str | None = None
    """One region; no lists, no aliases"""
    require_unique_zone: bool | None = None
    """Not on a host that has a volume of this name already"""
    size_gb: int | None = None
    """1 to 500"""
    snapshot_id: str | None = None
    """Snapshot to restore"""
    snapshot_retention: int | None = None
    """Days, 1 to 60"""
    source_volume_id: str | None = None
    """Volume to fork"""
    unique_zone_app_wide: bool | None = None
    extra: dict[str, Any] = field(factory=dict, repr=False)


@define(kw_only=True)
class CurrentTokenResponse:
    tokens: list[MainTokenInfo] | None = None
    extra: dict[str, Any] = field(factory=dict, repr=False)


@define(kw_only=True)
class DNSRequirements:
    a: list[str] | None = None
    aaaa: list[str] | None = None
    acme_challenge: AcmeChallenge | None = None
    cname: str | None = None
    ownership: OwnershipVerification | None = None
    extra: dict[str, Any] = field(factory=dict, repr=False)


@define(kw_only=True)
class ErrorResponse:
    """Why a call was refused."""

    details: dict[str, Any] | None = None
    """Deprecated"""
    error: str | None = None
    """Text for people"""
    status: MainStatusCode | None = None
    extra: dict[str, Any] = field(factory=dict, repr=False)


@define(kw_only=True)
class ExtendVolumeResponse:
    needs_restart: bool | None = None
    """The machine sees the room only after a restart"""
    volume: Volume | None = None
    extra: dict[str, Any] = field(factory=dict, repr=False)


@define(kw_only=True)
class ListAppsResponse:
    apps: list[App] | None = None
    total_apps: int | None = None
    extra: dict[str, Any] = field(factory=dict, repr=False)


@define(kw_only=True)
class MachineOverviewConfig:
    guest: FlyMachineGuest | None = None
    image: str | None = None
    metadata: dict[str, str] | None = None
    extra: dict[str, Any] = field(factory=dict, repr=False)


@define(kw_only=True)
class OrgMachine:
    """A machine in the list of an organization."""

    app_name: str | None = None
    config: MachineOverviewConfig | None = None
    created_at: str | None = None
    id: str | None = None
    instance_id: str | None = None
    name: str | None = None
    private_ip: str | None = None
    region: str | None = None
    state: str | None = None
    updated_at: str | None = None
    version: str | None = None
    extra: dict[str, Any] = field(factory=dict, repr=False)


@define(kw_only=True)
class OrgMachinesResponse:
    error_regions: list[str] | None = None
    last_machine_id: str | None = None
    last_updated_at: str | None = None
    machines: list[OrgMachine] | None = None
    next_cursor: str | None = None
    extra: dict[str, Any] = field(factory=dict, repr=False)


@define(kw_only=True)
class AuthorizeResponse:
    access: FlyioAccess | None = None
    verified_token: RootVerifiedToken | None = None
    extra: dict[str, Any] = field(factory=dict, repr=False)


@define(kw_only=True)
class AuthorizeTokenRequest:
    access: MainTokenAccess | None = None
    header: str | None = None
    extra: dict[str, Any] = field(factory=dict, repr=False)


@define(kw_only=True)
class DestroyCustomCertificateResponse:
    acme_requested: bool | None = None
    certificates: list[CertificateEntry] | None = None
    configured: bool | None = None
    dns_provider: str | None = None
    dns_requirements: DNSRequirements | None = None
    hostname: str | None = None
    rate_limited_until: str | None = None
    status: str | None = None
    validation: CertificateValidation | None = None
    validation_errors: list[CertificateValidationError] | None = None
    warning: str | None = None
    extra: dict[str, Any] = field(factory=dict, repr=False)


@define(kw_only=True)
class FlyContainerDependency:
    condition: FlyContainerDependencyCondition | None = None
    name: str | None = None
    extra: dict[str, Any] = field(factory=dict, repr=False)


@define(kw_only=True)
class FlyDNSConfig:
    dns_forward_rules: list[FlyDnsForwardRule] | None = None
    hostname: str | None = None
    hostname_fqdn: str | None = None
    nameservers: list[str] | None = None
    options: list[FlyDnsOption] | None = None
    searches: list[str] | None = None
    skip_registration: bool | None = None
    extra: dict[str, Any] = field(factory=dict, repr=False)


@define(kw_only=True)
class FlyHTTPHealthcheck:
    headers: list[FlyMachineHTTPHeader] | None = None
    method: str | None = None
    path: str | None = None
    port: int | None = None
    scheme: FlyContainerHealthcheckScheme | None = None
    tls_server_name: str | None = None
    tls_skip_verify: bool | None = None
    extra: dict[str, Any] = field(factory=dict, repr=False)


@define(kw_only=True)
class FlyHTTPOptions:
    compress: bool | None = None
    h2_backend: bool | None = None
    headers_read_timeout: int | None = None
    """Seconds"""
    idle_timeout: int | None = None
    """Seconds"""
    replay_cache: list[FlyReplayCache] | None = None
    response: FlyHTTPResponseOptions | None = None
    extra: dict[str, Any] = field(factory=dict, repr=False)


@define(kw_only=True)
class FlyMachineCheck:
    """A check of the machine that is not tied to a service."""

    grace_period: str | None = None
    """Go duration"""
    headers: list[FlyMachineHTTPHeader] | None = None
    interval: str | None = None
    """Go duration"""
    kind: Literal["informational", "readiness"] | None = None
    method: str | None = None
    path: str | None = None
    port: int | None = None
    protocol: str | None = None
    timeout: str | None = None
    """Go duration"""
    tls_server_name: str | None = None
    tls_skip_verify: bool | None = None
    type: str | None = None
    """`tcp` or `http`"""
    extra: dict[str, Any] = field(factory=dict, repr=False)


@define(kw_only=True)
class FlyMachinePort:
    """A public port of a service."""

    end_port: int | None = None
    force_https: bool | None = None
    handlers: list[str] | None = None
    http_options: FlyHTTPOptions | None = None
    port: int | None = None
    proxy_proto_options: FlyProxyProtoOptions | None = None
    start_port: int | None = None
    tls_options: FlyTLSOptions | None = None
    extra: dict[str, Any] = field(factory=dict, repr=False)


@define(kw_only=True)
class FlyMachineProcess:
    """A further process of a machine."""

    cmd: list[str] | None = None
    entrypoint: list[str] | None = None
    env: dict[str, str] | None = None
    env_from: list[FlyEnvFrom] | None = None
    exec: list[str] | None = None
    ignore_app_secrets: bool | None = None
    """Give it only the secrets listed here"""
    secrets: list[FlyMachineSecret] | None = None
    user: str | None = None
    extra: dict[str, Any] = field(factory=dict, repr=False)


@define(kw_only=True)
class FlyMachineService:
    """A port inside the machine made reachable through the proxy."""

    autostart: bool | None = None
    checks: list[FlyMachineServiceCheck] | None = None
    concurrency: FlyMachineServiceConcurrency | None = None
    force_instance_description: str | None = None
    force_instance_key: str | None = None
    internal_port: int | None = None
    min_machines_running: int | None = None
    """Machines the proxy leaves running in the primary region"""
    ports: list[FlyMachinePort] | None = None
    protocol: str | None = None
    autostop: bool | Literal["off", "stop", "suspend"] | None = None
    extra: dict[str, Any] = field(factory=dict, repr=False)


@define(kw_only=True)
class MainGetPlacementsRequest:
    org_slug: str
    compute: FlyMachineGuest | None = None
    """`performance-1x` unless given"""
    count: int | None = None
    region: str | None = None
    volume_name: str | None = None
    volume_size_bytes: int | None = None
    """Bytes"""
    weights: PlacementWeights | None = None
    extra: dict[str, Any] = field(factory=dict, repr=False)


@define(kw_only=True)
class MainGetPlacementsResponse:
    regions: list[PlacementRegionPlacement] | None = None
    extra: dict[str, Any] = field(factory=dict, repr=False)


@define(kw_only=True)
class MainRegionResponse:
    nearest: str | None = None
    regions: list[MainRegionRow] | None = None
    Nearest: str | None = None
    Regions: list[MainRegionRow] | None = None
    extra: dict[str, Any] = field(factory=dict, repr=False)


@define(kw_only=True)
class FlyVolumeConfig:
    name: str | None = None
    temp_dir: FlyTempDirVolume | None = None
    image: str | None = None
    extra: dict[str, Any] = field(factory=dict, repr=False)


@define(kw_only=True)
class LeaseReleaseResponse:
    status: str | None = None
    data: OkResponse | None = None
    extra: dict[str, Any] = field(factory=dict, repr=False)


@define(kw_only=True)
class NetworkPolicySelector:
    all: bool | None = None
    machines: list[NetworkPolicyMachine] | None = None
    metadata: dict[str, str] | None = None
    extra: dict[str, Any] = field(factory=dict, repr=False)


@define(kw_only=True)
class NetworkPolicyRule:
    action: Literal["allow"] | None = None
    direction: Literal["ingress", "egress"] | None = None
    ports: list[NetworkPolicyPort] | None = None
    extra: dict[str, Any] = field(factory=dict, repr=False)


@define(kw_only=True)
class CertificateCheckResponse:
    """What a check of the DNS records found."""

    acme_requested: bool | None = None
    certificates: list[CertificateEntry] | None = None
    configured: bool | None = None
    dns_provider: str | None = None
    dns_records: DNSRecords | None = None
    dns_requirements: DNSRequirements | None = None
    hostname: str | None = None
    rate_limited_until: str | None = None
    status: str | None = None
    validation: CertificateValidation | None = None
    validation_errors: list[CertificateValidationError] | None = None
    extra: dict[str, Any] = field(factory=dict, repr=False)


@define(kw_only=True)
class CertificateDetail:
    acme_requested: bool | None = None
    certificates: list[CertificateEntry] | None = None
    configured: bool | None = None
    dns_provider: str | None = None
    dns_requirements: DNSRequirements | None = None
    hostname: str | None = None
    rate_limited_until: str | None = None
    status: str | None = None
    validation: CertificateValidation | None = None
    validation_errors: list[CertificateValidationError] | None = None
    extra: dict[str, Any] = field(factory=dict, repr=False)


@define(kw_only=True)
class FlyContainerHealthcheck:
    """A health check of a container: one of `http`, `tcp` and `exec`."""

    exec: FlyExecHealthcheck | None = None
    failure_threshold: int | None = None
    grace_period: int | None = None
    """Seconds"""
    http: FlyHTTPHealthcheck | None = None
    interval: int | None = None
    """Seconds"""
    kind: FlyContainerHealthcheckKind | None = None
    name: str | None = None
    success_threshold: int | None = None
    tcp: FlyTCPHealthcheck | None = None
    timeout: int | None = None
    """Seconds"""
    unhealthy: FlyUnhealthyPolicy | None = None
    extra: dict[str, Any] = field(factory=dict, repr=False)


@define(kw_only=True)
class NetworkPolicy:
    """What the machines of an app may send and receive."""

    id: str | None = None
    """Given by the platform; names the policy that is changed"""
    name: str | None = None
    selector: NetworkPolicySelector | None = None
    rules: list[NetworkPolicyRule] | None = None
    extra: dict[str, Any] = field(factory=dict, repr=False)


@define(kw_only=True)
class FlyContainerConfig:
    """One of several containers in a machine."""

    cmd: list[str] | None = None
    depends_on: list[FlyContainerDependency] | None = None
    entrypoint: list[str] | None = None
    env: dict[str, str] | None = None
    env_from: list[FlyEnvFrom] | None = None
    exec: list[str] | None = None
    files: list[FlyFile] | None = None
    healthchecks: list[FlyContainerHealthcheck] | None = None
    image: str | None = None
    name: str | None = None
    restart: FlyMachineRestart | None = None
    secrets: list[FlyMachineSecret] | None = None
    stop: FlyStopConfig | None = None
    user: str | None = None
    mounts: list[FlyContainerMount] | None = None
    extra: dict[str, Any] = field(factory=dict, repr=False)


@define(kw_only=True)
class FlyMachineConfig:
    """What a machine is: image, size, mounts, services and all else."""

    auto_destroy: bool | None = None
    """Delete the machine when it stops"""
    cache_drive: FlyMachineCacheDrive | None = None
    checks: dict[str, FlyMachineCheck] | None = None
    """Check by name"""
    containers: list[FlyContainerConfig] | None = None
    disable_machine_autostart: bool | None = None
    """Deprecated, use `services`"""
    dns: FlyDNSConfig | None = None
    env: dict[str, str] | None = None
    files: list[FlyFile] | None = None
    guest: FlyMachineGuest | None = None
    image: str | None = None
    init: FlyMachineInit | None = None
    metadata: dict[str, str] | None = None
    metrics: FlyMachineMetrics | None = None
    mounts: list[FlyMachineMount] | None = None
    processes: list[FlyMachineProcess] | None = None
    restart: FlyMachineRestart | None = None
    rootfs: FlyMachineRootfs | None = None
    schedule: str | None = None
    """`hourly`, `daily`, `weekly` or `monthly`"""
    services: list[FlyMachineService] | None = None
    size: str | None = None
    """Deprecated, use `guest`"""
    standbys: list[str] | None = None
    """Machines this one stands in for"""
    statics: list[FlyStatic] | None = None
    stop_config: FlyStopConfig | None = None
    spot: FlyMachineSpot | None = None
    volumes: list[FlyVolumeConfig] | None = None
    extra: dict[str, Any] = field(factory=dict, repr=False)


@define(kw_only=True)
class CreateMachineRequest:
    """A machine to create; `config` is needed."""

    config: FlyMachineConfig | None = None
    lease_ttl: int | None = None
    """Seconds; when given, the answer has the nonce of a lease"""
    lsvd: bool | None = None
    min_secrets_version: int | None = None
    """Do not start with older secrets than these"""
    name: str | None = None
    """Made up when missing; cannot be changed"""
    region: str | None = None
    """A region, a comma list in order of preference, an alias such as `eu`, or `any`; cannot be changed"""
    skip_launch: bool | None = None
    """Leave it in the state `created`"""
    skip_secrets: bool | None = None
    skip_service_registration: bool | None = None
    """Keep it out of routing until it is uncordoned"""
    extra: dict[str, Any] = field(factory=dict, repr=False)


@define(kw_only=True)
class Machine:
    """A virtual machine."""

    checks: list[CheckStatus] | None = None
    config: FlyMachineConfig | None = None
    created_at: str | None = None
    """RFC 3339"""
    events: list[MachineEvent] | None = None
    host_status: Literal["ok", "unknown", "unreachable"] | None = None
    id: str | None = None
    image_ref: ImageRef | None = None
    incomplete_config: FlyMachineConfig | None = None
    instance_id: str | None = None
    """Version: changes with each update"""
    name: str | None = None
    nonce: str | None = None
    """Nonce of the lease asked for on create"""
    private_ip: str | None = None
    """IPv6 address in the private network"""
    region: str | None = None
    state: str | None = None
    """An open set"""
    updated_at: str | None = None
    """RFC 3339"""
    version: str | None = None
    cordoned: bool | None = None
    containers: list[ContainerStatus] | None = None
    extra: dict[str, Any] = field(factory=dict, repr=False)


@define(kw_only=True)
class MachineVersion:
    """A configuration a machine had."""

    user_config: FlyMachineConfig | None = None
    version: str | None = None
    extra: dict[str, Any] = field(factory=dict, repr=False)


@define(kw_only=True)
class UpdateMachineRequest:
    """The new configuration of a machine."""

    config: FlyMachineConfig | None = None
    current_version: str | None = None
    """Refuse unless the machine has this version"""
    lease_ttl: int | None = None
    """Seconds"""
    lsvd: bool | None = None
    min_secrets_version: int | None = None
    """Do not start with older secrets than these"""
    name: str | None = None
    region: str | None = None
    skip_launch: bool | None = None
    """Do not start it"""
    skip_secrets: bool | None = None
    skip_service_registration: bool | None = None
    """Keep it out of routing until it is uncordoned"""
    extra: dict[str, Any] = field(factory=dict, repr=False)
