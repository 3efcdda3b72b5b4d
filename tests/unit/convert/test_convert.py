from __future__ import annotations

import base64
import hashlib
from typing import Any

import pytest

from score_flyio.convert import Conversion
from score_flyio.errors import InputError
from score_flyio.flytoml import read_fly_toml, to_workload_toml
from score_flyio.score.placeholders import PENDING
from score_flyio.score.resources import Outputs
from tests.unit.flytoml.conversions import RESOURCE, annotated, container, converted, toml


def _failure(text: str, **options: Any) -> InputError:
    with pytest.raises(InputError) as failure:
        converted(text, **options)
    return failure.value


def _keys(conversion: Conversion) -> list[str]:
    return [notice.key for notice in conversion.notices]


PORT = {"internal_port": 8080, "min_machines_running": 0, "protocol": "tcp"}


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("", {}),
        ("args: [serve, '']\n", {"experimental": {"cmd": ["serve", ""]}}),
        ("command: [/bin/w]\nargs: []\n", {"experimental": {"entrypoint": ["/bin/w"]}}),
        ("variables: {B: '${metadata.name}', A: '$$x'}\n", {"env": {"A": "$x", "B": "shop"}}),
        ("resources: {}\n", {"vm": {"cpus": 1, "memory": "256MB"}}),
        ("resources: {limits: {memory: 1.5Gi}}\n", {"vm": {"cpus": 1, "memory": "1536MB"}}),
        ("resources: {requests: {cpu: '3'}}\n", {"vm": {"cpus": 4, "memory": "1024MB"}}),
        ("resources: {requests: {cpu: '5'}, limits: {memory: 4Gi}}\n",
         {"vm": {"cpus": 6, "memory": "4096MB"}}),
        ("volumes: {/data: {source: 'd_${metadata.name}', path: /, readOnly: false}}\n",
         {"mounts": [{"source": "d_shop", "destination": "/data"}]}),
        ("files: {/b: {content: ''}, /a: {content: \"x\\n'${metadata.name}'\"}}\n",
         {"files": [{"guest_path": "/b", "raw_value": ""},
                    {"guest_path": "/a", "raw_value": "x\n'shop'"}]}),
        ("files: {/a: {content: '${metadata.no}', noExpand: true}}\n",
         {"files": [{"guest_path": "/a", "raw_value": "${metadata.no}"}]}),
        ("files: {/a: {source: ./plain.txt}, /b: {source: tmpl.txt}, /c: {source: logo, noExpand: true}}\n",
         {"files": [{"guest_path": "/a", "local_path": "svc/plain.txt"},
                    {"guest_path": "/b", "raw_value": "for shop"},
                    {"guest_path": "/c", "local_path": "svc/logo"}]}),
        ('files: {/a: {binaryContent: "aM\\nOp\\n"}}\n',
         {"files": [{"guest_path": "/a", "raw_value": "hé"}]}),
        ("files: {/a: {binaryContent: aMOp}}\n",
         {"files": [{"guest_path": "/a", "raw_value": "hé"}]}),
    ],
)  # fmt: skip
def test_container(body: str, expected: dict[str, Any]) -> None:
    conversion = converted(container(body))
    assert toml(conversion) == expected
    assert not conversion.secrets
    assert not conversion.notices


def test_image() -> None:
    assert converted(container("")).spec.build is not None
    build = converted("containers: {main: {image: .}}\n").spec.build
    assert build is not None
    assert (build.dockerfile, build.ignorefile) == ("svc/Dockerfile", "svc/.dockerignore")


BUILD = "score-flyio.astromechza.github.com/build-"


def test_annotations_of_builds() -> None:
    text = f"""\
  annotations:
    {BUILD}dockerfile: docker/web
    {BUILD}context: ..
    {BUILD}target: prod
    {BUILD}args: '{{"A": "1"}}'
containers: {{main: {{image: IMAGE}}}}
"""
    build = converted(text.replace("IMAGE", ".")).spec.build
    assert build is not None
    assert (build.dockerfile, build.build_target, build.args) == (
        "svc/docker/web",
        "prod",
        {"A": "1"},
    )
    ignored = converted(text.replace("IMAGE", "nginx"))
    assert [notice.code for notice in ignored.notices] == ["annotation_ignored"] * 4
    assert ignored.spec.build is not None
    assert not ignored.spec.build.dockerfile


@pytest.mark.parametrize("args", ["{", "[]", '{"A": 1}'])
def test_build_arguments_that_are_none(args: str) -> None:
    text = f"""\
  annotations: {{{BUILD}args: '{args}'}}
containers: {{main: {{image: .}}}}
"""
    failure = _failure(text)
    assert failure.code == "annotation_invalid"
    assert f"{BUILD}args" in str(failure)


def test_bytes_that_are_no_text_go_beside_the_fly_toml() -> None:
    text = container("files: {/logo: {binaryContent: iVBOR/8A}}\n")
    conversion = converted(text, side_folder="out")
    ((path, data),) = conversion.side_files.items()
    assert data == base64.b64decode("iVBOR/8A")
    assert path.startswith("out/fly_shop.")
    assert toml(conversion)["files"] == [{"guest_path": "/logo", "local_path": path}]
    assert converted(text, side_folder="out").side_files == conversion.side_files


def test_a_secret_makes_the_whole_variable_secret() -> None:
    body = "variables: {OPEN: '${resources.db.host}', URL: 'x:${resources.db.password}@'}\n"
    conversion = converted(container(body) + RESOURCE)
    assert toml(conversion) == {"env": {"OPEN": "db.internal"}}
    assert {name: secret.reveal() for name, secret in conversion.secrets.items()} == {
        "URL": "x:s3cret@"
    }
    assert _keys(conversion) == ["secret_variable:URL"]
    assert "s3cret" not in repr(conversion)


def test_a_file_with_a_secret() -> None:
    body = "files: {/run/t: {content: 't=${resources.db.password}'}}\n"
    conversion = converted(container(body) + RESOURCE)
    name = hashlib.sha256(b"shopmain/run/t").hexdigest()
    assert toml(conversion) == {"files": [{"guest_path": "/run/t", "secret_name": name}]}
    assert conversion.secrets[name].reveal() == base64.b64encode(b"t=s3cret").decode()
    assert _keys(conversion) == ["secret_file:/run/t"]


@pytest.mark.parametrize(("target", "prefix"), [("/run/b", "file_"), ("/run/t", "")])
def test_names_of_secrets_for_files_do_not_start_with_a_digit(target: str, prefix: str) -> None:
    body = f"files: {{{target}: {{content: 't=${{resources.db.password}}'}}}}\n"
    conversion = converted(container(body) + RESOURCE)
    name = prefix + hashlib.sha256(f"shopmain{target}".encode()).hexdigest()
    assert name[0].isalpha()
    assert list(conversion.secrets) == [name]
    assert toml(conversion) == {"files": [{"guest_path": target, "secret_name": name}]}


@pytest.mark.parametrize(
    ("source", "name"),
    [
        ("my-volume", "my_volume"),
        ("My_Vol", "my_vol"),
        ("d" * 31, "d" * 30),
        ("größe", "gr__e"),
    ],
)
def test_names_that_no_volume_can_have(source: str, name: str) -> None:
    conversion = converted(container(f"volumes: {{/data: {{source: {source}}}}}\n"))
    assert toml(conversion) == {"mounts": [{"source": name, "destination": "/data"}]}
    (notice,) = conversion.notices
    assert notice.key == "volume_renamed:/data"
    assert source in str(notice)
    assert name in str(notice)


@pytest.mark.parametrize("output", ["", ".source"])
def test_the_volume_of_a_resource(output: str) -> None:
    body = f"volumes: {{/data: {{source: '${{resources.disk{output}}}'}}}}\n"
    text = container(body) + "resources: {disk: {type: volume}}\n"
    conversion = converted(text, outputs={"disk": Outputs({"source": "shop_disk"})})
    assert toml(conversion) == {"mounts": [{"source": "shop_disk", "destination": "/data"}]}


@pytest.mark.parametrize("source", ["${resources.db}", "x${resources.db}", "${resources}"])
def test_resources_that_are_no_source_of_a_volume(source: str) -> None:
    failure = _failure(container(f"volumes: {{/d: {{source: '{source}'}}}}\n") + RESOURCE)
    assert failure.code == "placeholder_invalid"


def test_a_volume_whose_name_is_not_known_yet() -> None:
    body = "volumes: {/data: {source: '${resources.db.source}'}}\n"
    conversion = converted(container(body) + RESOURCE, outputs={}, known_later=True)
    assert toml(conversion) == {"mounts": [{"source": PENDING, "destination": "/data"}]}
    assert not conversion.notices


def test_a_source_that_is_no_text_is_taken_as_it_is() -> None:
    conversion = converted(container("files: {/a: {source: logo}}\n"))
    assert toml(conversion) == {"files": [{"guest_path": "/a", "local_path": "svc/logo"}]}


def test_resources_to_come() -> None:
    text = container("variables: {H: 'h ${resources.db.host}'}\n") + RESOURCE
    conversion = converted(text, outputs={}, known_later=True)
    assert toml(conversion) == {"env": {"H": f"h {PENDING}"}}
    assert _failure(text, outputs={}).code == "placeholder_invalid"


def test_services_in_order_of_ports() -> None:
    ports = "{bb: {port: 80}, dns: {port: 53, targetPort: 5353, protocol: UDP}, aa: {port: 53}}"
    services = toml(converted(container("") + f"service: {{ports: {ports}}}\n"))["services"]
    found = [(each["ports"], each["protocol"], each["internal_port"]) for each in services]
    assert found == [
        ([{"port": 53}], "tcp", 53),
        ([{"port": 53}], "udp", 5353),
        ([{"port": 80}], "tcp", 80),
    ]


@pytest.mark.parametrize(
    ("annotations", "expected"),
    [
        ("service-web-handlers: tls, http", {"ports": [{"port": 443, "handlers": ["tls", "http"]}]}),
        ("service-web-handlers: ''", {}),
        ("service-web-auto-stop: suspend",
         {"auto_stop_machines": "suspend", "auto_start_machines": True}),
        ("service-web-min-running: '+2'", {"min_machines_running": 2}),
        ("service-web-http-options: 'null'", {}),
        ("service-web-http-options: '{\"idle_timeout\": 60.0, \"compress\": false}'",
         {"ports": [{"port": 443, "http_options": {"idle_timeout": 60, "compress": False}}]}),
        ("service-web-http-options: '{\"response\": {\"headers\": {\"X\": false, \"Y\": [\"a\"]}}}'",
         {"ports": [{"port": 443, "http_options": {"response": {"headers": {"X": False, "Y": ["a"]}}}}]}),
        ("service-web-concurrency: '{\"type\": \"requests\", \"hard_limit\": 25}'",
         {"concurrency": {"type": "requests", "hard_limit": 25}}),
    ],
)  # fmt: skip
def test_annotations(annotations: str, expected: dict[str, Any]) -> None:
    (service,) = toml(converted(annotated(annotations)))["services"]
    assert service == {**PORT, "ports": [{"port": 443}], **expected}
    limits = service.get("concurrency", {})
    assert all(isinstance(value, int | str) for value in limits.values())


def test_annotation_of_a_port_with_dashes() -> None:
    ports = "{web: {port: 80}, web-http: {port: 81}}"
    text = annotated("service-web-http-handlers: http\nservice-web-http-options: '{}'", ports)
    services = toml(converted(text))["services"]
    assert [each["ports"] for each in services] == [
        [{"port": 80}],
        [{"port": 81, "handlers": ["http"]}],
    ]


def test_annotations_without_effect_on_udp() -> None:
    text = annotated(
        "service-dns-handlers: tls\nservice-dns-http-options: no json\nservice-dns-min-running: '1'",
        "{dns: {port: 53, protocol: UDP}}",
    )
    conversion = converted(text)
    assert toml(conversion)["services"][0]["min_machines_running"] == 1
    assert [notice.code for notice in conversion.notices] == ["annotation_ignored"] * 2


def test_a_machine_that_serves_udp_is_started_by_nobody() -> None:
    ports = "{dns: {port: 53, protocol: UDP}}"
    (service,) = toml(converted(annotated("service-dns-auto-stop: 'off'", ports)))["services"]
    assert service["auto_stop_machines"] == "off"
    assert "auto_start_machines" not in service
    with pytest.raises(InputError) as refused:
        converted(annotated("service-dns-auto-stop: stop", ports))
    (problem,) = refused.value.problems
    assert problem.code == "annotation_invalid"
    assert "the proxy starts no machine for UDP" in problem.message


@pytest.mark.parametrize(
    ("annotation", "code", "words"),
    [
        ("restart-policy: always", "annotation_unknown", "restart-policy"),
        ("service-nope-handlers: http", "annotation_unknown", "PORT one of web"),
        ("service-web-handler: http", "annotation_unknown", "did you mean score-flyio.astromechza.github.com/service-web-handlers?"),
        ("build-dockerfiel: x", "annotation_unknown", "github.com/build-dockerfile?"),
        ("build-it: x", "annotation_unknown", "or build-KEY, KEY one of dockerfile, context, target, args"),
        ("service-web-handlers: tls,gopher", "annotation_invalid", "gopher"),
        ("service-web-handlers: 'tls,'", "annotation_invalid", "not a handler"),
        ("service-web-auto-stop: 'true'", "annotation_invalid", "off, stop or suspend"),
        ("service-web-min-running: '-1'", "annotation_invalid", "-1"),
        ("service-web-min-running: '1.0'", "annotation_invalid", "1.0"),
        ("service-web-http-options: '[1]'", "annotation_invalid", "JSON object"),
        ("service-web-http-options: '{'", "annotation_invalid", "not JSON"),
        ("service-web-http-options: '{\"compres\": true}'", "annotation_invalid", "did you mean compress"),
        ("service-web-http-options: '{\"idle_timeout\": -1}'", "annotation_invalid", "whole number from 0"),
        ("service-web-http-options: '{\"compress\": 1}'", "annotation_invalid", "true or false"),
        ("service-web-http-options: '{\"response\": []}'", "annotation_invalid", "an object"),
        ("service-web-concurrency: '{\"type\": \"cats\"}'", "annotation_invalid", "connections or requests"),
        ("service-web-concurrency: '{\"hard_limit\": 2.5}'", "annotation_invalid", "whole number"),
    ],
)  # fmt: skip
def test_wrong_annotations(annotation: str, code: str, words: str) -> None:
    failure = _failure(annotated(annotation))
    assert failure.code == code
    assert words in str(failure)
    assert annotation.partition(":")[0] in str(failure)


READY = "readinessProbe: {httpGet: {path: /r, port: 8080%s}}\n"
ALIVE = "livenessProbe: {httpGet: {path: /l, port: 8080%s}}\n"
WEB = "service: {ports: {web: {port: 80, targetPort: 8080}, two: {port: 443, targetPort: 8080}}}\n"
CHECK = {"type": "http", "port": 8080, "method": "get"}


def test_readiness_belongs_to_the_first_service_of_its_port() -> None:
    body = READY % ", httpHeaders: [{name: A, value: x}]" + ALIVE % ""
    document = toml(converted(container(body) + WEB))
    first, second = document["services"]
    assert first["http_checks"] == [{"method": "get", "path": "/r", "headers": {"A": "x"}}]
    assert "http_checks" not in second
    assert document["checks"] == {"liveness_probe": {**CHECK, "path": "/l"}}


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ("", {}),
        (", scheme: HTTP", {}),
        (", scheme: HTTPS", {"protocol": "https", "tls_skip_verify": True}),
        (", scheme: HTTPS, host: h.example",
         {"protocol": "https", "tls_skip_verify": True, "tls_server_name": "h.example"}),
        (", host: h.example", {"headers": {"Host": "h.example"}}),
    ],
)  # fmt: skip
def test_top_level_checks_keep_scheme_and_host(more: str, expected: dict[str, Any]) -> None:
    checks = toml(converted(container(READY % more)))["checks"]
    assert checks == {"readiness_probe": {**CHECK, "path": "/r", **expected}}


def test_the_host_of_a_plain_service_check_is_told_to_be_lost() -> None:
    text = container(READY % ", host: h") + "service: {ports: {web: {port: 8080}}}\n"
    (notice,) = converted(text).notices
    assert notice.code == "probe_host_ignored"


def test_exec_probes_of_a_single_container_are_ignored_with_a_notice() -> None:
    body = "livenessProbe: {exec: {command: [ls]}, httpGet: {path: /l, port: 8080}}\n"
    conversion = converted(container(body))
    assert toml(conversion)["checks"] == {"liveness_probe": {**CHECK, "path": "/l"}}
    (notice,) = conversion.notices
    assert notice.key == "exec_probe_ignored"
    assert "containers.main.livenessProbe.exec" in str(notice)


@pytest.mark.parametrize(
    ("body", "code", "words"),
    [
        ("volumes: {/d: {source: d, path: sub}}\n", "unsupported_feature", "main"),
        ("volumes: {/d: {source: d, path: ''}}\n", "unsupported_feature", "path"),
        ("volumes: {/d: {source: d, readOnly: true}}\n", "unsupported_feature", "readOnly"),
        ("volumes: {/d: {source: d}, /e: {source: e}}\n", "unsupported_feature", "second volume"),
        ("volumes: {/d: {source: ''}}\n", "unsupported_feature", "no name"),
        ("volumes: {/d: {source: '${resources.db.password}'}}\n", "unsupported_feature", "secret"),
        ("variables: {A: '${resources.db.nope}'}\n", "placeholder_invalid", "resources.db.nope"),
        ("variables: {A: '${resources.db.host.x}'}\n", "placeholder_invalid", "not a map"),
        ("files: {/a: {source: gone}}\n", "file_unreadable", "svc/gone"),
        ("files: {/a: {source: gone, noExpand: true}}\n", "file_unreadable", "[/a].source"),
        ("files: {/a: {source: odd.sh}}\n", "placeholder_invalid", "svc/odd.sh, line 2: "),
        ("files: {/a: {source: odd.sh}}\n", "placeholder_invalid", "set noExpand: true"),
        ("volumes: {/d: {source: d}, /e: {source: d}}\n", "unsupported_feature", "second path"),
        ("files: {/a: {binaryContent: '***'}}\n", "file_invalid", "base64"),
        ("files: {./a/b: {content: x}}\n", "relative_path", "/a/b"),
        ("files: [{target: a, content: x, noExpand: true}]\n", "relative_path", "/a"),
        ("volumes: {data: {source: d}}\n", "relative_path", "/data"),
        ("resources: {limits: {cpu: '9'}}\n", "resource_quantity_invalid", "8 CPUs"),
        ("resources: {limits: {memory: 3Gi}}\n", "resource_quantity_invalid", 'cpu "2"'),
        (
            "resources: {limits: {memory: 1T}}\n",
            "resource_quantity_invalid",
            "1 shared CPU can have (ask for at most 2048Mi with cpu 1; the largest is 16384Mi",
        ),
        ("resources: {limits: {memory: 99E}}\n", "resource_quantity_invalid", "too large"),
    ],
)
def test_what_fly_cannot_do(body: str, code: str, words: str) -> None:
    failure = _failure(container(body) + RESOURCE)
    assert failure.code == code
    assert words in str(failure)
    assert "svc/score.yaml: containers" in str(failure)
    assert "s3cret" not in str(failure)


def test_all_problems_at_once() -> None:
    body = "variables: {A: '${resources.db.a} ${resources.db.b}'}\nfiles: {/a: {source: gone}}\n"
    codes = [problem.code for problem in _failure(container(body) + RESOURCE).problems]
    assert codes == ["placeholder_invalid", "placeholder_invalid", "file_unreadable"]


@pytest.mark.parametrize("name", ["", "a" * 64, "My-app", "a_b", "-a", "a-"])
def test_app_names(name: str) -> None:
    from score_flyio.convert import convert
    from score_flyio.score.load import workload_from_document

    document = {
        "apiVersion": "score.dev/v1b1",
        "metadata": {"name": "shop"},
        "containers": {"main": {"image": "x"}},
    }
    loaded = workload_from_document(document, "score.yaml")
    with pytest.raises(InputError, match="Fly app") as failure:
        convert(loaded, app_name=name, outputs={}, read_file=lambda _: b"")
    assert failure.value.code == "app_name_invalid"


def test_the_written_fly_toml_reads_back_as_the_same_app() -> None:
    body = (
        READY % ", scheme: HTTPS, host: h"
        + ALIVE % ', httpHeaders: [{name: A, value: "it\'s"}]'
        + "variables: {A: \"a\\u0001'\\\"\\\\\\n\", ü: ''}\nargs: [a]\n"
        + "files: {/b: {content: ''}, /a: {content: \"\\r\\n\\t\\0\"}, /c: {source: plain.txt}}\n"
        + "volumes: {/data: {source: d}}\nresources: {limits: {cpu: '2'}}\n"
    )
    spec = converted(container(body) + WEB).spec
    document = read_fly_toml(to_workload_toml(spec), file="fly.toml")
    assert document.spec == spec
    assert not document.problems


@pytest.mark.parametrize(
    ("ports", "told"),
    [
        ("{aa: {port: 80}, bb: {port: 80, targetPort: 81}}", "bb: port aa has port 80 of TCP"),
        ("{bb: {port: 80}, aa: {port: 80, protocol: TCP}}", "bb: port aa has port 80 of TCP"),
        ("{aa: {port: 53, protocol: UDP}, bb: {port: 53, protocol: UDP}}", "bb: port aa has port"),
    ],
)
def test_a_port_that_two_names_have(ports: str, told: str) -> None:
    failure = _failure(container("") + f"service: {{ports: {ports}}}\n")
    assert failure.code == "duplicate_port"
    assert f"service.ports.{told}" in str(failure)
