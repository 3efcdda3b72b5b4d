"""Operations that the emulator does not have; they say so."""

from __future__ import annotations

from typing import Final

from fly_emulator.calls import Call, Handler
from fly_emulator.wire import Outcome, Refusal

NOT_EMULATED: Final = (
    "Secretkeys_list",
    "Secretkey_get",
    "Secretkey_set",
    "Secretkey_delete",
    "Secretkey_decrypt",
    "Secretkey_encrypt",
    "Secretkey_generate",
    "Secretkey_sign",
    "Secretkey_verify",
    "Tokens_authenticate",
    "Tokens_authorize",
    "Tokens_request_Kms",
    "Tokens_request_OIDC",
    "ManagedPostgres_create",
    "ManagedPostgres_show",
    "ManagedPostgres_user_credentials",
    "NetworkPolicies_list",
    "NetworkPolicies_set",
    "NetworkPolicies_delete",
)


def _refuse(call: Call) -> Outcome:
    raise Refusal(501, f"the emulator does not have {call.operation.id}")


HANDLERS: Final[dict[str, Handler]] = dict.fromkeys(NOT_EMULATED, _refuse)
