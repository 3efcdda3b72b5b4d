"""Provisioners written as templates: what they see, give, and may not do."""

from __future__ import annotations

import traceback
from pathlib import Path
from typing import Any, NoReturn

import httpx
import pytest

from score_flyio.engine.project import Project
from score_flyio.errors import ConfigError, NoProvisionerError, ProvisionFailed, UsageError
from score_flyio.resources.kinds.command import CommandProvisioner
from score_flyio.resources.kinds.download import LONGEST, download
from score_flyio.resources.provisioner import ProvisionRequest, ProvisionResult
from score_flyio.resources.registry import Means, Registry, project_registry
from score_flyio.resources.template.entry import read_entries
from score_flyio.resources.template.files import fetch, install, installed_in, servers
from score_flyio.resources.template.provisioner import TemplateProvisioner
from score_flyio.resources.template.render import LONGEST as LONGEST_TEXT
from score_flyio.resources.template.surroundings import Surroundings
from score_flyio.score.resources import ResourceUid
from score_flyio.state.model import ProjectState, WorkloadRecord
from score_flyio.state.resources import (
    CommandSpec,
    ProvisionerDefinition,
    ResourceRecord,
    StaticSpec,
)
from score_flyio.state.store import InMemoryStore

ROOT = Path(__file__).resolve().parents[4]
UID = ResourceUid("thing", "default", "shop.db")
ENVIRON = {"LEVEL": "debug: yes", "TOKEN": "s3cr3t-value"}


def no_access() -> NoReturn:
    raise AssertionError("nothing here visits Fly")


def project() -> ProjectState:
    state = ProjectState.new("pfx-")
    ports = {"web": {"port": 80, "targetPort": 8080}, "raw": {"port": 9000, "protocol": "UDP"}}
    resources = {
        "db": {"type": "thing"},
        "env": {"type": "environment"},
        "keys": {"type": "environment", "class": "secret"},
        "gone": {"type": "service", "id": "lost"},
    }
    variables = {
        "A": "${resources.env.LEVEL}",
        "B": "x${resources.keys.TOKEN}",
        "C": "${resources.gone.url}",
    }
    spec: dict[str, Any] = {
        "metadata": {"name": "shop"},
        "service": {"ports": ports},
        "containers": {"main": {"image": "i", "variables": variables}},
        "resources": resources,
    }
    state.workloads["shop"] = WorkloadRecord(spec=spec)
    state.workloads["cart"] = WorkloadRecord(spec={"metadata": {"name": "cart"}})
    return state


def surroundings(*uids: ResourceUid, environ: dict[str, str] | None = None) -> Surroundings:
    state = project()
    for uid in uids:
        state.resources[uid] = ResourceRecord(uid=uid, guid="g", source_workload="shop")
    return Surroundings(state=state, environ=ENVIRON if environ is None else environ)


def provisioner(
    sections: dict[str, str], *, uid: ResourceUid = UID, **more: Any
) -> TemplateProvisioner:
    item = {"uri": "template://t/x", "type": "thing", **more, **sections}
    lines = [f"{key}: {value!r}" for key, value in item.items() if key not in sections]
    for key, text in sections.items():
        block = "\n".join(f"    {line}" for line in text.splitlines())
        lines.append(f"{key}: |\n{block}")
    text = "- " + "\n  ".join(lines) + "\n"
    (entry,) = read_entries(text.encode(), file="x.provisioners.yaml", directory=Path())
    return TemplateProvisioner(entry, lambda: surroundings(uid))


async def given(sections: dict[str, str], **request: Any) -> ProvisionResult:
    settings: dict[str, Any] = {"uid": UID, "guid": "the-guid", **request}
    return await provisioner(sections).provision(ProvisionRequest(**settings))


# --- what they see and give


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("Uid", "thing.default#shop.db"),
        ("Type ~ Class ~ Id", "thingdefaultshop.db"),
        ("Guid", "the-guid"),
        ("Params.size", 3),
        ("Params.items", "a param, not a method"),
        ("Params.missing | default('none')", "none"),
        ("Metadata.note", "n"),
        ("SourceWorkload", "shop"),
        ("AppPrefix", "pfx-"),
        ("Apps.cart", "pfx-cart"),
        ("WorkloadServices.shop.ServiceName", "pfx-shop"),
        ("WorkloadServices.shop.Ports.web.TargetPort", 8080),
        ("WorkloadServices.shop.Ports['80'].Name", "web"),
        ("WorkloadServices.shop.Ports.raw.TargetPort", 9000),
        ("WorkloadServices.shop.Ports.raw.Protocol", "UDP"),
        ("State.old", "kept"),
        ("Shared.all", "ours"),
        ("env('LEVEL')", "debug: yes"),
        ("env('NOT_SET', 'fallback')", "fallback"),
        ("'A b.c' | volume_name", "a_b_c"),
        ("'<&>' | tojson", '"<&>"'),
    ],
)
async def test_templates_see(expression: str, value: Any) -> None:
    result = await given(
        {"outputs": f"x: {{{{ ({expression}) | tojson }}}}"},
        params={"size": 3, "items": "a param, not a method"},
        metadata={"note": "n"},
        state={"old": "kept"},
        shared={"all": "ours"},
    )
    assert result.values == {"x": value}


async def test_each_section_sees_those_before_it() -> None:
    result = await given(
        {
            "init": "name: db-{{ Guid }}",
            "state": "name: {{ Init.name }}\npassword: {{ State.password | default('new') }}",
            "shared": "count: {{ (Shared.count | default(0)) + 1 }}",
            "outputs": "name: {{ State.name }}\ncount: {{ Shared.count }}",
            "secrets": "password: {{ State.password }}",
        },
        state={"password": "old"},
        shared={"count": 4},
    )
    assert result.state == {"name": "db-the-guid", "password": "old"}
    assert result.shared == {"count": 5}
    assert result.values == {"name": "db-the-guid", "count": 5}
    assert result.secrets == {"password": "old"}


async def test_sections_that_are_not_there_say_nothing() -> None:
    result = await given({"outputs": ""})
    assert result == ProvisionResult(values={})


async def test_random_values_stay_once_they_are_in_the_state() -> None:
    sections = {
        "state": "p: {{ State.p | default(random_text(16)) }}\nh: {{ random_hex(9) | tojson }}"
    }
    first = (await given(sections)).state or {}
    again = (await given(sections, state=first)).state or {}
    assert len(first["p"]) == 16
    assert len(first["h"]) == 9
    assert again["p"] == first["p"]


async def test_yaml_words_are_read_as_in_a_score_file() -> None:
    assert (await given({"outputs": "a: yes\nb: 1\nc: true"})).values == {
        "a": "yes",
        "b": 1,
        "c": True,
    }


async def test_there_is_nothing_to_take_away() -> None:
    request = ProvisionRequest(uid=UID, guid="g")
    assert await provisioner({"state": "a: 1"}).deprovision(request) == ProvisionResult()


@pytest.mark.parametrize(("sections", "uses"), [({"shared": "a: 1"}, True), ({"state": ""}, False)])
def test_whether_the_shared_state_changes_is_known_beforehand(
    sections: dict[str, str], uses: bool
) -> None:
    assert provisioner(sections).uses_shared is uses


# --- what goes wrong


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: {{ Params.missing }}", "missing"),
        ("a: {{ nothing }}", "'nothing' is undefined"),
        ("{{ fail('no size given') }}", "no size given"),
        ("- a", "gives a list, not a map"),
        ("a: " + "[" * 120 + "]" * 120, "deeper than 100 levels"),
        ("a", "gives text, not a map"),
        ("a: [", "is not YAML"),
        ("a: 1\na: 2", "is not YAML"),
        ("1: a", "key that is not text"),
        ("a: {{ 1 / 0 }}", "an expression fails (ZeroDivisionError)"),
        ("a: {{ 1 + 'x' }}", "an expression fails (TypeError)"),
        ("a: {{ env('NOT_SET') }}", "the environment variable NOT_SET is not set"),
        (
            "a: {{ env('FLY_API_TOKEN', 'x') }}",
            "the environment variable FLY_API_TOKEN is for score-flyio itself",
        ),
        (
            "a: {{ env('SCORE_FLYIO_STATE_KEY') }}",
            "SCORE_FLYIO_STATE_KEY is for score-flyio itself",
        ),
        (
            "a: {{ env('AWS_SECRET_ACCESS_KEY') }}",
            "AWS_SECRET_ACCESS_KEY is for score-flyio itself",
        ),
    ],
)
async def test_a_failing_template_is_named_with_its_place(text: str, message: str) -> None:
    with pytest.raises(ProvisionFailed) as caught:
        await given({"outputs": text})
    for part in ("x.provisioners.yaml:1", "template://t/x", "thing.default#shop.db", "outputs"):
        assert part in str(caught.value)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    "value",
    [
        *(
            "*sesame",
            "!!int sesame",
            "!!float se`sa`me sesame",
            "!sesame!x y",
            "'sesame",
            "sesame: y",
        ),
        *(
            "&a [*a, sesame]",
            "{sesame: 1, sesame: 2}",
            "{[sesame]: 1}",
            "{{sesame: 1}: 2}",
            "@sesame",
        ),
        *("%sesame", "sesame\nx", "|sesame", '"\\sesame"', "<<: sesame", "!!sesame,x y: z: a"),
    ],
)
@pytest.mark.parametrize("template", ["a: {{ Params.a }}", "{{ Params.a }}", "a: [{{ Params.a }}"])
async def test_values_that_are_no_yaml_are_not_shown(value: str, template: str) -> None:
    """Whoever forgets the filter tojson: a password may have any characters."""
    told: list[str] = []
    try:
        await given({"secrets": template}, params={"a": value})
    except ProvisionFailed as error:
        told = [*traceback.format_exception(error), str(error.hint)]
    assert "sesame" not in "".join(told)


async def test_expected_outputs_must_be_given() -> None:
    subject = provisioner({"outputs": "a: 1"}, expected_outputs=["a", "host"])
    with pytest.raises(ProvisionFailed, match="expected_outputs: not given: host"):
        await subject.provision(ProvisionRequest(uid=UID, guid="g"))


@pytest.mark.parametrize(
    "escape",
    [
        "{{ ''.__class__ }}",
        "{{ ''['__class__'] }}",
        "{{ ().__class__.__bases__[0].__subclasses__() }}",
        "{{ self.__init__.__globals__ }}",
        "{{ env.__globals__ }}",
        "{{ env.__self__ }}",
        "{{ fail.__code__ }}",
        "{{ ''|attr('__class__') }}",
        "{{ 'x'.format.__self__ }}",
        "{{ '{0.__class__}'.format(1) }}",
        "{{ '{0.__class__}'.format_map({'0': 1}) }}",
        "{{ '%s' % Params }}",
        "{{ lipsum.__globals__ }}",
        "{{ cycler }}",
        "{{ namespace() }}",
        "{% include '/etc/passwd' %}",
        "{% import 'os' as os %}",
        "{% extends 'x' %}",
        "{% set _ = State.update({'a': 1}) %}",
        "{% set _ = Shared.clear() %}",
        "{% set _ = Params.pop('size') %}",
        "{{ range(10 ** 9) | list }}",
        "{{ 'x' * 10 ** 9 }}",
        "{{ 2 ** 999999 }}",
        "{% for i in range(99999) %}xxxxxxxxxxxxxxxxxxxx{% endfor %}",
    ],
)
async def test_the_sandbox_refuses(escape: str) -> None:
    state, shared = {"old": "kept"}, {"all": "ours"}
    with pytest.raises(ProvisionFailed):
        await given({"outputs": f"a: {escape}"}, params={"size": 3}, state=state, shared=shared)
    assert (state, shared) == ({"old": "kept"}, {"all": "ours"})
    assert LONGEST_TEXT < 99999 * 20


# --- files

GOOD = """\
- uri: template://mine/thing
  type: thing
  class: small
  description: A small thing.
  outputs: |
    size: small
- uri: template://mine/any
  type: thing
  outputs: |
    size: any
"""


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("a: [", 1, "not YAML"),
        ("a: 1", 1, "must be a list, not a map"),
        ("- 1", 1, "must be a map"),
        ("- uri: template://x", 1, "type is missing"),
        ("- type: x", 1, "uri is missing"),
        ("- uri: template://x\n  type: y\n  typo: 1", 3, "unknown key"),
        ("- uri: oci://x\n  type: y", 1, "is not supported"),
        ("- uri: cmd://\n  type: y", 1, "a program is needed"),
        ("- uri: cmd://sh\n  type: y\n  outputs: a", 3, "no meaning with cmd"),
        ("- uri: template://x\n  type: y\n  args: [a]", 3, "no meaning with template"),
        ("- uri: template://x\n  type: y\n  outputs: {a: 1}", 3, "must be text, not a map"),
        ("- uri: template://x\n  type: y\n  expected_outputs: a", 3, "must be a list"),
        ("- uri: template://x\n  type: y\n  state: |\n    a: 1\n    b: {{ }}", 5, "not a template"),
        (
            "- uri: template://x\n  type: y\n- uri: template://x\n  type: z",
            3,
            "has the same uri",
        ),
    ],
)
def test_a_wrong_file_is_told_with_line_and_uri(text: str, line: int, message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read_entries(text.encode(), file="f.yaml", directory=Path())
    (problem,) = caught.value.problems
    assert (problem.file, problem.line) == ("f.yaml", line)
    assert message in problem.message
    if "x\n" in text or text.endswith("x"):
        assert "://" in problem.message or "uri" in problem.message


def test_a_go_template_is_told_apart() -> None:
    text = "- uri: template://x\n  type: y\n  outputs: |\n    a: {{ .Init.name }}"
    with pytest.raises(ConfigError, match="Jinja2 here, not Go"):
        read_entries(text.encode(), file="f.yaml", directory=Path())


def test_everything_wrong_in_all_files_is_told_at_once(tmp_path: Path) -> None:
    (tmp_path / "a.provisioners.yaml").write_text("- uri: template://x\n- 1")
    (tmp_path / "b.provisioners.yaml").write_bytes(b"\xff")
    with pytest.raises(ConfigError) as caught:
        installed_in(tmp_path, Means(surroundings, no_access))
    assert len(caught.value.problems) == 3


def registry(folder: Path, *added: ProvisionerDefinition) -> Registry:
    return project_registry(added, Means(surroundings, no_access, 9), folder=folder)


def test_templates_make_nothing_and_servers_and_programs_do(tmp_path: Path) -> None:
    (tmp_path / "a.provisioners.yaml").write_text(f"- uri: cmd://sh\n  type: other\n{GOOD}")
    offered = servers(Means(surroundings, no_access)).values()
    found = (*registry(tmp_path).all(), *(definition for definition, _ in offered))
    kinds = {(each.id.partition(":")[0], each.spec.makes_nothing) for each in found}
    assert kinds == {("cmd", False), ("template", True), ("server", False)}


async def outputs(subject: Registry, uid: ResourceUid) -> dict[str, Any]:
    work = subject.build(subject.find(uid))
    return (await work.provision(ProvisionRequest(uid=uid, guid="g"))).values or {}


def test_programs_of_files_get_the_time_of_the_project(tmp_path: Path) -> None:
    (tmp_path / "a.provisioners.yaml").write_text("- uri: cmd://sh\n  type: thing\n")
    subject = registry(tmp_path)
    work = subject.build(subject.find(ResourceUid("thing", "default", "x")))
    assert isinstance(work, CommandProvisioner)
    assert work.timeout == 9


def test_what_comes_with_the_tool_can_be_left_out(tmp_path: Path) -> None:
    means = Means(surroundings, no_access)
    subject = project_registry((), means, folder=tmp_path, defaults=False)
    with pytest.raises(NoProvisionerError):
        subject.find(ResourceUid("postgres", "default", "x"))


async def test_the_first_match_wins_over_files_by_name(tmp_path: Path) -> None:
    (tmp_path / "b.provisioners.yaml").write_text(GOOD)
    (tmp_path / "a.provisioners.yaml").write_text(
        "- uri: template://mine/any\n  type: thing\n  id: only\n  outputs: |\n    size: own\n"
    )
    subject = registry(tmp_path)
    sizes = [
        (await outputs(subject, ResourceUid("thing", class_, id_)))["size"]
        for class_, id_ in (("small", "x"), ("default", "x"), ("small", "only"))
    ]
    assert sizes == ["small", "any", "own"]


async def test_what_was_added_by_command_comes_first(tmp_path: Path) -> None:
    (tmp_path / "a.provisioners.yaml").write_text(GOOD)
    own = ProvisionerDefinition(
        id="own", resource_type="thing", spec=StaticSpec(values={"size": "added"})
    )
    assert await outputs(registry(tmp_path, own), UID) == {"size": "added"}


def test_a_command_of_a_file_is_one_like_any_other(tmp_path: Path) -> None:
    folder = tmp_path / ".score-flyio"
    folder.mkdir()
    (tmp_path / "make.sh").write_text("#!/bin/sh\n")
    (folder / "a.provisioners.yaml").write_text(
        "- uri: cmd://./make.sh\n  type: thing\n  args: [$SCORE_PROVISIONER_MODE]\n"
    )
    found = registry(folder).find(UID)
    program = str((tmp_path / "make.sh").resolve())
    assert found.spec == CommandSpec(binary=program, args=("$SCORE_PROVISIONER_MODE",))


def test_nothing_serves_a_type_that_nobody_knows(tmp_path: Path) -> None:
    with pytest.raises(NoProvisionerError):
        registry(tmp_path).find(UID)
    assert registry(tmp_path).definitions == ()


# --- what comes with score-flyio


INSIDE = {"web": 8080, "raw": 9000}
"""The ports of the workload `shop` as its processes listen."""


def service(host: str, port: int | None = None, ports: Any = None) -> dict[str, Any]:
    app = host.partition(".")[0]
    found = {"name": host, "app": app, "host": host, "hostname": host, "ports": ports or {}}
    return found if port is None else {**found, "port": port, "url": f"http://{host}:{port}"}


def without_own(folder: Path, uid: ResourceUid) -> Registry:
    """The provisioners of a project in the folder that has added none."""
    return project_registry((), Means(lambda: surroundings(uid), no_access), folder=folder)


@pytest.mark.parametrize(
    ("uid", "params", "values", "secrets"),
    [
        ("environment.default#shop.env", {}, {"LEVEL": "debug: yes"}, None),
        ("environment.secret#shop.keys", {}, {}, {"TOKEN": "s3cr3t-value"}),
        ("dns.default#x", {}, {"host": "pfx-shop.fly.dev"}, None),
        (
            "route.default#x",
            {"path": "/api", "port": "web"},
            {"host": "pfx-shop.fly.dev", "path": "/api", "url": "https://pfx-shop.fly.dev/api"},
            None,
        ),
        ("service.default#cart", {}, service("pfx-cart.internal"), None),
        ("service.default#web.cart", {}, service("pfx-cart.internal"), None),
        ("service.default#other.shop", {}, service("pfx-shop.internal", 8080, INSIDE), None),
        (
            "service.default#x",
            {"workload": "shop", "port": "raw"},
            service("pfx-shop.internal", 9000, INSIDE),
            None,
        ),
        (
            "service.flycast#x",
            {"workload": "shop"},
            service("pfx-shop.flycast", 80, {"web": 80, "raw": 9000}),
            None,
        ),
        (
            "service-port.default#x",
            {"workload": "shop", "port": "web"},
            service("pfx-shop.internal", 8080, INSIDE),
            None,
        ),
        (
            "service-port.flycast#x",
            {"workload": "shop", "port": 80},
            service("pfx-shop.flycast", 80, {"web": 80, "raw": 9000}),
            None,
        ),
        ("volume.default#shop.my-data", {}, {"source": "shop_my_data"}, None),
    ],
)
async def test_built_in(
    tmp_path: Path, uid: str, params: dict[str, Any], values: Any, secrets: Any
) -> None:
    parsed = ResourceUid.parse(uid)
    subject = without_own(tmp_path, parsed)
    definition = subject.find(parsed)
    assert subject.named(definition.id) == definition
    request = ProvisionRequest(uid=parsed, guid="g", params=params)
    result = await subject.build(definition).provision(request)
    assert (result.values, result.secrets) == (values, secrets)


@pytest.mark.parametrize(
    ("uid", "params", "values"),
    [
        ("service.default#web.who", {}, service("pfx-who.internal")),
        ("service.flycast#web.who", {}, service("pfx-who.flycast")),
        ("service.default#who", {"port": 7}, service("pfx-who.internal", 7)),
        (
            "service-port.default#x",
            {"workload": "who", "port": "7"},
            service("pfx-who.internal", 7),
        ),
    ],
)
async def test_a_workload_that_is_not_there_yet_is_a_warning(
    tmp_path: Path, uid: str, params: dict[str, Any], values: Any
) -> None:
    parsed = ResourceUid.parse(uid)
    subject = without_own(tmp_path, parsed)
    request = ProvisionRequest(uid=parsed, guid="g", params=params)
    result = await subject.build(subject.find(parsed)).provision(request)
    assert result.values == values
    (warning,) = result.warnings
    assert "no workload 'who' in the project yet" in warning
    assert "pfx-who" in warning


@pytest.mark.parametrize(
    ("uid", "params", "message"),
    [
        ("environment.default#shop.env", {}, "LEVEL is not set"),
        ("service.default#lost", {}, "port of workload 'lost' is not known before it is in"),
        ("service-port.default#x", {"workload": "shop"}, "workload and port are needed"),
        ("service-port.default#x", {"workload": "shop", "port": 1}, "has no port '1'"),
        ("service-port.default#x", {"workload": "who", "port": "web"}, "'who' is not known before"),
        ("service-port.default#x", {"workload": "cart", "port": 1}, "'cart' has no port '1'"),
        ("route.default#x", {"port": 1}, "has no port '1'"),
    ],
)
async def test_built_in_refuses(
    tmp_path: Path, uid: str, params: dict[str, Any], message: str
) -> None:
    parsed = ResourceUid.parse(uid)
    means = Means(lambda: surroundings(parsed, environ={}), no_access)
    subject = project_registry((), means, folder=tmp_path)
    request = ProvisionRequest(uid=parsed, guid="g", params=params)
    with pytest.raises(ProvisionFailed, match=message):
        await subject.build(subject.find(parsed)).provision(request)


# --- installing


def test_an_installed_file_comes_before_older_ones_and_replaces_its_own(tmp_path: Path) -> None:
    own = tmp_path / "zz-own.provisioners.yaml"
    own.write_text("[]")
    first = install(tmp_path, GOOD.encode(), source="https://example.com/a.yaml", now=1000)
    second = install(tmp_path, GOOD.encode(), source="b.provisioners.yaml", now=2000)
    assert sorted(tmp_path.iterdir()) == [second, first, own]
    third = install(tmp_path, b"[]", source="https://example.com/a.yaml", now=3000)
    assert sorted(tmp_path.iterdir()) == [third, second, own]
    assert third.name.endswith(".a.provisioners.yaml")


def test_a_wrong_file_is_not_installed(tmp_path: Path) -> None:
    subject = Project(tmp_path, InMemoryStore())
    for content in (b"- 1", b"\xff"):
        with pytest.raises(ConfigError):
            subject.install_provisioners([("x.yaml", GOOD.encode()), ("y.yaml", content)], now=1000)
    assert list(tmp_path.iterdir()) == []


async def test_files_are_fetched_from_paths_and_stdin(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(GOOD)
    assert await fetch("a.yaml", directory=tmp_path, stdin=str) == [("a.yaml", GOOD.encode())]
    assert await fetch("-", directory=tmp_path, stdin=lambda: GOOD) == [("-", GOOD.encode())]
    with pytest.raises(ConfigError, match=r"not-there\.yaml cannot be read"):
        await fetch("not-there.yaml", directory=tmp_path, stdin=str)
    with pytest.raises(UsageError, match="oci:// is not supported"):
        await fetch("oci://x/y", directory=tmp_path, stdin=str)


async def test_files_are_fetched_from_urls() -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/moved":
            return httpx.Response(302, headers={"location": "/good"})
        if request.url.path == "/long":
            return httpx.Response(200, content=b"x" * (LONGEST + 1))
        good = request.url.path == "/good"
        return httpx.Response(200 if good else 404, content=GOOD.encode())

    transport = httpx.MockTransport(answer)
    assert await download("https://x.example/moved", transport=transport) == GOOD.encode()
    with pytest.raises(ConfigError, match="answered 404"):
        await download("https://u:secret@x.example/gone", transport=transport)
    with pytest.raises(ConfigError, match="longer than"):
        await download("https://x.example/long", transport=transport)


# --- the documentation


async def test_the_documented_example_works() -> None:
    text = (ROOT / "docs" / "provisioners.md").read_text().split("```yaml\n")[1].split("```")[0]
    (entry,) = read_entries(text.encode(), file="docs", directory=Path())
    uid = ResourceUid("s3", "small", "assets")
    served = entry.definition
    identity = (served.resource_type, served.resource_class, served.resource_id)
    assert identity == (uid.type, uid.class_, uid.id)
    subject = TemplateProvisioner(entry, lambda: surroundings(uid))
    result = await subject.provision(ProvisionRequest(uid=uid, guid="the-guid"))
    assert result.values == {
        "endpoint": "https://objects.example.com",
        "bucket": "b-the-guid",
    }
    assert result.shared == {"buckets": {"the-guid": "b-the-guid"}}
    again = ProvisionRequest(uid=uid, guid="the-guid", state=result.state or {})
    assert (await subject.provision(again)).secrets == result.secrets


def test_the_documented_built_in_ones_are_there(tmp_path: Path) -> None:
    documented = (ROOT / "docs" / "provisioners.md").read_text()
    templates, _ = registry(tmp_path).built_in
    for definition, _ in templates().values():
        class_ = definition.resource_class
        assert f"| `{definition.resource_type}` | `{class_}`" in documented or class_ is None
        assert f"| `{definition.resource_type}` |" in documented
