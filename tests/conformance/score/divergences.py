"""Cases where this tool may differ from the Go score-flyio, and what it does instead.

`CHOSEN` says it for the project's own cases, one rule a case. A case that is not in there, such as
one of another corpus, may be as recorded or as its `divergence_kind` allows.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from attrs import evolve

from tests.conformance.score.case import Case, Outcome
from tests.conformance.score.rules import (
    exit_code,
    expected_tomls,
    marked,
    secrets_of,
    state_form,
    toml_form,
)

Check = Callable[[Case], None]
Rule = Callable[[Case, Outcome, Check], None]


def as_recorded(case: Case, outcome: Outcome, check: Check) -> None:
    """This tool does what the Go tool does."""
    check(case)


def refused(category: str) -> Rule:
    """The last step fails, nothing is written, and the state stays as it was."""

    def rule(case: Case, outcome: Outcome, check: Check) -> None:
        assert outcome.last.category == category
        assert outcome.last.exit_code == exit_code(category)
        assert outcome.tomls == {}
        assert outcome.state == outcome.last.before

    return rule


def failed(category: str) -> Rule:
    """Provisioning fails: the workload is kept, its resource is not provisioned."""

    def rule(case: Case, outcome: Outcome, check: Check) -> None:
        assert outcome.last.category == category
        assert outcome.last.exit_code == 1
        assert outcome.tomls == {}
        assert [r["provisioner"] for r in outcome.state["resources"].values()] == [""]

    return rule


def accepted(**apps: dict[str, Any]) -> Rule:
    """The last step succeeds and gives these fly.toml files (by workload)."""

    def rule(case: Case, outcome: Outcome, check: Check) -> None:
        assert outcome.last.exit_code == 0, outcome.last.stderr
        tomls = {name: toml_form(toml) for name, toml in outcome.tomls.items()}
        assert tomls == {f"fly_{name}.toml": toml for name, toml in apps.items()}
        assert set(outcome.state["workloads"]) == set(apps)

    return rule


def preferred(case: Case, outcome: Outcome, check: Check) -> None:
    """The last step succeeds as it would for the same document in the old form."""
    wanted = evolve(case, expected=case.expected["preferred"] | {"workload_specs": None})
    assert outcome.last.exit_code == 0, outcome.last.stderr
    assert outcome.tomls == expected_tomls(wanted, outcome)
    assert secrets_of(outcome) == wanted.expected["secrets"]


def deprovisioned(case: Case, outcome: Outcome, check: Check) -> None:
    """The last step succeeds and the resource is gone."""
    assert outcome.last.exit_code == 0, outcome.last.stderr
    assert outcome.state["resources"] == {}


def changed(*changes: tuple[str, Any]) -> Rule:
    """As recorded, but for the values at these places (parts divided by ` / `)."""

    def rule(case: Case, outcome: Outcome, check: Check) -> None:
        expected = json.loads(json.dumps(case.expected))
        for place, value in changes:
            *way, last = place.split(" / ")
            target = expected
            for part in way:
                target = target[int(part) if isinstance(target, list) else part]
            if value is None:
                del target[last]
            else:
                target[last] = value
        check(evolve(case, expected=expected))

    return rule


def renamed_secret(case: Case, outcome: Outcome, check: Check) -> None:
    """As recorded, but for the name of the secret, which may not start with a digit at Fly."""
    recorded = json.dumps(case.expected)
    for name in case.expected["secrets"]:
        assert name[0].isdigit()
        recorded = recorded.replace(name, f"file_{name}")
    check(evolve(case, expected=json.loads(recorded)))


def unknown_elsewhere(case: Case, outcome: Outcome, check: Check) -> None:
    """The Go tool has no such command; this one has, and finds no project."""
    assert outcome.last.exit_code != 0


def no_project(case: Case, outcome: Outcome, check: Check) -> None:
    """The first step, `init`, refuses the prefix."""
    assert outcome.steps[0].category == "app_name_invalid"
    assert outcome.steps[0].exit_code == exit_code("app_name_invalid")
    assert outcome.state is None


IMAGE = {"image": "registry.example.com/shop:2.1"}
TOML = "fly_toml / fly_shop.toml"
DB = "state / resources / thing.default#shop.db"
SERVICE = {"protocol": "tcp", "internal_port": 8080, "min_machines_running": 0}

CHOSEN: dict[str, Rule] = {
    "ann-concurrency": as_recorded,
    "ann-dashed-port": accepted(
        shop={
            "app": "pfx-shop",
            "build": IMAGE,
            "services": [
                {**SERVICE, "internal_port": 80, "ports": [{"port": 80, "handlers": ["http"]}]}
            ],
        }
    ),
    "ann-handlers-spaces": changed(
        (f"{TOML} / services / 0 / ports / 0 / handlers", ["tls", "http"])
    ),
    "ann-handlers-unknown-value": refused("annotation_invalid"),
    "ann-http-options": as_recorded,
    "ann-min-running-negative": refused("annotation_invalid"),
    "ann-udp-ignores-handlers": refused("annotation_invalid"),
    "ann-unknown-port": refused("annotation_unknown"),
    "cmd-duplicate-and-case-keys": failed("provisioner_output_invalid"),
    "cmd-empty-output": as_recorded,
    "cmd-null-output": as_recorded,
    "cmd-trailing-output": failed("provisioner_output_invalid"),
    "compute-cpu-empty": refused("schema_invalid"),
    "compute-cpu-only": as_recorded,
    "compute-gibi": as_recorded,
    "compute-mebi": as_recorded,
    "compute-memory-fraction": accepted(
        shop={"app": "pfx-shop", "build": IMAGE, "vm": {"cpus": 1, "memory": "1536MB"}}
    ),
    "deprovision-static": deprovisioned,
    "deprovision-still-in-use": as_recorded,
    "deprovision-unknown": as_recorded,
    "file-binary-content": accepted(
        shop={
            "app": "pfx-shop",
            "build": IMAGE,
            "files": [{"guest_path": "/etc/logo.bin", "local_path": "fly_shop.8b853a1781a7.bin"}],
        }
    ),
    "file-map-inline": preferred,
    "file-map-several": preferred,
    "file-source-missing-noexpand": refused("file_unreadable"),
    "generate-no-arg": as_recorded,
    "generate-two-files": accepted(
        shop={"app": "pfx-shop", "build": IMAGE},
        beta={"app": "pfx-beta", "build": IMAGE},
    ),
    "http-deprovision-204": deprovisioned,
    "http-deprovision-500": changed(("state / shared_state / k", 1)),
    "http-redirect-307": as_recorded,
    "init-first": as_recorded,
    "init-odd-prefix": no_project,
    "invalid-two-documents": refused("score_file_undecodable"),
    "name-63-chars": refused("app_name_invalid"),
    "override-file-null": accepted(
        shop={
            "app": "pfx-shop",
            "build": IMAGE,
            "experimental": {"entrypoint": ["a", "b"], "cmd": ["1", "2", "3"]},
            "mounts": [{"source": "data", "destination": "/data"}],
            "services": [{**SERVICE, "ports": [{"port": 80}]}],
        }
    ),
    "override-file-null-in-metadata": changed(
        ("workload_specs / shop / metadata / owner", None),
        ("workload_specs / shop / metadata / labels / a", None),
    ),
    "params-cycle-two": as_recorded,
    "params-number-output-embedded": as_recorded,
    "probe-empty": refused("schema_invalid"),
    "probe-readiness-shared-internal": as_recorded,
    "provisioners-remove-unknown": as_recorded,
    "resources-list": as_recorded,
    "secret-file": renamed_secret,
    "secret-file-source": renamed_secret,
    "secret-in-params": changed(
        ("state / resources / user.default#shop.use / params / pw", "${resources.db.t}"),
        ("secrets", {}),
        (f"{TOML} / env", {"ONLY": "shop"}),
        ("steps / 3 / notices", None),
    ),
    "shared-id-params-refer-own-workload": as_recorded,
    "static-class-shadowed": as_recorded,
    "unknown-command": unknown_elsewhere,
    "vars-float-rendering": changed(
        (f"{TOML} / env / B", "12345678901234567890"),
        (f"{DB} / outputs / b", 12345678901234567890),
        ("state / provisioners / 0 / static / b", 12345678901234567890),
    ),
    "vars-resource-types": changed((f"{TOML} / env / HTML", '{"q":"<a&b>"}')),
    "volume-map": preferred,
    "volume-two": refused("unsupported_feature"),
}


def check(case: Case, outcome: Outcome, check_recorded: Check) -> None:
    """The case's own rule, or else what its kind of divergence allows."""
    chosen = CHOSEN.get(case.name)
    if chosen is not None:
        chosen(case, outcome, check_recorded)
        return
    try:
        check_recorded(case)
    except AssertionError:
        _allowed(case, outcome, check_recorded)


def without_notices(case: Case, outcome: Outcome) -> Case:
    """The case as if the warnings of this tool had been recorded."""
    steps = zip(case.expected["steps"], outcome.steps, strict=True)
    warned = [{**recorded, "notices": step.notices} for recorded, step in steps]
    return evolve(case, expected={**case.expected, "steps": warned})


def _allowed(case: Case, outcome: Outcome, check_recorded: Check) -> None:
    fails = outcome.last.exit_code != 0
    recorded_failure = case.expected["exit_code"] != 0
    match case.divergence:
        case "accept":
            assert recorded_failure
            if "preferred" in case.expected:
                preferred(case, outcome, lambda _: None)
        case "reject" if fails:
            assert outcome.last.exit_code == exit_code(outcome.last.category)
        case "reject" | "notice":
            assert not recorded_failure
            assert not fails, outcome.last.stderr
            check_recorded(without_notices(case, outcome))
        case "category":
            assert fails == recorded_failure
        case "state" | "message":
            assert outcome.last.category == case.expected["error_category"]
        case "order" | "numbers":
            assert not fails
            got = marked(outcome, state_form(outcome.state))
            assert got == state_form(case.expected["state"])
        case _:
            assert fails == recorded_failure
