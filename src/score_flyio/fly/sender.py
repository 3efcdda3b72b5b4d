"""Carries operations out: in turn, repeated where that is safe, decoded, reported as events."""

from __future__ import annotations

import random
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final, TypeVar

import anyio

from fly_machines.operations import Operation, QueryValue
from score_flyio.base.record import frozen
from score_flyio.errors import FlyApiError, FlyError, RateLimited
from score_flyio.events import Listener, RateLimitHit, RequestFinished, RequestRetried, Scope
from score_flyio.fly.codec import ShapeError, is_model, structure_answer, unstructure
from score_flyio.fly.limits import Permit, RateLimiter
from score_flyio.fly.retry import RetryPolicy, is_repeatable, may_pass, reason
from score_flyio.fly.transport import Answer, Call, HttpTransport, not_json, unreadable

T = TypeVar("T")
_NONE: Final[Mapping[str, Any]] = MappingProxyType({})


@frozen(eq=False, kw_only=True)
class HttpSender:
    """The `Sender` of `fly_machines` over HTTP."""

    _transport: HttpTransport
    _limiter: RateLimiter
    _policy: RetryPolicy
    _rng: random.Random
    _emit: Listener

    async def send(
        self,
        operation: Operation,
        response_type: type[T],
        *,
        path: Mapping[str, str],
        query: Mapping[str, QueryValue] = _NONE,
        headers: Mapping[str, str | None] = _NONE,
        body: Any = None,
    ) -> T:
        """Carry the operation out and decode its answer.

        Raises FlyError. Errors of calls that are not repeat-safe may leave the outcome unknown:
        see `fly.errors.is_doubtful`.
        """
        content = None if body is None else unstructure(body)
        call = Call(operation=operation, path=path, query=query, headers=headers, body=content)
        repeatable = is_repeatable(operation, headers)
        failures = refusals = 0
        start: float | None = None
        while True:
            permit = await self._limiter.acquire(operation, path)
            start = permit.at - permit.queued if start is None else start
            try:
                return _decode(call, await self._exchange(call, permit), response_type)
            except RateLimited as error:
                refusals += 1
                delay = self._policy.rate_limited_delay(error, refusals, self._rng)
                permit.refused(delay)
                waited = anyio.current_time() - start
                if waited + delay > self._policy.rate_limit_patience or _too_late(delay):
                    raise
                # the bucket itself holds the next request back
                self._emit(RateLimitHit(**_about(call), delay=delay))
            except FlyError as error:
                failures += 1
                delay = self._policy.delay(failures, self._rng)
                last = failures >= self._policy.attempts or _too_late(delay)
                if last or not may_pass(operation, error, repeatable=repeatable):
                    raise
                self._emit(RequestRetried(**_about(call), reason=reason(error), delay=delay))
                await anyio.sleep(delay)

    async def _exchange(self, call: Call, permit: Permit) -> Answer:
        status: int | None = None
        given_up = False
        try:
            answer = await self._transport.exchange(call)
            status = answer.status
        except FlyApiError as error:
            status = error.status
            if not isinstance(error, RateLimited):
                permit.answered()
            raise
        except anyio.get_cancelled_exc_class():
            given_up = True
            raise
        else:
            permit.answered()
            return answer
        finally:
            self._emit(
                RequestFinished(
                    **_about(call),
                    status=status,
                    seconds=anyio.current_time() - permit.at,
                    queued=permit.queued,
                    template=call.operation.path,
                    given_up=given_up,
                )
            )


def _about(call: Call) -> dict[str, Any]:
    scope = Scope(app=call.path.get("app_name"), machine=call.path.get("machine_id"))
    return {"method": call.operation.method, "path": call.url_path, "scope": scope}


def _too_late(delay: float) -> bool:
    """The caller's deadline passes before the next try."""
    return anyio.current_time() + delay >= anyio.current_effective_deadline()


def _decode(call: Call, answer: Answer, response_type: type[T]) -> T:
    value = answer.value
    if response_type is type(None):
        value = None
    elif value is None and is_model(response_type) and call.operation.method != "GET":
        value = {}  # several operations answer nothing where the documents show an object
    try:
        return structure_answer(value, response_type)
    except ShapeError as error:
        shown = "; ".join(map(str, error.problems))
        why = f"{answer.status} with an unexpected body: {shown}"
        raise unreadable(call, why, error.problems) from error
    except (ValueError, RecursionError) as error:
        raise not_json(call, answer.status) from error
