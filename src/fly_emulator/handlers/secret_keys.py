"""Secret keys of apps: the platform encrypts and signs with them, and never shows them.

Which ciphers the platform has behind a type is its own affair; these do what all of them do: what
is encrypted comes back, and another key, other associated data or a changed text is refused.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from typing import Final

from fly_emulator.bodies import from_base64, to_base64
from fly_emulator.calls import Call, Handler, want_text
from fly_emulator.handlers.secrets import check_version, renew, versions
from fly_emulator.records import Json, KeyRecord
from fly_emulator.wire import ApiResponse, Outcome, Refusal
from score_flyio.base.clock import rfc3339

_SIGNING: Final = frozenset({"hs256", "hs384", "hs512", "nacl_auth", "nacl_sign"})
_ENCRYPTING: Final = frozenset({"nacl_box", "nacl_secretbox", "xaes256gcm"})
_PUBLIC: Final = frozenset({"nacl_box", "nacl_sign"})
"""Types whose keys have a public part."""
_PREFIX: Final = "secret_type_kms_"
_KEY_BYTES: Final = 32
_TAG_BYTES: Final = 32
_NONCE_BYTES: Final = 24


def _kind(type_: str) -> str:
    return type_.lower().removeprefix(_PREFIX)


def _document(key: KeyRecord) -> Json:
    document: Json = {
        "name": key.name,
        "type": key.type,
        "created_at": rfc3339(key.created_at),
        "updated_at": rfc3339(key.updated_at),
    }
    if _kind(key.type) in _PUBLIC:
        document["public_key"] = to_base64(hashlib.sha256(f"public:{key.value}".encode()).digest())
    return document


def _key(call: Call) -> KeyRecord:
    app, name = call.app(), call.path["secret_name"]
    check_version(call, app)
    if name not in app.keys:
        raise Refusal(404, f"secret key not found: {name}")
    return app.keys[name]


def _key_for(call: Call, kinds: frozenset[str]) -> bytes:
    key = _key(call)
    if _kind(key.type) not in kinds:
        raise Refusal(400, f"secret key {key.name} of type {key.type} is not for this")
    return base64.b64decode(key.value)


def _list(call: Call) -> Outcome:
    app = call.app()
    check_version(call, app)
    wanted = {_kind(word) for word in call.query_list("types")}
    found = [
        _document(app.keys[name])
        for name in sorted(app.keys)
        if not wanted or _kind(app.keys[name].type) in wanted
    ]
    return {"secret_keys": found}


def _keep(call: Call, value: bytes) -> Outcome:
    app, name = call.app(), call.path["secret_name"]
    type_ = want_text(call.body(), "type")
    if _kind(type_) not in _SIGNING | _ENCRYPTING:
        raise Refusal(400, f"invalid type: {type_!r}")
    before = app.keys.get(name)
    key = KeyRecord(
        name=name,
        type=type_,
        value=to_base64(value),
        created_at=before.created_at if before else call.now,
        updated_at=call.now,
    )
    app.keys[name] = key
    renew(call, app)
    return ApiResponse(status=201, document={**_document(key), **versions(app)})


def _set(call: Call) -> Outcome:
    value = from_base64(call.body(), "value")
    if not value:
        raise Refusal(400, "value is required")
    return _keep(call, value)


def _delete(call: Call) -> Outcome:
    app = call.app()
    app.keys.pop(call.path["secret_name"], None)
    renew(call, app)
    return versions(app)


def _pad(key: bytes, nonce: bytes, content: bytes) -> bytes:
    stream = hashlib.shake_256(key + nonce).digest(len(content))
    return bytes(one ^ other for one, other in zip(content, stream, strict=True))


def _tag(key: bytes, *parts: bytes) -> bytes:
    sized = b"".join(len(part).to_bytes(8, "big") + part for part in parts)
    return hmac.new(key, sized, hashlib.sha256).digest()


def _encrypt(call: Call) -> Outcome:
    key, body = _key_for(call, _ENCRYPTING), call.body()
    nonce = secrets.token_bytes(_NONCE_BYTES)
    hidden = _pad(key, nonce, from_base64(body, "plaintext"))
    tag = _tag(key, nonce, hidden, from_base64(body, "associated_data"))
    return {"ciphertext": to_base64(nonce + tag + hidden)}


def _decrypt(call: Call) -> Outcome:
    key, body = _key_for(call, _ENCRYPTING), call.body()
    given = from_base64(body, "ciphertext")
    nonce, rest = given[:_NONCE_BYTES], given[_NONCE_BYTES:]
    tag, hidden = rest[:_TAG_BYTES], rest[_TAG_BYTES:]
    if not hmac.compare_digest(tag, _tag(key, nonce, hidden, from_base64(body, "associated_data"))):
        raise Refusal(400, "decryption failed")
    return {"plaintext": to_base64(_pad(key, nonce, hidden))}


def _sign(call: Call) -> Outcome:
    signature = _tag(_key_for(call, _SIGNING), from_base64(call.body(), "plaintext"))
    return {"signature": to_base64(signature)}


def _verify(call: Call) -> None:
    key, body = _key_for(call, _SIGNING), call.body()
    right = _tag(key, from_base64(body, "plaintext"))
    if not hmac.compare_digest(right, from_base64(body, "signature")):
        raise Refusal(400, "verification failed")


HANDLERS: Final[dict[str, Handler]] = {
    "Secretkeys_list": _list,
    "Secretkey_get": lambda call: _document(_key(call)),
    "Secretkey_set": _set,
    "Secretkey_generate": lambda call: _keep(call, call.world.rng.randbytes(_KEY_BYTES)),
    "Secretkey_delete": _delete,
    "Secretkey_encrypt": _encrypt,
    "Secretkey_decrypt": _decrypt,
    "Secretkey_sign": _sign,
    "Secretkey_verify": _verify,
}
