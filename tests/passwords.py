"""Passwords that stay valid for a whole run, as those of the tool need not."""

from __future__ import annotations

from score_flyio.base.secret import Secret
from score_flyio.images.logins import Password


def lasting(password: Secret) -> Password:
    """The same one whenever it is asked for."""

    async def give() -> Secret:
        return password

    return give
