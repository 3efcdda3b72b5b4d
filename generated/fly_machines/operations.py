# Made by openapi/generate.py from the document and its corrections; do not edit.

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, Literal, NamedTuple, Protocol, TypeAlias, TypeVar

from fly_machines import models

T = TypeVar("T")
QueryValue: TypeAlias = str | int | float | bool | Sequence[str] | None


class Operation(NamedTuple):
    """One operation of the API, as data."""

    id: str
    """The operation id of the document."""
    method: str
    path: str
    """Below the base URL, with `{parameters}`."""
    tag: str
    success: tuple[int, ...]
    """Statuses of the answers that mean success."""
    path_parameters: tuple[str, ...] = ()
    query_parameters: tuple[str, ...] = ()
    header_parameters: tuple[str, ...] = ()
    has_body: bool = False


class Sender(Protocol):
    """Carries one operation out."""

    async def send(
        self,
        operation: Operation,
        response_type: type[T],
        *,
        path: Mapping[str, str],
        query: Mapping[str, QueryValue],
        headers: Mapping[str, str | None],
        body: Any,
    ) -> T:
        """Send the request and give back the answer as `response_type`.

        Parameters that are None are left out.
        """
        ...


APPS_LIST: Final = Operation(
    id="Apps_list",
    method="GET",
    path="/apps",
    tag="Apps",
    success=(200,),
    query_parameters=(
        "org_slug",
        "app_role",
    ),
)

APPS_CREATE: Final = Operation(
    id="Apps_create",
    method="POST",
    path="/apps",
    tag="Apps",
    success=(201,),
    query_parameters=("wait",),
    has_body=True,
)

APPS_SHOW: Final = Operation(
    id="Apps_show",
    method="GET",
    path="/apps/{app_name}",
    tag="Apps",
    success=(200,),
    path_parameters=("app_name",),
)

APPS_DELETE: Final = Operation(
    id="Apps_delete",
    method="DELETE",
    path="/apps/{app_name}",
    tag="Apps",
    success=(202,),
    path_parameters=("app_name",),
    query_parameters=("force",),
)

APP_CERTIFICATES_LIST: Final = Operation(
    id="App_Certificates_list",
    method="GET",
    path="/apps/{app_name}/certificates",
    tag="TLS Certificates",
    success=(200,),
    path_parameters=("app_name",),
    query_parameters=(
        "filter",
        "cursor",
        "limit",
    ),
)

APP_CERTIFICATES_ACME_CREATE: Final = Operation(
    id="App_Certificates_acme_create",
    method="POST",
    path="/apps/{app_name}/certificates/acme",
    tag="TLS Certificates",
    success=(201,),
    path_parameters=("app_name",),
    has_body=True,
)

APP_CERTIFICATES_CUSTOM_CREATE: Final = Operation(
    id="App_Certificates_custom_create",
    method="POST",
    path="/apps/{app_name}/certificates/custom",
    tag="TLS Certificates",
    success=(201,),
    path_parameters=("app_name",),
    has_body=True,
)

APP_CERTIFICATES_SHOW: Final = Operation(
    id="App_Certificates_show",
    method="GET",
    path="/apps/{app_name}/certificates/{hostname}",
    tag="TLS Certificates",
    success=(200,),
    path_parameters=(
        "app_name",
        "hostname",
    ),
)

APP_CERTIFICATES_DELETE: Final = Operation(
    id="App_Certificates_delete",
    method="DELETE",
    path="/apps/{app_name}/certificates/{hostname}",
    tag="TLS Certificates",
    success=(204,),
    path_parameters=(
        "app_name",
        "hostname",
    ),
)

APP_CERTIFICATES_ACME_DELETE: Final = Operation(
    id="App_Certificates_acme_delete",
    method="DELETE",
    path="/apps/{app_name}/certificates/{hostname}/acme",
    tag="TLS Certificates",
    success=(200,),
    path_parameters=(
        "app_name",
        "hostname",
    ),
)

APP_CERTIFICATES_CHECK: Final = Operation(
    id="App_Certificates_check",
    method="POST",
    path="/apps/{app_name}/certificates/{hostname}/check",
    tag="TLS Certificates",
    success=(200,),
    path_parameters=(
        "app_name",
        "hostname",
    ),
)

APP_CERTIFICATES_CUSTOM_DELETE: Final = Operation(
    id="App_Certificates_custom_delete",
    method="DELETE",
    path="/apps/{app_name}/certificates/{hostname}/custom",
    tag="TLS Certificates",
    success=(200,),
    path_parameters=(
        "app_name",
        "hostname",
    ),
)

APP_CREATE_DEPLOY_TOKEN: Final = Operation(
    id="App_create_deploy_token",
    method="POST",
    path="/apps/{app_name}/deploy_token",
    tag="Apps",
    success=(200,),
    path_parameters=("app_name",),
    has_body=True,
)

APP_IP_ASSIGNMENTS_LIST: Final = Operation(
    id="App_IPAssignments_list",
    method="GET",
    path="/apps/{app_name}/ip_assignments",
    tag="Apps",
    success=(200,),
    path_parameters=("app_name",),
)

APP_IP_ASSIGNMENTS_CREATE: Final = Operation(
    id="App_IPAssignments_create",
    method="POST",
    path="/apps/{app_name}/ip_assignments",
    tag="Apps",
    success=(200,),
    path_parameters=("app_name",),
    has_body=True,
)

APP_IP_ASSIGNMENTS_DELETE: Final = Operation(
    id="App_IPAssignments_delete",
    method="DELETE",
    path="/apps/{app_name}/ip_assignments/{ip}",
    tag="Apps",
    success=(204,),
    path_parameters=(
        "app_name",
        "ip",
    ),
)

MACHINES_LIST: Final = Operation(
    id="Machines_list",
    method="GET",
    path="/apps/{app_name}/machines",
    tag="Machines",
    success=(200,),
    path_parameters=("app_name",),
    query_parameters=(
        "include_deleted",
        "region",
        "state",
        "summary",
        "metadata",
    ),
)

MACHINES_CREATE: Final = Operation(
    id="Machines_create",
    method="POST",
    path="/apps/{app_name}/machines",
    tag="Machines",
    success=(200,),
    path_parameters=("app_name",),
    has_body=True,
)

MACHINES_SHOW: Final = Operation(
    id="Machines_show",
    method="GET",
    path="/apps/{app_name}/machines/{machine_id}",
    tag="Machines",
    success=(200,),
    path_parameters=(
        "app_name",
        "machine_id",
    ),
)

MACHINES_UPDATE: Final = Operation(
    id="Machines_update",
    method="POST",
    path="/apps/{app_name}/machines/{machine_id}",
    tag="Machines",
    success=(200,),
    path_parameters=(
        "app_name",
        "machine_id",
    ),
    header_parameters=("fly-machine-lease-nonce",),
    has_body=True,
)

MACHINES_DELETE: Final = Operation(
    id="Machines_delete",
    method="DELETE",
    path="/apps/{app_name}/machines/{machine_id}",
    tag="Machines",
    success=(200,),
    path_parameters=(
        "app_name",
        "machine_id",
    ),
    query_parameters=(
        "force",
        "kill",
    ),
    header_parameters=("fly-machine-lease-nonce",),
)

MACHINES_CORDON: Final = Operation(
    id="Machines_cordon",
    method="POST",
    path="/apps/{app_name}/machines/{machine_id}/cordon",
    tag="Machines",
    success=(200,),
    path_parameters=(
        "app_name",
        "machine_id",
    ),
    header_parameters=("fly-machine-lease-nonce",),
)

MACHINES_LIST_EVENTS: Final = Operation(
    id="Machines_list_events",
    method="GET",
    path="/apps/{app_name}/machines/{machine_id}/events",
    tag="Machines",
    success=(200,),
    path_parameters=(
        "app_name",
        "machine_id",
    ),
    query_parameters=("limit",),
)

MACHINES_EXEC: Final = Operation(
    id="Machines_exec",
    method="POST",
    path="/apps/{app_name}/machines/{machine_id}/exec",
    tag="Machines",
    success=(200,),
    path_parameters=(
        "app_name",
        "machine_id",
    ),
    header_parameters=("fly-machine-lease-nonce",),
    has_body=True,
)

MACHINES_SHOW_LEASE: Final = Operation(
    id="Machines_show_lease",
    method="GET",
    path="/apps/{app_name}/machines/{machine_id}/lease",
    tag="Machines",
    success=(200,),
    path_parameters=(
        "app_name",
        "machine_id",
    ),
)

MACHINES_CREATE_LEASE: Final = Operation(
    id="Machines_create_lease",
    method="POST",
    path="/apps/{app_name}/machines/{machine_id}/lease",
    tag="Machines",
    success=(201,),
    path_parameters=(
        "app_name",
        "machine_id",
    ),
    query_parameters=("ttl",),
    header_parameters=("fly-machine-lease-nonce",),
    has_body=True,
)

MACHINES_RELEASE_LEASE: Final = Operation(
    id="Machines_release_lease",
    method="DELETE",
    path="/apps/{app_name}/machines/{machine_id}/lease",
    tag="Machines",
    success=(200,),
    path_parameters=(
        "app_name",
        "machine_id",
    ),
    header_parameters=("fly-machine-lease-nonce",),
)

MACHINES_GET_MEMORY: Final = Operation(
    id="Machines_get_memory",
    method="GET",
    path="/apps/{app_name}/machines/{machine_id}/memory",
    tag="Machines",
    success=(200,),
    path_parameters=(
        "app_name",
        "machine_id",
    ),
)

MACHINES_SET_MEMORY_LIMIT: Final = Operation(
    id="Machines_set_memory_limit",
    method="PUT",
    path="/apps/{app_name}/machines/{machine_id}/memory",
    tag="Machines",
    success=(200,),
    path_parameters=(
        "app_name",
        "machine_id",
    ),
    has_body=True,
)

MACHINES_RECLAIM_MEMORY: Final = Operation(
    id="Machines_reclaim_memory",
    method="POST",
    path="/apps/{app_name}/machines/{machine_id}/memory/reclaim",
    tag="Machines",
    success=(200,),
    path_parameters=(
        "app_name",
        "machine_id",
    ),
    has_body=True,
)

MACHINES_SHOW_METADATA: Final = Operation(
    id="Machines_show_metadata",
    method="GET",
    path="/apps/{app_name}/machines/{machine_id}/metadata",
    tag="Machines",
    success=(200,),
    path_parameters=(
        "app_name",
        "machine_id",
    ),
)

MACHINES_PUT_METADATA: Final = Operation(
    id="Machines_put_metadata",
    method="PUT",
    path="/apps/{app_name}/machines/{machine_id}/metadata",
    tag="Machines",
    success=(204,),
    path_parameters=(
        "app_name",
        "machine_id",
    ),
    header_parameters=("fly-machine-lease-nonce",),
    has_body=True,
)

MACHINES_PATCH_METADATA: Final = Operation(
    id="Machines_patch_metadata",
    method="PATCH",
    path="/apps/{app_name}/machines/{machine_id}/metadata",
    tag="Machines",
    success=(204,),
    path_parameters=(
        "app_name",
        "machine_id",
    ),
    header_parameters=("fly-machine-lease-nonce",),
    has_body=True,
)

MACHINES_GET_METADATA_KEY: Final = Operation(
    id="Machines_get_metadata_key",
    method="GET",
    path="/apps/{app_name}/machines/{machine_id}/metadata/{key}",
    tag="Machines",
    success=(200,),
    path_parameters=(
        "app_name",
        "machine_id",
        "key",
    ),
)

MACHINES_UPSERT_METADATA: Final = Operation(
    id="Machines_upsert_metadata",
    method="POST",
    path="/apps/{app_name}/machines/{machine_id}/metadata/{key}",
    tag="Machines",
    success=(204,),
    path_parameters=(
        "app_name",
        "machine_id",
        "key",
    ),
    header_parameters=("fly-machine-lease-nonce",),
    has_body=True,
)

MACHINES_DELETE_METADATA: Final = Operation(
    id="Machines_delete_metadata",
    method="DELETE",
    path="/apps/{app_name}/machines/{machine_id}/metadata/{key}",
    tag="Machines",
    success=(204,),
    path_parameters=(
        "app_name",
        "machine_id",
        "key",
    ),
    header_parameters=("fly-machine-lease-nonce",),
)

MACHINES_LIST_PROCESSES: Final = Operation(
    id="Machines_list_processes",
    method="GET",
    path="/apps/{app_name}/machines/{machine_id}/ps",
    tag="Machines",
    success=(200,),
    path_parameters=(
        "app_name",
        "machine_id",
    ),
    query_parameters=(
        "sort_by",
        "order",
    ),
)

MACHINES_RESTART: Final = Operation(
    id="Machines_restart",
    method="POST",
    path="/apps/{app_name}/machines/{machine_id}/restart",
    tag="Machines",
    success=(200,),
    path_parameters=(
        "app_name",
        "machine_id",
    ),
    query_parameters=(
        "timeout",
        "signal",
        "force_stop",
    ),
    header_parameters=("fly-machine-lease-nonce",),
)

MACHINES_SIGNAL: Final = Operation(
    id="Machines_signal",
    method="POST",
    path="/apps/{app_name}/machines/{machine_id}/signal",
    tag="Machines",
    success=(200,),
    path_parameters=(
        "app_name",
        "machine_id",
    ),
    header_parameters=("fly-machine-lease-nonce",),
    has_body=True,
)

MACHINES_START: Final = Operation(
    id="Machines_start",
    method="POST",
    path="/apps/{app_name}/machines/{machine_id}/start",
    tag="Machines",
    success=(200,),
    path_parameters=(
        "app_name",
        "machine_id",
    ),
    header_parameters=("fly-machine-lease-nonce",),
)

MACHINES_STOP: Final = Operation(
    id="Machines_stop",
    method="POST",
    path="/apps/{app_name}/machines/{machine_id}/stop",
    tag="Machines",
    success=(200,),
    path_parameters=(
        "app_name",
        "machine_id",
    ),
    header_parameters=("fly-machine-lease-nonce",),
    has_body=True,
)

MACHINES_SUSPEND: Final = Operation(
    id="Machines_suspend",
    method="POST",
    path="/apps/{app_name}/machines/{machine_id}/suspend",
    tag="Machines",
    success=(200,),
    path_parameters=(
        "app_name",
        "machine_id",
    ),
    header_parameters=("fly-machine-lease-nonce",),
)

MACHINES_UNCORDON: Final = Operation(
    id="Machines_uncordon",
    method="POST",
    path="/apps/{app_name}/machines/{machine_id}/uncordon",
    tag="Machines",
    success=(200,),
    path_parameters=(
        "app_name",
        "machine_id",
    ),
    header_parameters=("fly-machine-lease-nonce",),
)

MACHINES_LIST_VERSIONS: Final = Operation(
    id="Machines_list_versions",
    method="GET",
    path="/apps/{app_name}/machines/{machine_id}/versions",
    tag="Machines",
    success=(200,),
    path_parameters=(
        "app_name",
        "machine_id",
    ),
)

MACHINES_WAIT: Final = Operation(
    id="Machines_wait",
    method="GET",
    path="/apps/{app_name}/machines/{machine_id}/wait",
    tag="Machines",
    success=(200,),
    path_parameters=(
        "app_name",
        "machine_id",
    ),
    query_parameters=(
        "version",
        "instance_id",
        "from_event_id",
        "timeout",
        "state",
    ),
)

SECRETKEYS_LIST: Final = Operation(
    id="Secretkeys_list",
    method="GET",
    path="/apps/{app_name}/secretkeys",
    tag="Secrets",
    success=(200,),
    path_parameters=("app_name",),
    query_parameters=(
        "min_version",
        "types",
    ),
)

SECRETKEY_GET: Final = Operation(
    id="Secretkey_get",
    method="GET",
    path="/apps/{app_name}/secretkeys/{secret_name}",
    tag="Secrets",
    success=(200,),
    path_parameters=(
        "app_name",
        "secret_name",
    ),
    query_parameters=("min_version",),
)

SECRETKEY_SET: Final = Operation(
    id="Secretkey_set",
    method="POST",
    path="/apps/{app_name}/secretkeys/{secret_name}",
    tag="Secrets",
    success=(201,),
    path_parameters=(
        "app_name",
        "secret_name",
    ),
    has_body=True,
)

SECRETKEY_DELETE: Final = Operation(
    id="Secretkey_delete",
    method="DELETE",
    path="/apps/{app_name}/secretkeys/{secret_name}",
    tag="Secrets",
    success=(200,),
    path_parameters=(
        "app_name",
        "secret_name",
    ),
)

SECRETKEY_DECRYPT: Final = Operation(
    id="Secretkey_decrypt",
    method="POST",
    path="/apps/{app_name}/secretkeys/{secret_name}/decrypt",
    tag="Secrets",
    success=(200,),
    path_parameters=(
        "app_name",
        "secret_name",
    ),
    query_parameters=("min_version",),
    has_body=True,
)

SECRETKEY_ENCRYPT: Final = Operation(
    id="Secretkey_encrypt",
    method="POST",
    path="/apps/{app_name}/secretkeys/{secret_name}/encrypt",
    tag="Secrets",
    success=(200,),
    path_parameters=(
        "app_name",
        "secret_name",
    ),
    query_parameters=("min_version",),
    has_body=True,
)

SECRETKEY_GENERATE: Final = Operation(
    id="Secretkey_generate",
    method="POST",
    path="/apps/{app_name}/secretkeys/{secret_name}/generate",
    tag="Secrets",
    success=(201,),
    path_parameters=(
        "app_name",
        "secret_name",
    ),
    has_body=True,
)

SECRETKEY_SIGN: Final = Operation(
    id="Secretkey_sign",
    method="POST",
    path="/apps/{app_name}/secretkeys/{secret_name}/sign",
    tag="Secrets",
    success=(200,),
    path_parameters=(
        "app_name",
        "secret_name",
    ),
    query_parameters=("min_version",),
    has_body=True,
)

SECRETKEY_VERIFY: Final = Operation(
    id="Secretkey_verify",
    method="POST",
    path="/apps/{app_name}/secretkeys/{secret_name}/verify",
    tag="Secrets",
    success=(204,),
    path_parameters=(
        "app_name",
        "secret_name",
    ),
    query_parameters=("min_version",),
    has_body=True,
)

SECRETS_LIST: Final = Operation(
    id="Secrets_list",
    method="GET",
    path="/apps/{app_name}/secrets",
    tag="Secrets",
    success=(200,),
    path_parameters=("app_name",),
    query_parameters=(
        "min_version",
        "show_secrets",
    ),
)

SECRETS_UPDATE: Final = Operation(
    id="Secrets_update",
    method="POST",
    path="/apps/{app_name}/secrets",
    tag="Secrets",
    success=(200,),
    path_parameters=("app_name",),
    has_body=True,
)

SECRET_GET: Final = Operation(
    id="Secret_get",
    method="GET",
    path="/apps/{app_name}/secrets/{secret_name}",
    tag="Secrets",
    success=(200,),
    path_parameters=(
        "app_name",
        "secret_name",
    ),
    query_parameters=(
        "min_version",
        "show_secrets",
    ),
)

SECRET_CREATE: Final = Operation(
    id="Secret_create",
    method="POST",
    path="/apps/{app_name}/secrets/{secret_name}",
    tag="Secrets",
    success=(201,),
    path_parameters=(
        "app_name",
        "secret_name",
    ),
    has_body=True,
)

SECRET_DELETE: Final = Operation(
    id="Secret_delete",
    method="DELETE",
    path="/apps/{app_name}/secrets/{secret_name}",
    tag="Secrets",
    success=(200,),
    path_parameters=(
        "app_name",
        "secret_name",
    ),
)

VOLUMES_LIST: Final = Operation(
    id="Volumes_list",
    method="GET",
    path="/apps/{app_name}/volumes",
    tag="Volumes",
    success=(200,),
    path_parameters=("app_name",),
    query_parameters=("summary",),
)

VOLUMES_CREATE: Final = Operation(
    id="Volumes_create",
    method="POST",
    path="/apps/{app_name}/volumes",
    tag="Volumes",
    success=(200,),
    path_parameters=("app_name",),
    has_body=True,
)

VOLUMES_GET_BY_ID: Final = Operation(
    id="Volumes_get_by_id",
    method="GET",
    path="/apps/{app_name}/volumes/{volume_id}",
    tag="Volumes",
    success=(200,),
    path_parameters=(
        "app_name",
        "volume_id",
    ),
)

VOLUMES_UPDATE: Final = Operation(
    id="Volumes_update",
    method="PUT",
    path="/apps/{app_name}/volumes/{volume_id}",
    tag="Volumes",
    success=(200,),
    path_parameters=(
        "app_name",
        "volume_id",
    ),
    has_body=True,
)

VOLUME_DELETE: Final = Operation(
    id="Volume_delete",
    method="DELETE",
    path="/apps/{app_name}/volumes/{volume_id}",
    tag="Volumes",
    success=(200,),
    path_parameters=(
        "app_name",
        "volume_id",
    ),
)

VOLUMES_EXTEND: Final = Operation(
    id="Volumes_extend",
    method="PUT",
    path="/apps/{app_name}/volumes/{volume_id}/extend",
    tag="Volumes",
    success=(200,),
    path_parameters=(
        "app_name",
        "volume_id",
    ),
    has_body=True,
)

VOLUMES_LIST_SNAPSHOTS: Final = Operation(
    id="Volumes_list_snapshots",
    method="GET",
    path="/apps/{app_name}/volumes/{volume_id}/snapshots",
    tag="Volumes",
    success=(200,),
    path_parameters=(
        "app_name",
        "volume_id",
    ),
)

VOLUMES_CREATE_SNAPSHOT: Final = Operation(
    id="Volumes_create_snapshot",
    method="POST",
    path="/apps/{app_name}/volumes/{volume_id}/snapshots",
    tag="Volumes",
    success=(200,),
    path_parameters=(
        "app_name",
        "volume_id",
    ),
)

MACHINES_ORG_LIST: Final = Operation(
    id="Machines_org_list",
    method="GET",
    path="/orgs/{org_slug}/machines",
    tag="Organizations",
    success=(200,),
    path_parameters=("org_slug",),
    query_parameters=(
        "include_deleted",
        "region",
        "state",
        "summary",
        "updated_after",
        "cursor",
        "limit",
    ),
)

VOLUMES_ORG_LIST: Final = Operation(
    id="Volumes_org_list",
    method="GET",
    path="/orgs/{org_slug}/volumes",
    tag="Organizations",
    success=(200,),
    path_parameters=("org_slug",),
    query_parameters=(
        "include_deleted",
        "region",
        "state",
        "summary",
        "updated_after",
        "cursor",
        "limit",
    ),
)

PLATFORM_PLACEMENTS_POST: Final = Operation(
    id="Platform_placements_post",
    method="POST",
    path="/platform/placements",
    tag="Platform",
    success=(200,),
    has_body=True,
)

PLATFORM_REGIONS_GET: Final = Operation(
    id="Platform_regions_get",
    method="GET",
    path="/platform/regions",
    tag="Platform",
    success=(200,),
)

TOKENS_AUTHENTICATE: Final = Operation(
    id="Tokens_authenticate",
    method="POST",
    path="/tokens/authenticate",
    tag="Tokens",
    success=(200,),
    has_body=True,
)

TOKENS_AUTHORIZE: Final = Operation(
    id="Tokens_authorize",
    method="POST",
    path="/tokens/authorize",
    tag="Tokens",
    success=(200,),
    has_body=True,
)

CURRENT_TOKEN_SHOW: Final = Operation(
    id="CurrentToken_show",
    method="GET",
    path="/tokens/current",
    tag="Tokens",
    success=(200,),
)

TOKENS_REQUEST_KMS: Final = Operation(
    id="Tokens_request_Kms",
    method="POST",
    path="/tokens/kms",
    tag="Tokens",
    success=(200,),
)

TOKENS_REQUEST_OIDC: Final = Operation(
    id="Tokens_request_OIDC",
    method="POST",
    path="/tokens/oidc",
    tag="Tokens",
    success=(200,),
    has_body=True,
)

MANAGED_POSTGRES_CREATE: Final = Operation(
    id="ManagedPostgres_create",
    method="POST",
    path="/postgres",
    tag="ManagedPostgres",
    success=(200,),
    has_body=True,
)

MANAGED_POSTGRES_SHOW: Final = Operation(
    id="ManagedPostgres_show",
    method="GET",
    path="/postgres/{cluster_id}",
    tag="ManagedPostgres",
    success=(200,),
    path_parameters=("cluster_id",),
)

MANAGED_POSTGRES_USER_CREDENTIALS: Final = Operation(
    id="ManagedPostgres_user_credentials",
    method="GET",
    path="/postgres/{cluster_id}/users/{username}/credentials",
    tag="ManagedPostgres",
    success=(200,),
    path_parameters=(
        "cluster_id",
        "username",
    ),
)

NETWORK_POLICIES_LIST: Final = Operation(
    id="NetworkPolicies_list",
    method="GET",
    path="/apps/{app_name}/network_policies",
    tag="Apps",
    success=(200,),
    path_parameters=("app_name",),
)

NETWORK_POLICIES_SET: Final = Operation(
    id="NetworkPolicies_set",
    method="POST",
    path="/apps/{app_name}/network_policies",
    tag="Apps",
    success=(200, 201),
    path_parameters=("app_name",),
    has_body=True,
)

NETWORK_POLICIES_DELETE: Final = Operation(
    id="NetworkPolicies_delete",
    method="DELETE",
    path="/apps/{app_name}/network_policies/{policy_id}",
    tag="Apps",
    success=(200, 204),
    path_parameters=(
        "app_name",
        "policy_id",
    ),
)


OPERATIONS: Final[tuple[Operation, ...]] = (
    APPS_LIST,
    APPS_CREATE,
    APPS_SHOW,
    APPS_DELETE,
    APP_CERTIFICATES_LIST,
    APP_CERTIFICATES_ACME_CREATE,
    APP_CERTIFICATES_CUSTOM_CREATE,
    APP_CERTIFICATES_SHOW,
    APP_CERTIFICATES_DELETE,
    APP_CERTIFICATES_ACME_DELETE,
    APP_CERTIFICATES_CHECK,
    APP_CERTIFICATES_CUSTOM_DELETE,
    APP_CREATE_DEPLOY_TOKEN,
    APP_IP_ASSIGNMENTS_LIST,
    APP_IP_ASSIGNMENTS_CREATE,
    APP_IP_ASSIGNMENTS_DELETE,
    MACHINES_LIST,
    MACHINES_CREATE,
    MACHINES_SHOW,
    MACHINES_UPDATE,
    MACHINES_DELETE,
    MACHINES_CORDON,
    MACHINES_LIST_EVENTS,
    MACHINES_EXEC,
    MACHINES_SHOW_LEASE,
    MACHINES_CREATE_LEASE,
    MACHINES_RELEASE_LEASE,
    MACHINES_GET_MEMORY,
    MACHINES_SET_MEMORY_LIMIT,
    MACHINES_RECLAIM_MEMORY,
    MACHINES_SHOW_METADATA,
    MACHINES_PUT_METADATA,
    MACHINES_PATCH_METADATA,
    MACHINES_GET_METADATA_KEY,
    MACHINES_UPSERT_METADATA,
    MACHINES_DELETE_METADATA,
    MACHINES_LIST_PROCESSES,
    MACHINES_RESTART,
    MACHINES_SIGNAL,
    MACHINES_START,
    MACHINES_STOP,
    MACHINES_SUSPEND,
    MACHINES_UNCORDON,
    MACHINES_LIST_VERSIONS,
    MACHINES_WAIT,
    SECRETKEYS_LIST,
    SECRETKEY_GET,
    SECRETKEY_SET,
    SECRETKEY_DELETE,
    SECRETKEY_DECRYPT,
    SECRETKEY_ENCRYPT,
    SECRETKEY_GENERATE,
    SECRETKEY_SIGN,
    SECRETKEY_VERIFY,
    SECRETS_LIST,
    SECRETS_UPDATE,
    SECRET_GET,
    SECRET_CREATE,
    SECRET_DELETE,
    VOLUMES_LIST,
    VOLUMES_CREATE,
    VOLUMES_GET_BY_ID,
    VOLUMES_UPDATE,
    VOLUME_DELETE,
    VOLUMES_EXTEND,
    VOLUMES_LIST_SNAPSHOTS,
    VOLUMES_CREATE_SNAPSHOT,
    MACHINES_ORG_LIST,
    VOLUMES_ORG_LIST,
    PLATFORM_PLACEMENTS_POST,
    PLATFORM_REGIONS_GET,
    TOKENS_AUTHENTICATE,
    TOKENS_AUTHORIZE,
    CURRENT_TOKEN_SHOW,
    TOKENS_REQUEST_KMS,
    TOKENS_REQUEST_OIDC,
    MANAGED_POSTGRES_CREATE,
    MANAGED_POSTGRES_SHOW,
    MANAGED_POSTGRES_USER_CREDENTIALS,
    NETWORK_POLICIES_LIST,
    NETWORK_POLICIES_SET,
    NETWORK_POLICIES_DELETE,
)


def _prefixed(prefix: str, values: Mapping[str, str] | None) -> dict[str, QueryValue]:
    return {prefix + key: value for key, value in (values or {}).items()}


class FlyMachinesApi:
    """One coroutine an operation."""

    def __init__(self, sender: Sender) -> None:
        self._sender = sender

    async def apps_list(
        self,
        *,
        org_slug: str,
        app_role: str | None = None,
    ) -> models.ListAppsResponse:
        """List the apps of an organization.

        Answers all of them at once; there is no paging.

        Args:
            org_slug: Slug of the organization; `personal` means the caller's own.
            app_role: Only apps with this role.
        """
        return await self._sender.send(
            APPS_LIST,
            models.ListAppsResponse,
            path={},
            query={
                "org_slug": org_slug,
                "app_role": app_role,
            },
            headers={},
            body=None,
        )

    async def apps_create(
        self,
        body: models.CreateAppRequest,
        *,
        wait: bool | None = None,
    ) -> models.App:
        """Create an app.

        The name must be free on the whole platform. A new app can stay invisible to reads (404
        or 401) for a moment.

        Args:
            wait: Answer only when the app can be used.
        """
        return await self._sender.send(
            APPS_CREATE,
            models.App,
            path={},
            query={
                "wait": wait,
            },
            headers={},
            body=body,
        )

    async def apps_show(
        self,
        app_name: str,
    ) -> models.App:
        """Read an app."""
        return await self._sender.send(
            APPS_SHOW,
            models.App,
            path={
                "app_name": app_name,
            },
            query={},
            headers={},
            body=None,
        )

    async def apps_delete(
        self,
        app_name: str,
        *,
        force: bool | None = None,
    ) -> None:
        """Delete an app with all it has.

        At most 100 deletions per minute.

        Args:
            force: Stop the machines first.
        """
        return await self._sender.send(
            APPS_DELETE,
            type(None),
            path={
                "app_name": app_name,
            },
            query={
                "force": force,
            },
            headers={},
            body=None,
        )

    async def app_certificates_list(
        self,
        app_name: str,
        *,
        filter: str | None = None,
        cursor: str | None = None,
        limit: int | None = None,
    ) -> models.ListCertificatesResponse:
        """List the certificates of an app.

        Args:
            filter: Only host names with this text.
            cursor: Where the previous page ended.
            limit: How many at most: 25 unless given, 500 at most.
        """
        return await self._sender.send(
            APP_CERTIFICATES_LIST,
            models.ListCertificatesResponse,
            path={
                "app_name": app_name,
            },
            query={
                "filter": filter,
                "cursor": cursor,
                "limit": limit,
            },
            headers={},
            body=None,
        )

    async def app_certificates_acme_create(
        self,
        app_name: str,
        body: models.CreateAcmeCertificateRequest,
    ) -> models.CertificateDetail:
        """Ask for a certificate for a host name."""
        return await self._sender.send(
            APP_CERTIFICATES_ACME_CREATE,
            models.CertificateDetail,
            path={
                "app_name": app_name,
            },
            query={},
            headers={},
            body=body,
        )

    async def app_certificates_custom_create(
        self,
        app_name: str,
        body: models.CreateCustomCertificateRequest,
    ) -> models.CertificateDetail:
        """Upload a certificate of one's own."""
        return await self._sender.send(
            APP_CERTIFICATES_CUSTOM_CREATE,
            models.CertificateDetail,
            path={
                "app_name": app_name,
            },
            query={},
            headers={},
            body=body,
        )

    async def app_certificates_show(
        self,
        app_name: str,
        hostname: str,
    ) -> models.CertificateDetail:
        """Read the certificates of a host name."""
        return await self._sender.send(
            APP_CERTIFICATES_SHOW,
            models.CertificateDetail,
            path={
                "app_name": app_name,
                "hostname": hostname,
            },
            query={},
            headers={},
            body=None,
        )

    async def app_certificates_delete(
        self,
        app_name: str,
        hostname: str,
    ) -> None:
        """Remove a host name with all its certificates."""
        return await self._sender.send(
            APP_CERTIFICATES_DELETE,
            type(None),
            path={
                "app_name": app_name,
                "hostname": hostname,
            },
            query={},
            headers={},
            body=None,
        )

    async def app_certificates_acme_delete(
        self,
        app_name: str,
        hostname: str,
    ) -> models.CertificateDetail:
        """Remove the issued certificates of a host name."""
        return await self._sender.send(
            APP_CERTIFICATES_ACME_DELETE,
            models.CertificateDetail,
            path={
                "app_name": app_name,
                "hostname": hostname,
            },
            query={},
            headers={},
            body=None,
        )

    async def app_certificates_check(
        self,
        app_name: str,
        hostname: str,
    ) -> models.CertificateCheckResponse:
        """Check the DNS records of a host name now."""
        return await self._sender.send(
            APP_CERTIFICATES_CHECK,
            models.CertificateCheckResponse,
            path={
                "app_name": app_name,
                "hostname": hostname,
            },
            query={},
            headers={},
            body=None,
        )

    async def app_certificates_custom_delete(
        self,
        app_name: str,
        hostname: str,
    ) -> models.DestroyCustomCertificateResponse:
        """Remove the uploaded certificate of a host name."""
        return await self._sender.send(
            APP_CERTIFICATES_CUSTOM_DELETE,
            models.DestroyCustomCertificateResponse,
            path={
                "app_name": app_name,
                "hostname": hostname,
            },
            query={},
            headers={},
            body=None,
        )

    async def app_create_deploy_token(
        self,
        app_name: str,
        body: models.CreateAppDeployTokenRequest,
    ) -> models.CreateAppResponse:
        """Make a token that can act on this app only."""
        return await self._sender.send(
            APP_CREATE_DEPLOY_TOKEN,
            models.CreateAppResponse,
            path={
                "app_name": app_name,
            },
            query={},
            headers={},
            body=body,
        )

    async def app_ip_assignments_list(
        self,
        app_name: str,
    ) -> models.ListIPAssignmentsResponse:
        """List the addresses of an app."""
        return await self._sender.send(
            APP_IP_ASSIGNMENTS_LIST,
            models.ListIPAssignmentsResponse,
            path={
                "app_name": app_name,
            },
            query={},
            headers={},
            body=None,
        )

    async def app_ip_assignments_create(
        self,
        app_name: str,
        body: models.AssignIPRequest,
    ) -> models.IPAssignment:
        """Give an app an address.

        Not safe to repeat blindly: look at the list first.
        """
        return await self._sender.send(
            APP_IP_ASSIGNMENTS_CREATE,
            models.IPAssignment,
            path={
                "app_name": app_name,
            },
            query={},
            headers={},
            body=body,
        )

    async def app_ip_assignments_delete(
        self,
        app_name: str,
        ip: str,
    ) -> None:
        """Take an address away from an app."""
        return await self._sender.send(
            APP_IP_ASSIGNMENTS_DELETE,
            type(None),
            path={
                "app_name": app_name,
                "ip": ip,
            },
            query={},
            headers={},
            body=None,
        )

    async def machines_list(
        self,
        app_name: str,
        *,
        include_deleted: bool | None = None,
        region: str | None = None,
        state: str | None = None,
        summary: bool | None = None,
        metadata: Mapping[str, str] | None = None,
    ) -> list[models.Machine]:
        """List the machines of an app.

        A machine made a moment ago can be missing.

        Args:
            include_deleted: Also list what was deleted.
            region: Only in this region.
            state: Comma list of `created`, `started`, `stopped`, `suspended`.
            summary: Leave out the large parts of each entry.
            metadata: Only machines with these metadata values.
        """
        return await self._sender.send(
            MACHINES_LIST,
            list[models.Machine],
            path={
                "app_name": app_name,
            },
            query={
                "include_deleted": include_deleted,
                "region": region,
                "state": state,
                "summary": summary,
                **_prefixed("metadata.", metadata),
            },
            headers={},
            body=None,
        )

    async def machines_create(
        self,
        app_name: str,
        body: models.CreateMachineRequest,
    ) -> models.Machine:
        """Create a machine, and start it.

        There is no idempotency key: after a lost answer, look for the machine before creating
        another.
        """
        return await self._sender.send(
            MACHINES_CREATE,
            models.Machine,
            path={
                "app_name": app_name,
            },
            query={},
            headers={},
            body=body,
        )

    async def machines_show(
        self,
        app_name: str,
        machine_id: str,
    ) -> models.Machine:
        """Read a machine.

        At most 5 reads per second and machine, with bursts of 10.
        """
        return await self._sender.send(
            MACHINES_SHOW,
            models.Machine,
            path={
                "app_name": app_name,
                "machine_id": machine_id,
            },
            query={},
            headers={},
            body=None,
        )

    async def machines_update(
        self,
        app_name: str,
        machine_id: str,
        body: models.UpdateMachineRequest,
        *,
        fly_machine_lease_nonce: str | None = None,
    ) -> models.Machine:
        """Replace the configuration of a machine.

        The whole configuration is replaced: a field left out is removed. Gives the machine a
        new version (`instance_id`).

        Args:
            fly_machine_lease_nonce: Nonce of the held lease; without it a leased machine refuses the change.
        """
        return await self._sender.send(
            MACHINES_UPDATE,
            models.Machine,
            path={
                "app_name": app_name,
                "machine_id": machine_id,
            },
            query={},
            headers={
                "fly-machine-lease-nonce": fly_machine_lease_nonce,
            },
            body=body,
        )

    async def machines_delete(
        self,
        app_name: str,
        machine_id: str,
        *,
        force: bool | None = None,
        kill: bool | None = None,
        fly_machine_lease_nonce: str | None = None,
    ) -> models.OkResponse:
        """Delete a machine.

        A running machine is only deleted by force. Repeating is safe: 404 means done.

        Args:
            force: Delete it even while it runs.
            kill: Older name of `force`.
            fly_machine_lease_nonce: Nonce of the held lease; without it a leased machine refuses the change.
        """
        return await self._sender.send(
            MACHINES_DELETE,
            models.OkResponse,
            path={
                "app_name": app_name,
                "machine_id": machine_id,
            },
            query={
                "force": force,
                "kill": kill,
            },
            headers={
                "fly-machine-lease-nonce": fly_machine_lease_nonce,
            },
            body=None,
        )

    async def machines_cordon(
        self,
        app_name: str,
        machine_id: str,
        *,
        fly_machine_lease_nonce: str | None = None,
    ) -> models.OkResponse:
        """Take a machine out of routing.

        Args:
            fly_machine_lease_nonce: Nonce of the held lease; without it a leased machine refuses the change.
        """
        return await self._sender.send(
            MACHINES_CORDON,
            models.OkResponse,
            path={
                "app_name": app_name,
                "machine_id": machine_id,
            },
            query={},
            headers={
                "fly-machine-lease-nonce": fly_machine_lease_nonce,
            },
            body=None,
        )

    async def machines_list_events(
        self,
        app_name: str,
        machine_id: str,
        *,
        limit: int | None = None,
    ) -> list[models.MachineEvent]:
        """List what happened to a machine, newest first.

        Args:
            limit: How many at most: 20 unless given, 50 at most.
        """
        return await self._sender.send(
            MACHINES_LIST_EVENTS,
            list[models.MachineEvent],
            path={
                "app_name": app_name,
                "machine_id": machine_id,
            },
            query={
                "limit": limit,
            },
            headers={},
            body=None,
        )

    async def machines_exec(
        self,
        app_name: str,
        machine_id: str,
        body: models.MachineExecRequest,
        *,
        fly_machine_lease_nonce: str | None = None,
    ) -> models.Flydv1ExecResponse:
        """Run a command in a started machine.

        Args:
            fly_machine_lease_nonce: Nonce of the held lease; without it a leased machine refuses the change.
        """
        return await self._sender.send(
            MACHINES_EXEC,
            models.Flydv1ExecResponse,
            path={
                "app_name": app_name,
                "machine_id": machine_id,
            },
            query={},
            headers={
                "fly-machine-lease-nonce": fly_machine_lease_nonce,
            },
            body=body,
        )

    async def machines_show_lease(
        self,
        app_name: str,
        machine_id: str,
    ) -> models.LeaseResponse:
        """Read who holds a machine."""
        return await self._sender.send(
            MACHINES_SHOW_LEASE,
            models.LeaseResponse,
            path={
                "app_name": app_name,
                "machine_id": machine_id,
            },
            query={},
            headers={},
            body=None,
        )

    async def machines_create_lease(
        self,
        app_name: str,
        machine_id: str,
        body: models.CreateLeaseRequest,
        *,
        ttl: int | None = None,
        fly_machine_lease_nonce: str | None = None,
    ) -> models.LeaseResponse:
        """Take or prolong the exclusive hold on a machine.

        With the nonce header of a held lease it is prolonged and keeps its nonce.

        Args:
            ttl: Seconds until it ends by itself.
            fly_machine_lease_nonce: Nonce of the held lease.
        """
        return await self._sender.send(
            MACHINES_CREATE_LEASE,
            models.LeaseResponse,
            path={
                "app_name": app_name,
                "machine_id": machine_id,
            },
            query={
                "ttl": ttl,
            },
            headers={
                "fly-machine-lease-nonce": fly_machine_lease_nonce,
            },
            body=body,
        )

    async def machines_release_lease(
        self,
        app_name: str,
        machine_id: str,
        *,
        fly_machine_lease_nonce: str,
    ) -> models.LeaseReleaseResponse:
        """Give up the exclusive hold on a machine.

        Args:
            fly_machine_lease_nonce: Nonce of the held lease.
        """
        return await self._sender.send(
            MACHINES_RELEASE_LEASE,
            models.LeaseReleaseResponse,
            path={
                "app_name": app_name,
                "machine_id": machine_id,
            },
            query={},
            headers={
                "fly-machine-lease-nonce": fly_machine_lease_nonce,
            },
            body=None,
        )

    async def machines_get_memory(
        self,
        app_name: str,
        machine_id: str,
    ) -> models.MainMemoryResponse:
        """Read the memory limit of a machine."""
        return await self._sender.send(
            MACHINES_GET_MEMORY,
            models.MainMemoryResponse,
            path={
                "app_name": app_name,
                "machine_id": machine_id,
            },
            query={},
            headers={},
            body=None,
        )

    async def machines_set_memory_limit(
        self,
        app_name: str,
        machine_id: str,
        body: models.MainSetMemoryLimitRequest,
    ) -> models.MainMemoryResponse:
        """Change the memory limit of a running machine."""
        return await self._sender.send(
            MACHINES_SET_MEMORY_LIMIT,
            models.MainMemoryResponse,
            path={
                "app_name": app_name,
                "machine_id": machine_id,
            },
            query={},
            headers={},
            body=body,
        )

    async def machines_reclaim_memory(
        self,
        app_name: str,
        machine_id: str,
        body: models.MainReclaimMemoryRequest,
    ) -> models.MainReclaimMemoryResponse:
        """Take memory back from a running machine."""
        return await self._sender.send(
            MACHINES_RECLAIM_MEMORY,
            models.MainReclaimMemoryResponse,
            path={
                "app_name": app_name,
                "machine_id": machine_id,
            },
            query={},
            headers={},
            body=body,
        )

    async def machines_show_metadata(
        self,
        app_name: str,
        machine_id: str,
    ) -> dict[str, str]:
        """Read the metadata of a machine."""
        return await self._sender.send(
            MACHINES_SHOW_METADATA,
            dict[str, str],
            path={
                "app_name": app_name,
                "machine_id": machine_id,
            },
            query={},
            headers={},
            body=None,
        )

    async def machines_put_metadata(
        self,
        app_name: str,
        machine_id: str,
        body: models.UpdateMetadataRequest,
        *,
        fly_machine_lease_nonce: str | None = None,
    ) -> None:
        """Change metadata of a machine.

        An empty string or null removes a key. No new version, no restart.

        Args:
            fly_machine_lease_nonce: Nonce of the held lease; without it a leased machine refuses the change.
        """
        return await self._sender.send(
            MACHINES_PUT_METADATA,
            type(None),
            path={
                "app_name": app_name,
                "machine_id": machine_id,
            },
            query={},
            headers={
                "fly-machine-lease-nonce": fly_machine_lease_nonce,
            },
            body=body,
        )

    async def machines_patch_metadata(
        self,
        app_name: str,
        machine_id: str,
        body: models.UpdateMetadataRequest,
        *,
        fly_machine_lease_nonce: str | None = None,
    ) -> None:
        """Change metadata of a machine.

        An empty string or null removes a key. No new version, no restart.

        Args:
            fly_machine_lease_nonce: Nonce of the held lease; without it a leased machine refuses the change.
        """
        return await self._sender.send(
            MACHINES_PATCH_METADATA,
            type(None),
            path={
                "app_name": app_name,
                "machine_id": machine_id,
            },
            query={},
            headers={
                "fly-machine-lease-nonce": fly_machine_lease_nonce,
            },
            body=body,
        )

    async def machines_get_metadata_key(
        self,
        app_name: str,
        machine_id: str,
        key: str,
    ) -> models.MetadataValueResponse:
        """Read one metadata value of a machine."""
        return await self._sender.send(
            MACHINES_GET_METADATA_KEY,
            models.MetadataValueResponse,
            path={
                "app_name": app_name,
                "machine_id": machine_id,
                "key": key,
            },
            query={},
            headers={},
            body=None,
        )

    async def machines_upsert_metadata(
        self,
        app_name: str,
        machine_id: str,
        key: str,
        body: models.UpsertMetadataKeyRequest,
        *,
        fly_machine_lease_nonce: str | None = None,
    ) -> None:
        """Set one metadata value of a machine.

        No new version, no restart.

        Args:
            fly_machine_lease_nonce: Nonce of the held lease; without it a leased machine refuses the change.
        """
        return await self._sender.send(
            MACHINES_UPSERT_METADATA,
            type(None),
            path={
                "app_name": app_name,
                "machine_id": machine_id,
                "key": key,
            },
            query={},
            headers={
                "fly-machine-lease-nonce": fly_machine_lease_nonce,
            },
            body=body,
        )

    async def machines_delete_metadata(
        self,
        app_name: str,
        machine_id: str,
        key: str,
        *,
        fly_machine_lease_nonce: str | None = None,
    ) -> None:
        """Remove one metadata value of a machine.

        Args:
            fly_machine_lease_nonce: Nonce of the held lease; without it a leased machine refuses the change.
        """
        return await self._sender.send(
            MACHINES_DELETE_METADATA,
            type(None),
            path={
                "app_name": app_name,
                "machine_id": machine_id,
                "key": key,
            },
            query={},
            headers={
                "fly-machine-lease-nonce": fly_machine_lease_nonce,
            },
            body=None,
        )

    async def machines_list_processes(
        self,
        app_name: str,
        machine_id: str,
        *,
        sort_by: str | None = None,
        order: str | None = None,
    ) -> list[models.ProcessStat]:
        """List the processes inside a machine.

        With the sockets each of them listens on.

        Args:
            sort_by: Column to sort by.
            order: `asc` or `desc`.
        """
        return await self._sender.send(
            MACHINES_LIST_PROCESSES,
            list[models.ProcessStat],
            path={
                "app_name": app_name,
                "machine_id": machine_id,
            },
            query={
                "sort_by": sort_by,
                "order": order,
            },
            headers={},
            body=None,
        )

    async def machines_restart(
        self,
        app_name: str,
        machine_id: str,
        *,
        timeout: str | None = None,
        signal: Literal["SIGHUP", "SIGINT", "SIGQUIT", "SIGKILL", "SIGUSR1", "SIGUSR2", "SIGTERM"]
        | None = None,
        force_stop: bool | None = None,
        fly_machine_lease_nonce: str | None = None,
    ) -> None:
        """Stop and start a machine.

        Args:
            timeout: How long it may take to stop: a Go duration such as `10s`, or seconds.
            signal: Signal that asks it to stop.
            force_stop: Kill it when it does not stop in time.
            fly_machine_lease_nonce: Nonce of the held lease; without it a leased machine refuses the change.
        """
        return await self._sender.send(
            MACHINES_RESTART,
            type(None),
            path={
                "app_name": app_name,
                "machine_id": machine_id,
            },
            query={
                "timeout": timeout,
                "signal": signal,
                "force_stop": force_stop,
            },
            headers={
                "fly-machine-lease-nonce": fly_machine_lease_nonce,
            },
            body=None,
        )

    async def machines_signal(
        self,
        app_name: str,
        machine_id: str,
        body: models.SignalRequest,
        *,
        fly_machine_lease_nonce: str | None = None,
    ) -> None:
        """Send a signal to the main process of a machine.

        Args:
            fly_machine_lease_nonce: Nonce of the held lease; without it a leased machine refuses the change.
        """
        return await self._sender.send(
            MACHINES_SIGNAL,
            type(None),
            path={
                "app_name": app_name,
                "machine_id": machine_id,
            },
            query={},
            headers={
                "fly-machine-lease-nonce": fly_machine_lease_nonce,
            },
            body=body,
        )

    async def machines_start(
        self,
        app_name: str,
        machine_id: str,
        *,
        fly_machine_lease_nonce: str | None = None,
    ) -> models.StartMachineResponse:
        """Start a machine, or resume it.

        Args:
            fly_machine_lease_nonce: Nonce of the held lease; without it a leased machine refuses the change.
        """
        return await self._sender.send(
            MACHINES_START,
            models.StartMachineResponse,
            path={
                "app_name": app_name,
                "machine_id": machine_id,
            },
            query={},
            headers={
                "fly-machine-lease-nonce": fly_machine_lease_nonce,
            },
            body=None,
        )

    async def machines_stop(
        self,
        app_name: str,
        machine_id: str,
        body: models.StopRequest | None = None,
        *,
        fly_machine_lease_nonce: str | None = None,
    ) -> models.OkResponse:
        """Stop a machine.

        The root file system goes back to its image at the next start.

        Args:
            fly_machine_lease_nonce: Nonce of the held lease; without it a leased machine refuses the change.
        """
        return await self._sender.send(
            MACHINES_STOP,
            models.OkResponse,
            path={
                "app_name": app_name,
                "machine_id": machine_id,
            },
            query={},
            headers={
                "fly-machine-lease-nonce": fly_machine_lease_nonce,
            },
            body=body,
        )

    async def machines_suspend(
        self,
        app_name: str,
        machine_id: str,
        *,
        fly_machine_lease_nonce: str | None = None,
    ) -> models.OkResponse:
        """Save the memory of a machine and stop it.

        Args:
            fly_machine_lease_nonce: Nonce of the held lease; without it a leased machine refuses the change.
        """
        return await self._sender.send(
            MACHINES_SUSPEND,
            models.OkResponse,
            path={
                "app_name": app_name,
                "machine_id": machine_id,
            },
            query={},
            headers={
                "fly-machine-lease-nonce": fly_machine_lease_nonce,
            },
            body=None,
        )

    async def machines_uncordon(
        self,
        app_name: str,
        machine_id: str,
        *,
        fly_machine_lease_nonce: str | None = None,
    ) -> models.OkResponse:
        """Take a machine back into routing.

        Args:
            fly_machine_lease_nonce: Nonce of the held lease; without it a leased machine refuses the change.
        """
        return await self._sender.send(
            MACHINES_UNCORDON,
            models.OkResponse,
            path={
                "app_name": app_name,
                "machine_id": machine_id,
            },
            query={},
            headers={
                "fly-machine-lease-nonce": fly_machine_lease_nonce,
            },
            body=None,
        )

    async def machines_list_versions(
        self,
        app_name: str,
        machine_id: str,
    ) -> list[models.MachineVersion]:
        """List the configurations a machine had."""
        return await self._sender.send(
            MACHINES_LIST_VERSIONS,
            list[models.MachineVersion],
            path={
                "app_name": app_name,
                "machine_id": machine_id,
            },
            query={},
            headers={},
            body=None,
        )

    async def machines_wait(
        self,
        app_name: str,
        machine_id: str,
        *,
        version: str | None = None,
        instance_id: str | None = None,
        from_event_id: str | None = None,
        timeout: int | None = None,
        state: Sequence[str] | None = None,
    ) -> models.WaitMachineResponse:
        """Wait until a machine reaches a state.

        Keeps the connection open for up to `timeout` seconds. 408: not reached yet, ask again.

        Args:
            version: Version (`instance_id`) to wait for, 26 characters.
            instance_id: Deprecated, use `version`.
            from_event_id: Only changes after this event count; 26 characters.
            timeout: Seconds to wait, 1 to 60; 60 unless given.
            state: State to wait for; may be given several times or as a comma list; `started`
                unless given.
        """
        return await self._sender.send(
            MACHINES_WAIT,
            models.WaitMachineResponse,
            path={
                "app_name": app_name,
                "machine_id": machine_id,
            },
            query={
                "version": version,
                "instance_id": instance_id,
                "from_event_id": from_event_id,
                "timeout": timeout,
                "state": state,
            },
            headers={},
            body=None,
        )

    async def secretkeys_list(
        self,
        app_name: str,
        *,
        min_version: str | None = None,
        types: str | None = None,
    ) -> models.SecretKeys:
        """List the secret keys of an app.

        Args:
            min_version: Answer only from data at least as new as this secrets version.
            types: Comma list of key types.
        """
        return await self._sender.send(
            SECRETKEYS_LIST,
            models.SecretKeys,
            path={
                "app_name": app_name,
            },
            query={
                "min_version": min_version,
                "types": types,
            },
            headers={},
            body=None,
        )

    async def secretkey_get(
        self,
        app_name: str,
        secret_name: str,
        *,
        min_version: str | None = None,
    ) -> models.SecretKey:
        """Read a secret key without its secret part.

        Args:
            min_version: Answer only from data at least as new as this secrets version.
        """
        return await self._sender.send(
            SECRETKEY_GET,
            models.SecretKey,
            path={
                "app_name": app_name,
                "secret_name": secret_name,
            },
            query={
                "min_version": min_version,
            },
            headers={},
            body=None,
        )

    async def secretkey_set(
        self,
        app_name: str,
        secret_name: str,
        body: models.SetSecretkeyRequest,
    ) -> models.SetSecretkeyResponse:
        """Store a secret key."""
        return await self._sender.send(
            SECRETKEY_SET,
            models.SetSecretkeyResponse,
            path={
                "app_name": app_name,
                "secret_name": secret_name,
            },
            query={},
            headers={},
            body=body,
        )

    async def secretkey_delete(
        self,
        app_name: str,
        secret_name: str,
    ) -> models.DeleteSecretkeyResponse:
        """Delete a secret key."""
        return await self._sender.send(
            SECRETKEY_DELETE,
            models.DeleteSecretkeyResponse,
            path={
                "app_name": app_name,
                "secret_name": secret_name,
            },
            query={},
            headers={},
            body=None,
        )

    async def secretkey_decrypt(
        self,
        app_name: str,
        secret_name: str,
        body: models.DecryptSecretkeyRequest,
        *,
        min_version: str | None = None,
    ) -> models.DecryptSecretkeyResponse:
        """Decrypt with a secret key.

        Args:
            min_version: Answer only from data at least as new as this secrets version.
        """
        return await self._sender.send(
            SECRETKEY_DECRYPT,
            models.DecryptSecretkeyResponse,
            path={
                "app_name": app_name,
                "secret_name": secret_name,
            },
            query={
                "min_version": min_version,
            },
            headers={},
            body=body,
        )

    async def secretkey_encrypt(
        self,
        app_name: str,
        secret_name: str,
        body: models.EncryptSecretkeyRequest,
        *,
        min_version: str | None = None,
    ) -> models.EncryptSecretkeyResponse:
        """Encrypt with a secret key.

        Args:
            min_version: Answer only from data at least as new as this secrets version.
        """
        return await self._sender.send(
            SECRETKEY_ENCRYPT,
            models.EncryptSecretkeyResponse,
            path={
                "app_name": app_name,
                "secret_name": secret_name,
            },
            query={
                "min_version": min_version,
            },
            headers={},
            body=body,
        )

    async def secretkey_generate(
        self,
        app_name: str,
        secret_name: str,
        body: models.SetSecretkeyRequest,
    ) -> models.SetSecretkeyResponse:
        """Generate a secret key."""
        return await self._sender.send(
            SECRETKEY_GENERATE,
            models.SetSecretkeyResponse,
            path={
                "app_name": app_name,
                "secret_name": secret_name,
            },
            query={},
            headers={},
            body=body,
        )

    async def secretkey_sign(
        self,
        app_name: str,
        secret_name: str,
        body: models.SignSecretkeyRequest,
        *,
        min_version: str | None = None,
    ) -> models.SignSecretkeyResponse:
        """Sign with a secret key.

        Args:
            min_version: Answer only from data at least as new as this secrets version.
        """
        return await self._sender.send(
            SECRETKEY_SIGN,
            models.SignSecretkeyResponse,
            path={
                "app_name": app_name,
                "secret_name": secret_name,
            },
            query={
                "min_version": min_version,
            },
            headers={},
            body=body,
        )

    async def secretkey_verify(
        self,
        app_name: str,
        secret_name: str,
        body: models.VerifySecretkeyRequest,
        *,
        min_version: str | None = None,
    ) -> None:
        """Verify a signature with a secret key.

        Args:
            min_version: Answer only from data at least as new as this secrets version.
        """
        return await self._sender.send(
            SECRETKEY_VERIFY,
            type(None),
            path={
                "app_name": app_name,
                "secret_name": secret_name,
            },
            query={
                "min_version": min_version,
            },
            headers={},
            body=body,
        )

    async def secrets_list(
        self,
        app_name: str,
        *,
        min_version: str | None = None,
        show_secrets: bool | None = None,
    ) -> models.AppSecrets:
        """List the secrets of an app with their digests.

        Args:
            min_version: Answer only from data at least as new as this secrets version.
            show_secrets: Ask for the values too.
        """
        return await self._sender.send(
            SECRETS_LIST,
            models.AppSecrets,
            path={
                "app_name": app_name,
            },
            query={
                "min_version": min_version,
                "show_secrets": show_secrets,
            },
            headers={},
            body=None,
        )

    async def secrets_update(
        self,
        app_name: str,
        body: models.AppSecretsUpdateRequest,
    ) -> models.AppSecretsUpdateResp:
        """Set and delete secrets of an app in one go.

        Machines see a change at their next boot. Answers the new secrets version.
        """
        return await self._sender.send(
            SECRETS_UPDATE,
            models.AppSecretsUpdateResp,
            path={
                "app_name": app_name,
            },
            query={},
            headers={},
            body=body,
        )

    async def secret_get(
        self,
        app_name: str,
        secret_name: str,
        *,
        min_version: str | None = None,
        show_secrets: bool | None = None,
    ) -> models.AppSecret:
        """Read a secret of an app.

        Args:
            min_version: Answer only from data at least as new as this secrets version.
            show_secrets: Ask for the values too.
        """
        return await self._sender.send(
            SECRET_GET,
            models.AppSecret,
            path={
                "app_name": app_name,
                "secret_name": secret_name,
            },
            query={
                "min_version": min_version,
                "show_secrets": show_secrets,
            },
            headers={},
            body=None,
        )

    async def secret_create(
        self,
        app_name: str,
        secret_name: str,
        body: models.SetAppSecretRequest,
    ) -> models.SetAppSecretResponse:
        """Set a secret of an app."""
        return await self._sender.send(
            SECRET_CREATE,
            models.SetAppSecretResponse,
            path={
                "app_name": app_name,
                "secret_name": secret_name,
            },
            query={},
            headers={},
            body=body,
        )

    async def secret_delete(
        self,
        app_name: str,
        secret_name: str,
    ) -> models.DeleteAppSecretResponse:
        """Delete a secret of an app.

        Deleting one that does not exist is no error.
        """
        return await self._sender.send(
            SECRET_DELETE,
            models.DeleteAppSecretResponse,
            path={
                "app_name": app_name,
                "secret_name": secret_name,
            },
            query={},
            headers={},
            body=None,
        )

    async def volumes_list(
        self,
        app_name: str,
        *,
        summary: bool | None = None,
    ) -> list[models.Volume]:
        """List the volumes of an app.

        Args:
            summary: Leave out the large parts of each entry.
        """
        return await self._sender.send(
            VOLUMES_LIST,
            list[models.Volume],
            path={
                "app_name": app_name,
            },
            query={
                "summary": summary,
            },
            headers={},
            body=None,
        )

    async def volumes_create(
        self,
        app_name: str,
        body: models.CreateVolumeRequest,
    ) -> models.Volume:
        """Create a volume.

        Several volumes may share a name, so look at the list before repeating.
        """
        return await self._sender.send(
            VOLUMES_CREATE,
            models.Volume,
            path={
                "app_name": app_name,
            },
            query={},
            headers={},
            body=body,
        )

    async def volumes_get_by_id(
        self,
        app_name: str,
        volume_id: str,
    ) -> models.Volume:
        """Read a volume."""
        return await self._sender.send(
            VOLUMES_GET_BY_ID,
            models.Volume,
            path={
                "app_name": app_name,
                "volume_id": volume_id,
            },
            query={},
            headers={},
            body=None,
        )

    async def volumes_update(
        self,
        app_name: str,
        volume_id: str,
        body: models.UpdateVolumeRequest,
    ) -> models.Volume:
        """Change how a volume is backed up."""
        return await self._sender.send(
            VOLUMES_UPDATE,
            models.Volume,
            path={
                "app_name": app_name,
                "volume_id": volume_id,
            },
            query={},
            headers={},
            body=body,
        )

    async def volume_delete(
        self,
        app_name: str,
        volume_id: str,
    ) -> models.Volume:
        """Delete a volume.

        It can be restored for 24 hours.
        """
        return await self._sender.send(
            VOLUME_DELETE,
            models.Volume,
            path={
                "app_name": app_name,
                "volume_id": volume_id,
            },
            query={},
            headers={},
            body=None,
        )

    async def volumes_extend(
        self,
        app_name: str,
        volume_id: str,
        body: models.ExtendVolumeRequest,
    ) -> models.ExtendVolumeResponse:
        """Make a volume larger.

        A volume never shrinks.
        """
        return await self._sender.send(
            VOLUMES_EXTEND,
            models.ExtendVolumeResponse,
            path={
                "app_name": app_name,
                "volume_id": volume_id,
            },
            query={},
            headers={},
            body=body,
        )

    async def volumes_list_snapshots(
        self,
        app_name: str,
        volume_id: str,
    ) -> list[models.VolumeSnapshot]:
        """List the snapshots of a volume."""
        return await self._sender.send(
            VOLUMES_LIST_SNAPSHOTS,
            list[models.VolumeSnapshot],
            path={
                "app_name": app_name,
                "volume_id": volume_id,
            },
            query={},
            headers={},
            body=None,
        )

    async def volumes_create_snapshot(
        self,
        app_name: str,
        volume_id: str,
    ) -> None:
        """Take a snapshot of a volume."""
        return await self._sender.send(
            VOLUMES_CREATE_SNAPSHOT,
            type(None),
            path={
                "app_name": app_name,
                "volume_id": volume_id,
            },
            query={},
            headers={},
            body=None,
        )

    async def machines_org_list(
        self,
        org_slug: str,
        *,
        include_deleted: bool | None = None,
        region: str | None = None,
        state: str | None = None,
        summary: bool | None = None,
        updated_after: str | None = None,
        cursor: str | None = None,
        limit: int | None = None,
    ) -> models.OrgMachinesResponse:
        """List the machines of an organization.

        Lags behind changes; overlap the time windows when polling.

        Args:
            include_deleted: Also list what was deleted.
            region: Only in this region.
            state: Comma list of `created`, `started`, `stopped`, `suspended`.
            summary: Leave out the large parts of each entry.
            updated_after: RFC 3339 time; only what changed after it.
            cursor: Where the previous page ended.
            limit: How many at most; 1000 is the default and the maximum.
        """
        return await self._sender.send(
            MACHINES_ORG_LIST,
            models.OrgMachinesResponse,
            path={
                "org_slug": org_slug,
            },
            query={
                "include_deleted": include_deleted,
                "region": region,
                "state": state,
                "summary": summary,
                "updated_after": updated_after,
                "cursor": cursor,
                "limit": limit,
            },
            headers={},
            body=None,
        )

    async def volumes_org_list(
        self,
        org_slug: str,
        *,
        include_deleted: bool | None = None,
        region: str | None = None,
        state: str | None = None,
        summary: bool | None = None,
        updated_after: str | None = None,
        cursor: str | None = None,
        limit: int | None = None,
    ) -> models.OrgVolumesResponse:
        """List the volumes of an organization.

        Lags behind changes; overlap the time windows when polling.

        Args:
            include_deleted: Also list what was deleted.
            region: Only in this region.
            state: Comma list of volume states.
            summary: Leave out the large parts of each entry.
            updated_after: RFC 3339 time; only what changed after it.
            cursor: Where the previous page ended.
            limit: How many at most; 1000 is the default and the maximum.
        """
        return await self._sender.send(
            VOLUMES_ORG_LIST,
            models.OrgVolumesResponse,
            path={
                "org_slug": org_slug,
            },
            query={
                "include_deleted": include_deleted,
                "region": region,
                "state": state,
                "summary": summary,
                "updated_after": updated_after,
                "cursor": cursor,
                "limit": limit,
            },
            headers={},
            body=None,
        )

    async def platform_placements_post(
        self,
        body: models.MainGetPlacementsRequest,
    ) -> models.MainGetPlacementsResponse:
        """Ask where machines would have room."""
        return await self._sender.send(
            PLATFORM_PLACEMENTS_POST,
            models.MainGetPlacementsResponse,
            path={},
            query={},
            headers={},
            body=body,
        )

    async def platform_regions_get(
        self,
    ) -> models.MainRegionResponse:
        """List the regions."""
        return await self._sender.send(
            PLATFORM_REGIONS_GET,
            models.MainRegionResponse,
            path={},
            query={},
            headers={},
            body=None,
        )

    async def tokens_authenticate(
        self,
        body: models.AuthenticateTokenRequest,
    ) -> list[models.RootVerifiedToken]:
        """Check tokens and read what they are."""
        return await self._sender.send(
            TOKENS_AUTHENTICATE,
            list[models.RootVerifiedToken],
            path={},
            query={},
            headers={},
            body=body,
        )

    async def tokens_authorize(
        self,
        body: models.AuthorizeTokenRequest,
    ) -> models.AuthorizeResponse:
        """Ask whether a token allows an action."""
        return await self._sender.send(
            TOKENS_AUTHORIZE,
            models.AuthorizeResponse,
            path={},
            query={},
            headers={},
            body=body,
        )

    async def current_token_show(
        self,
    ) -> models.CurrentTokenResponse:
        """Read what the caller's own tokens allow.

        The cheap way to test a token.
        """
        return await self._sender.send(
            CURRENT_TOKEN_SHOW,
            models.CurrentTokenResponse,
            path={},
            query={},
            headers={},
            body=None,
        )

    async def tokens_request_kms(
        self,
    ) -> str:
        """Get a token for the key service."""
        return await self._sender.send(
            TOKENS_REQUEST_KMS,
            str,
            path={},
            query={},
            headers={},
            body=None,
        )

    async def tokens_request_oidc(
        self,
        body: models.CreateOIDCTokenRequest | None = None,
    ) -> str:
        """Get an OpenID Connect token for this machine.

        Meant for use inside a machine.
        """
        return await self._sender.send(
            TOKENS_REQUEST_OIDC,
            str,
            path={},
            query={},
            headers={},
            body=body,
        )

    async def managed_postgres_create(
        self,
        body: models.CreateManagedPostgresClusterRequest,
    ) -> models.ManagedPostgresClusterEnvelope:
        """Create a Managed Postgres cluster."""
        return await self._sender.send(
            MANAGED_POSTGRES_CREATE,
            models.ManagedPostgresClusterEnvelope,
            path={},
            query={},
            headers={},
            body=body,
        )

    async def managed_postgres_show(
        self,
        cluster_id: str,
    ) -> models.ManagedPostgresClusterEnvelope:
        """Read a Managed Postgres cluster."""
        return await self._sender.send(
            MANAGED_POSTGRES_SHOW,
            models.ManagedPostgresClusterEnvelope,
            path={
                "cluster_id": cluster_id,
            },
            query={},
            headers={},
            body=None,
        )

    async def managed_postgres_user_credentials(
        self,
        cluster_id: str,
        username: str,
    ) -> models.ManagedPostgresUserCredentialsEnvelope:
        """Read the password of a user of a Managed Postgres cluster."""
        return await self._sender.send(
            MANAGED_POSTGRES_USER_CREDENTIALS,
            models.ManagedPostgresUserCredentialsEnvelope,
            path={
                "cluster_id": cluster_id,
                "username": username,
            },
            query={},
            headers={},
            body=None,
        )

    async def network_policies_list(
        self,
        app_name: str,
    ) -> list[models.NetworkPolicy]:
        """List the network policies of an app."""
        return await self._sender.send(
            NETWORK_POLICIES_LIST,
            list[models.NetworkPolicy],
            path={
                "app_name": app_name,
            },
            query={},
            headers={},
            body=None,
        )

    async def network_policies_set(
        self,
        app_name: str,
        body: models.NetworkPolicy,
    ) -> models.NetworkPolicy:
        """Make a network policy, or change one.

        Machines follow it after their next start.
        """
        return await self._sender.send(
            NETWORK_POLICIES_SET,
            models.NetworkPolicy,
            path={
                "app_name": app_name,
            },
            query={},
            headers={},
            body=body,
        )

    async def network_policies_delete(
        self,
        app_name: str,
        policy_id: str,
    ) -> None:
        """Remove a network policy."""
        return await self._sender.send(
            NETWORK_POLICIES_DELETE,
            type(None),
            path={
                "app_name": app_name,
                "policy_id": policy_id,
            },
            query={},
            headers={},
            body=None,
        )
