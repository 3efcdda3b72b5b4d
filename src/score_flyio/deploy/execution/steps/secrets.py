"""Secrets of an app."""

from __future__ import annotations

from score_flyio.base.secret import Secret
from score_flyio.deploy.app_step import SetSecrets
from score_flyio.deploy.execution.context import Context, SecretsSet
from score_flyio.deploy.planning.secrets import digests_hash, remember
from score_flyio.fly import repeats


async def set_secrets(step: SetSecrets, context: Context) -> SecretsSet:
    """Sets all in one call, and remembers their digests so that the next run need not."""
    answer = await context.about_app(
        lambda: repeats.set_secrets(context.client.api, step.app, step.values)
    )
    before = context.secrets_before
    changed = any(answer.digests.get(name) != before.get(name) for name in step.values)
    kept: dict[str, Secret] = {
        name: value for name, value in step.values.items() if value is not None
    }
    await context.recorder.secrets_set(
        step.app, remember(kept, context.settings.salt, answer.digests)
    )
    wanted = context.secret_names
    digests = {**before, **answer.digests}
    seen = digests_hash({name: digests.get(name, "") for name in wanted})
    return SecretsSet(version=answer.version, seen=seen, changed=changed)
