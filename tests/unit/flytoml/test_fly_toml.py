"""Reading a fly.toml: languages, spellings, and messages for people."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from score_flyio.errors import ConfigError
from score_flyio.flytoml import read_fly_toml, to_json, to_toml
from score_flyio.flytoml.findings import recorded
from score_flyio.flytoml.load import find_fly_toml, read_document
from score_flyio.flytoml.spec import AppSpec


def spec_of(text: str, **options: Any) -> AppSpec:
    document = read_fly_toml(text, **options)
    assert document.spec is not None, document.errors
    return document.spec


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("true", "true"),
        ("5", "5"),
        ("0.75", "0.75"),
        ("2.0", "2"),
        ("1e21", "1e+21"),
        ("123456.0", "123456"),
        ("1234567.5", "1.2345675e+06"),
        ("-1e6", "-1e+06"),
        ("-0.0", "-0"),
        ("0.0001", "0.0001"),
        ("0.00001", "1e-05"),
        ("2024-05-17", "2024-05-17"),
        ("2024-05-17T08:30:00", "2024-05-17T08:30:00"),
        ("08:30:00.250", "08:30:00.25"),
        ("08:30:00.1234567891", "08:30:00.123456"),
        ("08:30", "08:30:00"),
        ("2024-05-17 08:30", "2024-05-17T08:30:00"),
        ("2024-05-17t08:30:00.120-00:00", "2024-05-17 08:30:00.12 +0000 UTC"),
        ("1_000", "1000"),
        ("0x1F", "31"),
        ("-9223372036854775808", "-9223372036854775808"),
        ("nan", "NaN"),
        ("[]", "[]"),
        ("{}", "map[]"),
        ("[{a = [true]}, 1.5]", "[map[a:[true]] 1.5]"),
        ("2024-05-17T08:30:00Z", "2024-05-17 08:30:00 +0000 UTC"),
        ("2024-05-17T08:30:00.5+02:00", "2024-05-17 08:30:00.5 +0200 +0200"),
        ('["a", 1]', "[a 1]"),
        ("{b = 2, a = 'x'}", "map[a:x b:2]"),
        ("inf", "+Inf"),
    ],
)
def test_env_values_become_text(value: str, text: str) -> None:
    assert spec_of(f"[env]\nA = {value}").env == {"A": text}


def test_json_numbers_are_floats() -> None:
    spec = spec_of('{"env": {"A": 21000000}, "kill_timeout": 5, "swap_size_mb": 64}', form="json")
    assert spec.env == {"A": "2.1e+07"}
    assert to_json(spec) == {"env": {"A": "2.1e+07"}, "kill_timeout": "5s", "swap_size_mb": 64}


@pytest.mark.parametrize("value", ['{"A": null, "B": "x"}', '{"B": ["x", null]}'])
def test_null_in_values_of_any_kind_is_left_out_of_toml(value: str) -> None:
    headers = f'{{"http_service": {{"http_options": {{"response": {{"headers": {value}}}}}}}}}'
    for text in (headers, f'{{"build": {{"settings": {value}}}}}'):
        written = to_toml(spec_of(text, form="json"))
        assert '"x"' in written
        assert "A" not in written


def test_yaml_is_read_as_go_reads_it() -> None:
    text = "app: a\nenv: {true: on, 010: 'x', 2024-01-01: y}\n---\napp: b\n"
    spec = spec_of(text, form="yaml")
    assert (spec.app, spec.env) == ("a", {"true": "on", "010": "x", "2024-01-01": "y"})


def test_whole_numbers_of_yaml_are_durations_and_its_dates_texts() -> None:
    text = "kill_timeout: 120\nprocesses: {app: 2024-05-17}\nchecks: {a: {interval: 15000}}\n"
    spec = spec_of(text, form="yaml")
    assert to_json(spec) == {
        "kill_timeout": "2m0s",
        "processes": {"app": "2024-05-17"},
        "checks": {"a": {"interval": "15s"}},
    }


def test_yaml_words_are_texts() -> None:
    text = "app: x\nenv: {A: on, B: 22:22, C: true}\nhttp_service: {auto_stop_machines: off}\n"
    spec = spec_of(text, form="yaml")
    assert spec.env == {"A": "on", "B": "22:22", "C": "true"}
    assert spec.http_service is not None
    assert spec.http_service.auto_stop_machines == "off"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[vm]\npersist_rootfs = 2", {"vm": [{"persist_rootfs": "restart"}]}),
        ("[vm]\npersist_rootfs = 'none'", {"vm": [{}]}),
        (
            "[Checks.a]\ntype='tcp'\ninterval=2000000000",
            {"checks": {"a": {"type": "tcp", "interval": "2s"}}},
        ),
        ("[build]\n[Build]\nimage='x'", {"build": {"image": "x"}}),
        ("[Env]\nA='1'\n[env]\nB='2'", {"env": {"A": "1", "B": "2"}}),
        ("kill_timeout = true", {}),
        ("kill_timeout = ''", {}),
        (
            "[experimental]\nkill_timeout = 3\n",
            {"kill_timeout": "3s", "experimental": {"attached": {"secrets": {}}}},
        ),
        ("[[services]]\n[[services]]\ninternal_port = 1.9", {"services": [{"internal_port": 1}]}),
        ("[[processes]]\nname = 1\n[[processes]]\ncommand = 'lost'", {"processes": {"1": ""}}),
        ("primary_region = 2024-05-17", {"primary_region": "2024-05-17"}),
        ("swap_size_mb = 64.0", {"swap_size_mb": 64}),
        ("kill_timeout = 1e30", {"kill_timeout": "0s"}),
        ("kill_timeout = nan", {"kill_timeout": "0s"}),
        ("kill_timeout = 9223372036854775807", {"kill_timeout": "-1s"}),
        (
            "deploy = {wait_timeout = 9007199254740993}",
            {"deploy": {"wait_timeout": "2501h59m59.254740992s"}},
        ),
        ("[services]\ninternal_port = inf", {"services": [{"internal_port": -(2**63)}]}),
        ("[services]\nports = {port = '+8'}", {"services": [{"ports": [{"port": 8}]}]}),
        ("[[Mounts]]\nsource = 'lost'", {}),
        ("Vm = [{size = 'lost'}]\nMetrics = [{port = 1}]", {}),
        (
            "Files = [{guest_path = '/a', local_path = 'b'}, {}]\nfiles = [{local_path = 'c'}]",
            {"files": [{"guest_path": "/a", "local_path": "c"}]},
        ),
        (
            "[Deploy]\nrelease_command = 'a'\n[deploy]\nstrategy = 'canary'",
            {"deploy": {"strategy": "canary", "release_command": "a"}},
        ),
        ("Kill_Timeout = '5s'\nkill_timeout = ''", {}),
        (
            "[checks.a]\ntype = 'tcp'\nInterval = '5s'\ninterval = ''",
            {"checks": {"a": {"type": "tcp"}}},
        ),
        (
            "[[checks]]\nname = 'a'\nport = 1\n[[checks]]\nname = 'a'\ntype = 'tcp'",
            {"checks": {"a": {"type": "tcp"}}},
        ),
        ("build = {settings = {a = 9007199254740993}}", {"build": {"settings": {"a": 2**53}}}),
        (
            "http_service = {\n  internal_port = 80, # web\n}",
            {"http_service": {"internal_port": 80}},
        ),
        ('console_command = "\\e\\x41\\u00e9"', {"console_command": "\x1bA\u00e9"}),
        ('console_command = """\na\r\nb"""', {"console_command": "a\nb"}),
    ],
)
def test_spellings(text: str, expected: dict[str, Any]) -> None:
    assert to_json(spec_of(text)) == expected


@pytest.mark.parametrize(
    ("text", "field", "code"),
    [
        ("deploy = {wait_timeout = ''}", "deploy.wait_timeout", "invalid_duration"),
        ("deploy = {wait_timeout = true}", "deploy.wait_timeout", "wrong_type"),
        (
            "[http_service]\nauto_stop_machines = 'maybe'",
            "http_service.auto_stop_machines",
            "unsupported_value",
        ),
        ("vm = {persist_rootfs = 'often'}", "vm.persist_rootfs", "unsupported_value"),
        ("vm = {cpus = true}", "vm.cpus", "wrong_type"),
        ("swap_size_mb = 9e20", "swap_size_mb", "wrong_type"),
        ("swap_size_mb = inf", "swap_size_mb", "wrong_type"),
        ("later = {b = [nan]}\nswap_size_mb = 'x'", "later.b", "wrong_type"),
        ("Build = {image = 1}\nbuild = {image = 'x'}", "build.image", "wrong_type"),
        (
            "http_service = {http_options = {idle_timeout = -0.0}}",
            "http_service.http_options.idle_timeout",
            "wrong_type",
        ),
        (
            "services = {concurrency = '99999999999999999999,1'}",
            "services.concurrency",
            "wrong_type",
        ),
        (f"services = {{internal_port = '{'9' * 5000}'}}", "services.internal_port", "wrong_type"),
        (
            "[[checks]]\nname = 'a'\nheaders = 1\n[[checks]]\nname = 'a'",
            "checks.a.headers",
            "wrong_type",
        ),
        ("[[services]]\nports = 80", "services.ports", "wrong_type"),
        (
            "[[services]]\n[[services.http_checks]]\nheaders = 'x'",
            "services.http_checks.headers",
            "wrong_type",
        ),
        ("[[checks]]\ntype = 'tcp'", "checks", "wrong_type"),
        ("env = 'x'", "env", "wrong_type"),
        ("processes = 'x'", "processes", "wrong_type"),
        ("mount = 'x'", "mounts", "wrong_type"),
        (
            "kill_signal = 1\n[deploy]\nwait_timeout = 'x'",
            "deploy.wait_timeout",
            "invalid_duration",
        ),
    ],
)
def test_first_error_is_the_one_flyctl_names(text: str, field: str, code: str) -> None:
    document = read_fly_toml(f"app = 'x'\n{text}" if not text.startswith("app") else text)
    assert [recorded(error) for error in document.errors] == [
        {"stage": "decode", "field": field, "code": code}
    ]
    assert (document.app, document.spec) == ("x", None)


def test_people_are_told_everything_with_lines() -> None:
    text = """\
app = "x"
swap_size_mb = "64"

[[mounts]]
  source = "a"

[[mounts]]
  snapshot_retention = "5"

[http_service]
  internal_port = "80"
"""
    document = read_fly_toml(text, file="fly.toml")
    assert [(p.place, p.line) for p in document.problems] == [
        ("http_service.internal_port", 11),
        ("mounts[1].snapshot_retention", 8),
        ("swap_size_mb", 2),
    ]
    assert str(document.problems[2]) == (
        "fly.toml:2: swap_size_mb: expected a whole number without quotes, found the text '64'"
        " (write it as a whole number without quotes)"
    )


@pytest.mark.parametrize(
    ("text", "form", "line"),
    [
        ("a = 1\nb =", "toml", 2),
        ("a = 9223372036854775808", "toml", 1),
        ("a = 1e400", "toml", 1),
        ("a = 1\na = 2", "toml", 2),
        ("\ufeffa = 1", "toml", 1),
        ("a = [\n1\n2]", "toml", 3),
        ("a = 1\nb = -1e400", "toml", 2),
        ("[[a]]\n[[a]]\nb = [\n1,\n0xFFFF_FFFF_FFFF_FFFF]", "toml", 3),
        (f"a = {'[' * 5000}", "toml", None),
        (f"a = {'[' * 120}{']' * 120}", "toml", None),
        (f"{'a.' * 120}a = 1", "toml", None),
        (f"a = 1\nb = {'9' * 5000}", "toml", 2),
        ('{"a": NaN}', "json", None),
        (f'{{"a": 1{"0" * 400}}}', "json", None),
        ('{"a": ' + "[" * 100_000, "json", None),
        ("a: " + "[" * 5000, "yaml", 1),
        ('{\n"a": }', "json", 2),
        ("a: 1\nb: [", "yaml", 2),
        ("- a", "yaml", 1),
    ],
)
def test_syntax_errors_have_lines(text: str, form: Any, line: int) -> None:
    (problem,) = read_fly_toml(text, form=form).problems
    assert (problem.code, problem.line) == ("toml_syntax", line)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('app = "x\nb = 1', 'the text is not closed: app = "x'),
        ("app = 'x\nb = 1", "the text is not closed: app = 'x"),
        ("app = 'x\nb = 'y'", "the text is not closed: app = 'x"),
        ("app = '''x\nb = 1", "the text is not closed: app = '''x"),
        ("a = 1\n  kill_timeout = 5 s", "a statement: kill_timeout = 5 s"),
        ("[a.b]\n[a.b]", "cannot declare a.b twice: [a.b]"),
        ("[a]\n[a]", "cannot declare a twice: [a]"),
        ("[a]\nb = [", "invalid value: b = ["),
        ("a = 1\nb = 99999999999999999999", "the number of b is too large"),
        ("a = 1e400", "1e400 is too large a number"),
    ],
)
def test_syntax_errors_show_the_source(text: str, message: str) -> None:
    (problem,) = read_fly_toml(text).problems
    assert problem.message.startswith("not TOML: ")
    assert problem.message.endswith(message)


def test_service_checks_of_http_service_are_warned_about() -> None:
    text = (
        "[http_service]\n[[http_service.checks]]\ninterval = 15\ntimeout = '2m'\ngrace_period = 0"
    )
    assert [(w.place, w.code) for w in read_fly_toml(text).warnings] == [
        ("http_service.checks[0].interval", "raised_to_minimum"),
        ("http_service.checks[0].timeout", "lowered_to_maximum"),
    ]


@pytest.mark.parametrize(
    ("keys", "found"),
    [
        (
            """auto_extend_size_threshold = 80
            auto_extend_size_increment = '2'
            auto_extend_size_limit = '-3'""",
            {
                "auto_extend_size_limit": {"below_minimum", "out_of_range"},
            },
        ),
        (
            "auto_extend_size_threshold = 80\nauto_extend_size_increment = '-1gb'",
            {
                "auto_extend_size_increment": {"invalid_size", "out_of_range"},
                "auto_extend_size_threshold": {"incomplete_auto_extend"},
            },
        ),
        ("initial_size = '0.9gb'", {"initial_size": {"below_minimum"}}),
        ("initial_size = 1.5", {"initial_size": {"below_minimum"}}),
        ("snapshot_retention = 61", {"snapshot_retention": {"out_of_range"}}),
    ],
)
def test_rules_of_mounts(keys: str, found: dict[str, set[str]]) -> None:
    told: dict[str, set[str]] = {}
    for error in read_fly_toml(f"[[mounts]]\n{keys}").errors:
        told.setdefault(recorded(error)["field"].removeprefix("mounts."), set()).add(error.code)
    assert told == found


@pytest.mark.parametrize("image", ["$SCORE_IMAGE", "x y", "nginx@sha256:abc", "."])
def test_an_image_that_is_none_is_refused(image: str) -> None:
    (error,) = read_fly_toml(f"[build]\nimage = '{image}'").errors
    assert (error.place, error.code) == ("build.image", "image_invalid")
    assert repr(image) in error.message
    assert error.hint


def test_config_is_found_in_order(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"no fly\.toml, fly\.json or fly\.yaml .*--config"):
        find_fly_toml(directory=tmp_path)
    with pytest.raises(ConfigError, match=r": has no fly\.toml in it"):
        find_fly_toml(tmp_path)
    for name in ("fly.yaml", "fly.json", "fly.toml"):
        (tmp_path / name).write_text("{}" if name == "fly.json" else "", "utf-8")
        assert find_fly_toml(directory=tmp_path) == tmp_path / name
    assert find_fly_toml(tmp_path) == tmp_path / "fly.toml"
    with pytest.raises(ConfigError, match=r"other\.toml: there is no such file \(check the path"):
        find_fly_toml(tmp_path / "other.toml")


def test_loading_refuses_with_all_problems(tmp_path: Path) -> None:
    path = tmp_path / "fly.toml"
    path.write_text(
        "app = 'x'\nscaling = 1\n[[restart]]\n[[mounts]]\ninitial_size = 'big'\n", "utf-8"
    )
    with pytest.raises(ConfigError) as caught:
        read_document(path).accepted()
    assert [(p.place, p.code) for p in caught.value.problems] == [
        ("restart[0].policy", "unsupported_value"),
        ("mounts[0].initial_size", "invalid_size"),
    ]
    assert all(p.file == str(path) for p in caught.value.problems)
    path.write_text("app = 'x'\nscaling = 1\n", "utf-8")
    assert read_document(path).accepted().app == "x"


def test_unreadable_files_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "fly.toml"
    with pytest.raises(ConfigError, match="cannot be read"):
        read_document(path).accepted()
    path.write_bytes(b"app = '\xff'")
    with pytest.raises(ConfigError, match="not UTF-8 at byte 7"):
        read_document(path).accepted()
