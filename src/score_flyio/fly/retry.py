"""Which failed calls are sent again, and when.

A call that changes nothing, or leaves the same state when carried out twice, is repeated after any
failure that may pass. Every other call is repeated only when it certainly was not carried out;
else the error is raised, and `fly.errors.is_doubtful` tells that its outcome is unknown.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from typing import Final

from fly_machines.operations import Operation
from score_flyio.base.record import frozen
from score_flyio.errors import (
    FlyConnectionError,
    FlyProtocolError,
    FlyServerError,
    RateLimited,
    RequestTimedOut,
)

NONCE_HEADER: Final = "fly-machine-lease-nonce"
REPEATABLE_METHODS: Final = frozenset({"GET", "PUT", "PATCH", "DELETE"})
REPEATABLE: Final = frozenset(
    {
        "App_Certificates_check",
        "App_Certificates_custom_create",
        "Machines_cordon",
        "Machines_start",
        "Machines_stop",
        "Machines_suspend",
        "Machines_uncordon",
        "Machines_upsert_metadata",
        "Platform_placements_post",
        "Secret_create",
        "Secretkey_decrypt",
        "Secretkey_encrypt",
        "Secretkey_set",
        "Secretkey_sign",
        "Secretkey_verify",
        "Secrets_update",
        "Tokens_authenticate",
        "Tokens_authorize",
        "Tokens_request_Kms",
        "Tokens_request_OIDC",
    }
)
"""POST operations that leave the same state when carried out twice."""
FINAL_SERVER_ERRORS: Final = frozenset({501, 505})


@frozen(kw_only=True)
class RetryPolicy:
    """How long failed calls are repeated. All times are in seconds."""

    attempts: int = 5
    """How often a call is sent at most, refusals for the rate limit not counted."""
    first_delay: float = 0.2
    longest_delay: float = 5.0
    rate_limit_delay: float = 1.0
    """Pause after the first 429 that does not say when to come back; doubles with each."""
    longest_rate_limit_delay: float = 15.0
    rate_limit_patience: float = 300.0
    """How long one call puts up with 429."""

    def delay(self, failures: int, rng: random.Random) -> float:
        """Pause before the next try after so many failures: exponential, half of it random."""
        delay = min(self.longest_delay, self.first_delay * 2.0 ** (failures - 1))
        return delay * (0.5 + rng.random() / 2)

    def rate_limited_delay(self, error: RateLimited, refusals: int, rng: random.Random) -> float:
        """Pause after so many 429: what the platform asks for, else exponential."""
        if error.answer.retry_after is not None:
            return error.answer.retry_after
        wanted = self.rate_limit_delay * 2.0 ** (refusals - 1)
        return min(self.longest_rate_limit_delay, wanted) * (1 + rng.random() / 4)


def is_repeatable(operation: Operation, headers: Mapping[str, str | None]) -> bool:
    """Whether carrying the call out twice leaves the same state as once."""
    if operation.method in REPEATABLE_METHODS or operation.id in REPEATABLE:
        return True
    return operation.id == "Machines_create_lease" and headers.get(NONCE_HEADER) is not None


def may_pass(operation: Operation, error: Exception, *, repeatable: bool) -> bool:
    """Whether sending the call again is safe and may help; 429 is judged elsewhere."""
    if isinstance(error, FlyConnectionError):
        return repeatable or not error.sent
    if isinstance(error, FlyProtocolError):  # a proxy's page, or half of an answer
        return repeatable
    if isinstance(error, RequestTimedOut):  # the answer "not yet" of a wait
        return repeatable and operation.id != "Machines_wait"
    if isinstance(error, FlyServerError):
        return repeatable and error.status not in FINAL_SERVER_ERRORS
    return False


def reason(error: Exception) -> str:
    """Why a call is repeated, in few words without values."""
    if isinstance(error, (RequestTimedOut, FlyServerError)):
        return f"status {error.status}"
    if isinstance(error, FlyConnectionError):
        return "no answer" if error.sent else "not reachable"
    if isinstance(error, FlyProtocolError):
        return "an unreadable answer"
    return type(error).__name__
