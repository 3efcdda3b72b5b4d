"""Network policies of apps: kept and given back; there is no network that they could shape."""

from __future__ import annotations

from typing import Final

from fly_emulator.calls import Call, Handler
from fly_emulator.records import App, Json
from fly_emulator.wire import ApiResponse, Outcome, Refusal


def _list(call: Call) -> Outcome:
    return [{**policy, "id": name} for name, policy in call.app().policies.items()]


def _set(call: Call) -> Outcome:
    app, body = call.app(), call.body()
    wanted = body.get("id")
    document: Json = {name: body[name] for name in ("name", "selector", "rules") if name in body}
    _check(document)
    name = _known(app, wanted) if wanted else call.world.letters(14)
    app.policies[name] = document
    return ApiResponse(status=200 if wanted else 201, document={**document, "id": name})


def _known(app: App, wanted: object) -> str:
    if not isinstance(wanted, str) or wanted not in app.policies:
        raise Refusal(404, f"network policy not found: {wanted!r}")
    return wanted


def _delete(call: Call) -> None:
    app = call.app()
    del app.policies[_known(app, call.path["policy_id"])]


def _check(document: Json) -> None:
    if not isinstance(document.get("name", ""), str):
        raise Refusal(400, "invalid name: a text is needed")
    _selector(document.get("selector", {}))
    rules = document.get("rules", [])
    if not isinstance(rules, list):
        raise Refusal(400, "invalid rules: a list of objects is needed")
    for index, rule in enumerate(rules):
        _rule(rule, f"rules[{index}]")


def _selector(selector: object) -> None:
    if not isinstance(selector, dict) or not isinstance(selector.get("all", False), bool):
        raise Refusal(400, "invalid selector: an object is needed, with a boolean `all`")
    machines = selector.get("machines", [])
    if not isinstance(machines, list) or not all(
        isinstance(one, dict) and isinstance(one.get("id", ""), str) for one in machines
    ):
        raise Refusal(400, "invalid selector.machines: a list of objects with an id is needed")
    metadata = selector.get("metadata", {})
    if not isinstance(metadata, dict) or not all(isinstance(v, str) for v in metadata.values()):
        raise Refusal(400, "invalid selector.metadata: an object of texts is needed")


def _rule(rule: object, place: str) -> None:
    if not isinstance(rule, dict) or rule.get("action", "allow") != "allow":
        raise Refusal(400, f"invalid {place}.action: the only action is allow")
    if rule.get("direction", "ingress") not in ("ingress", "egress"):
        raise Refusal(400, f"invalid {place}.direction: {rule['direction']!r}")
    ports = rule.get("ports", [])
    if not isinstance(ports, list) or not all(_is_port(port) for port in ports):
        raise Refusal(400, f"invalid {place}.ports: a list of protocols and ports is needed")


def _is_port(port: object) -> bool:
    if not isinstance(port, dict):
        return False
    number = port.get("port", 0)
    numeric = isinstance(number, int) and not isinstance(number, bool)
    return numeric and isinstance(port.get("protocol", ""), str)


HANDLERS: Final[dict[str, Handler]] = {
    "NetworkPolicies_list": _list,
    "NetworkPolicies_set": _set,
    "NetworkPolicies_delete": _delete,
}
