"""Files written for score-compose and score-k8s: each construct is told, with what to write here."""

from __future__ import annotations

from pathlib import Path

import pytest

from score_flyio.errors import ConfigError
from score_flyio.resources.template.entry import read_entries
from score_flyio.resources.template.go import go_expressions


@pytest.mark.parametrize(
    ("go", "ours"),
    [
        ("{{ .Init.name }}", "{{ Init.name }}"),
        ("{{.Id}}", "{{ Id }}"),
        ("{{- .State.a -}}", "{{ State.a }}"),
        ("{{ $x }}", "{{ x }}"),
        ('{{ $x := "a" }}', '{% set x = "a" %}'),
        ("{{ .Params.a | quote }}", "{{ Params.a | tojson }}"),
        ("{{ .Params | toRawJson }}", "{{ Params | tojson }}"),
        ('{{ .Params.a | default "b" | quote }}', '{{ Params.a | default("b") | tojson }}'),
        ('{{ default "b" .Params.a }}', '{{ Params.a | default("b") }}'),
        ('{{ dig "a" "" .Params }}', '{{ Params["a"] | default("") }}'),
        (
            '{{ dig "a" "b" 1 .State }}',
            '{{ (State["a"] | default({}))["b"] | default(1) }}',
        ),
        ("{{ randAlphaNum 16 }}", "{{ random_text(16) }}"),
        (
            '{{ dig "p" (randAlphaNum 9 | quote) .State }}',
            '{{ State["p"] | default((random_text(9) | tojson)) }}',
        ),
        ('{{ if eq .Class "x" }}', '{% if Class == "x" %}'),
        ("{{ if not .A }}", "{% if not A %}"),
        ("{{ else if .B }}", "{% elif B %}"),
        ("{{ else }}", "{% else %}"),
        ("{{ range .Params.a }}", "{% for item in Params.a %}"),
        ("{{ range $k, $v := .Params }}", "{% for k, v in Params.items() %}"),
        ("{{ with .Params.a }}", "{% set item = Params.a %}{% if item %}"),
        ("{{ with $x := .Params.a }}", "{% set x = Params.a %}{% if x %}"),
        ("{{ .Id | lower | trunc 47 }}", "{{ (Id | lower)[:47] }}"),
        ('{{ .Id | replace "." "-" }}', '{{ Id | replace(".", "-") }}'),
        ('{{ trimPrefix "a" .Id | quote }}', '{{ Id.removeprefix("a") | tojson }}'),
        ('{{ if hasPrefix "a" .Id }}', '{% if Id.startswith("a") %}'),
        ("{{ toYaml .Params | nindent 4 }}", "{{ Params | tojson }}"),
        ('{{ list "a" .Id }}', '{{ ["a", Id] }}'),
        ('{{ dict "a" .Id }}', '{{ {"a": Id} }}'),
        (
            "{{ $w := (index .WorkloadServices .Init.name) }}",
            "{% set w = (WorkloadServices[Init.name]) %}",
        ),
        ("{{ substr 0 8 .Guid | lower }}", "{{ Guid[0:8] | lower }}"),
        ("{{ print .Params.port }}", "{{ Params.port }}"),
        ('{{ encodeSecretRef .State.a "b" }}', None),
        ("{{ .MountsDirectory }}", None),
        ('{{ define "x" }}', None),
        ("{{ . }}", None),
        ('{{ index .Shared "a" "b" }}', '{{ Shared["a"]["b"] }}'),
        ('{{ printf "%s-%s" .Id .Guid }}', '{{ Id ~ "-" ~ Guid }}'),
        ('{{ splitList "." .Id | last }}', '{{ Id.split(".") | last }}'),
        ('{{ env "A" }}', '{{ env("A") }}'),
        ('{{ fail "no" }}', '{{ fail("no") }}'),
        ("{{ (.Params.a | toJson) }}", "{{ (Params.a | tojson) }}"),
        ("{{ genPrivateKey .A }}", None),
        ('{{ template "x" . }}', None),
        ("{{/* a comment */}}", None),
        ("{{ .A | }}", None),
        ("{{ (.A }}", None),
    ],
)
def test_go_is_told_with_our_syntax(go: str, ours: str | None) -> None:
    (found,) = go_expressions(f"a\nb: {go}\n")
    assert (found.text, found.line, found.ours) == (go, 2, ours)
    assert "not Go" in found.hint


def test_blocks_end_as_they_begin() -> None:
    found = go_expressions("{{ range .A }}{{ if .B }}{{ end }}{{ end }}")
    assert [each.ours for each in found][-2:] == ["{% endif %}", "{% endfor %}"]


@pytest.mark.parametrize(
    ("go", "ours"),
    [
        (
            "{{ range .A }}{{ .b }}{{ $.Id }}{{ . }}{{ end }}{{ .c }}",
            "{% for item in A %}{{ item.b }}{{ Id }}{{ item }}{% endfor %}{{ c }}",
        ),
        (
            "{{ range $k, $v := .A }}{{ if .b }}{{ $k }}{{ end }}{{ end }}",
            "{% for k, v in A.items() %}{% if v.b %}{{ k }}{% endif %}{% endfor %}",
        ),
        (
            "{{ with .A }}{{ range .b }}{{ .c }}{{ end }}{{ else }}{{ .d }}{{ end }}",
            (
                "{% set item = A %}{% if item %}{% for item in item.b %}{{ item.c }}{% endfor %}"
                "{% else %}{{ d }}{% endif %}"
            ),
        ),
        (
            "{{ if genCA .A }}{{ .b }}{{ end }}{{ .c }}",
            "None{{ b }}{% endif %}{{ c }}",
        ),
    ],
)
def test_a_dot_is_what_the_block_makes_of_it(go: str, ours: str) -> None:
    assert "".join(str(each.ours) for each in go_expressions(go)) == ours


@pytest.mark.parametrize(
    "text",
    [
        "{{ Init.name }}",
        '{{ Params.a | default("b") | tojson }}',
        '{{ "a" ~ b.c ~ ".d" }}',
        "{{ a if b else c }}",
        "{{ not a }}",
        "{{ x in y }}",
        "{{ a.b() }}",
        "{{ range(3) | list }}",
        "{% for a, b in c.items() %}{{ a }}{% endfor %}",
        '{{ a | join(", ") }}',
        "{{ a | first | upper }}",
        "{{ }}",
        "{{ 1.5 }}",
        "no template: .A $b",
    ],
)
def test_what_is_ours_is_left_alone(text: str) -> None:
    assert go_expressions(text) == []


def told(text: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        read_entries(text.encode(), file="f.yaml", directory=Path())
    return [str(problem) for problem in caught.value.problems]


HEAD = "- uri: template://x\n  type: y\n"


def test_a_template_is_told_with_file_line_and_our_syntax() -> None:
    (problem,) = told(HEAD + "  outputs: |\n    a: b\n    c: {{ .Init.name | quote }}\n")
    assert problem.startswith("f.yaml:5: [0].outputs:")
    assert "{{ Init.name | tojson }}" in problem


def test_of_many_expressions_the_first_are_told() -> None:
    lines = "".join(f"    k{n}: {{{{ .Init.k{n} }}}}\n" for n in range(9))
    problems = told(HEAD + "  outputs: |\n" + lines)
    assert len(problems) == 4
    assert "6 more" in problems[-1]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (HEAD + "  manifests: |\n    - kind: Pod\n", "manifests is for Kubernetes (score-k8s)"),
        (HEAD + "  services: |\n    a: {}\n", "services is for Compose (score-compose)"),
        (HEAD + "  volumes: |\n    a: {}\n", "volumes is for Compose (score-compose)"),
        (HEAD + "  networks: |\n    a: {}\n", "networks is for Compose (score-compose)"),
        (HEAD + "  info_logs: |\n    - a\n", "leave it out"),
        ("- uri: local-env://x\n  type: environment\n", 'env("NAME") in a template'),
    ],
)
def test_what_belongs_to_other_tools_is_told_as_theirs(text: str, message: str) -> None:
    (problem,) = told(text)
    assert message in problem
    assert "f.yaml:" in problem


@pytest.mark.parametrize("text", ["{{- " * 20_000, '{{ "' * 20_000, "{{ a " * 20_000 + "}"])
def test_what_is_never_closed_is_no_expression(text: str) -> None:
    """A search that began anew at each of them took minutes."""
    assert go_expressions(text) == []
