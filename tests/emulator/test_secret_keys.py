"""Secret keys: what they hide comes back to who may have it, and their values stay inside."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from fly_emulator import Emulator
from tests.emulator.client import Api, HandClock, make_api

PATH = "/apps/shop/secretkeys"
HELLO = "aGVsbG8="
OTHER = "b3RoZXI="


async def made(api: Api, name: str, type_: str) -> dict[str, Any]:
    answer = await api.post(f"{PATH}/{name}/generate", {"type": type_})
    assert answer.status_code == 201
    document: dict[str, Any] = answer.json()
    return document


async def use(api: Api, verb: str, name: str = "BOX", **body: str) -> httpx.Response:
    return await api.post(f"{PATH}/{name}/{verb}", body)


async def test_only_the_same_key_and_associated_data_bring_a_text_back(api: Api) -> None:
    await made(api, "BOX", "nacl_secretbox")
    await made(api, "TWO", "nacl_secretbox")
    hidden = (await use(api, "encrypt", plaintext=HELLO, associated_data=OTHER)).json()[
        "ciphertext"
    ]
    assert HELLO not in hidden
    back = await use(api, "decrypt", ciphertext=hidden, associated_data=OTHER)
    assert back.json() == {"plaintext": HELLO}
    for name, data in (("BOX", HELLO), ("TWO", OTHER)):
        refused = await use(api, "decrypt", name, ciphertext=hidden, associated_data=data)
        assert refused.status_code == 400
    assert (await use(api, "decrypt", ciphertext=OTHER, associated_data=OTHER)).status_code == 400


async def test_a_signature_is_for_one_text_and_key(api: Api) -> None:
    await made(api, "SIGN", "SECRET_TYPE_KMS_HS256")
    signature = (await use(api, "sign", "SIGN", plaintext=HELLO)).json()["signature"]
    assert (
        await use(api, "verify", "SIGN", plaintext=HELLO, signature=signature)
    ).status_code == 204
    changed = await use(api, "verify", "SIGN", plaintext=OTHER, signature=signature)
    assert changed.status_code == 400


@pytest.mark.parametrize(
    ("verb", "name", "body", "status"),
    [
        ("sign", "BOX", {"plaintext": HELLO}, 400),
        ("encrypt", "SIGN", {"plaintext": HELLO}, 400),
        ("encrypt", "NONE", {"plaintext": HELLO}, 404),
        ("encrypt", "BOX", {"plaintext": "no base64"}, 400),
        ("generate", "BOX", {"type": "rot13"}, 400),
    ],
)
async def test_what_a_key_is_not_for_is_refused(
    api: Api, verb: str, name: str, body: dict[str, str], status: int
) -> None:
    await made(api, "BOX", "nacl_box")
    await made(api, "SIGN", "nacl_sign")
    assert (await use(api, verb, name, **body)).status_code == status


async def test_lists_are_by_type_and_show_no_value(api: Api) -> None:
    assert (await made(api, "BOX", "nacl_box"))["public_key"]
    assert "public_key" not in await made(api, "MAC", "hs256")
    listed = (await api.get(f"{PATH}?types=hs256")).json()["secret_keys"]
    assert [key["name"] for key in listed] == ["MAC"]
    assert all("value" not in key for key in (await api.get(PATH)).json()["secret_keys"])
    assert (await api.get(f"{PATH}?min_version=9")).status_code == 412


async def test_the_journal_masks_keys_and_what_they_hide(api: Api) -> None:
    await api.post(f"{PATH}/BOX", {"type": "nacl_secretbox", "value": OTHER})
    await use(api, "encrypt", plaintext=HELLO)
    bodies = json.dumps([entry.body for entry in api.fly.journal.entries])
    assert OTHER not in bodies
    assert HELLO not in bodies


async def test_a_file_keeps_keys_policies_and_clusters(tmp_path: Path) -> None:
    file, clock = tmp_path / "world.json", HandClock()
    first = make_api(Emulator(clock=clock, file=file), clock)
    async with first.client:
        await first.app()
        await made(first, "BOX", "nacl_secretbox")
        hidden = (await use(first, "encrypt", plaintext=HELLO)).json()
        await first.post("/apps/shop/network_policies", {"name": "web"})
        cluster = await first.post("/postgres", {"org_slug": "personal", "name": "db"})
    second = make_api(Emulator(clock=clock, file=file), clock)
    async with second.client:
        assert (await use(second, "decrypt", **hidden)).json() == {"plaintext": HELLO}
        policies = (await second.get("/apps/shop/network_policies")).json()
        assert [each["name"] for each in policies] == ["web"]
        found = await second.get(f"/postgres/{cluster.json()['data']['id']}")
        assert found.json()["data"]["name"] == "db"
