"""The reference pages have all that the code has."""

from __future__ import annotations

import re

import asyncclick as click
import attrs
import pytest

import fly_emulator
import score_flyio
from fly_machines import OPERATIONS
from score_flyio import errors
from score_flyio.base.json_schema import members_of
from score_flyio.cli.examples import EXAMPLES
from score_flyio.cli.main import root
from score_flyio.cli.schemas import FORMS
from score_flyio.cli.table import COMMANDS
from score_flyio.convert.build import KEYS as BUILD_KEYS
from score_flyio.convert.services import KEYS as SERVICE_KEYS
from website import annotations as of_score
from website import api, commands, environment, events, faults, outputs
from website import errors as codes
from website.pages import GENERATED
from website.source import texts_of_fields


def every_command() -> dict[str, click.Command]:
    """By what is typed after the program's name."""
    found: dict[str, click.Command] = {}
    for name in COMMANDS:
        command = root.get_command(click.Context(root), name)
        assert command is not None
        found[name] = command
        if isinstance(command, click.Group):
            found |= {f"{name} {each}": child for each, child in command.commands.items()}
    return found


def section(page: str, title: str) -> str:
    """What stands below a heading, up to the next one."""
    for level in ("### ", "#### "):
        after = page.partition(f"\n{level}{title}\n")[2]
        if after:
            return re.split(r"\n#{2,4} [a-zA-Z]", after, maxsplit=1)[0]
    raise AssertionError(title)


def test_every_command_has_its_options() -> None:
    page = commands.page()
    everywhere = {p.name for p in root.params} | {"help"}
    for name, command in every_command().items():
        shown = section(page, name)
        assert f"score-flyio {name}" in shown
        for option in command.params:
            hidden = getattr(option, "hidden", False) or option.name in everywhere
            if isinstance(option, click.Option) and not hidden:
                assert all(word in shown for word in option.opts), (name, option.opts)
                assert option.help
                assert option.help.split()[0] in shown


def test_every_command_has_its_examples() -> None:
    page = commands.page()
    for path, examples in EXAMPLES.items():
        assert all(
            f"\nscore-flyio {f'{path} {rest}'.strip()}\n" in (section(page, path) if path else page)
            for rest, _ in examples
        )


def test_every_global_option_is_there_once() -> None:
    page = commands.page()
    assert page.count("`-q, --quiet`") == 1
    for option in root.params:
        assert option.opts[-1] in page


def test_every_variable_that_the_code_reads_is_explained() -> None:
    told = {name for group in environment.GROUPS.values() for name in group}
    assert environment.read_by_the_code() == told
    assert all(f"| `{name}` |" in environment.page() for name in told)
    assert {"FLY_API_TOKEN", "SCORE_FLYIO_STATE", "AWS_REGION", "DOCKER_HOST"} <= told


def test_every_event_has_its_members() -> None:
    page = events.page()
    for kind, cls in events.kinds().items():
        shown = page.partition(f"\n## {kind}\n")[2].partition("\n## ")[0]
        for field in attrs.fields(cls):
            if field.name not in {"seq", "at", "scope"}:
                assert f"| `{field.name}` |" in shown
                assert texts_of_fields(cls)[field.name]
    assert len(events.kinds()) > 25


def test_every_document_has_its_members() -> None:
    page = outputs.page()
    for name in FORMS:
        assert f"| `{name}` |" in page
    for cls in outputs.classes():
        shown = section(page, cls.__name__.removesuffix("Document"))
        assert all(f"| `{member}` |" in shown for member in members_of(cls))
        assert cls.__doc__
    assert len(outputs.classes()) > 50


def test_every_code_of_an_error_is_there() -> None:
    page = codes.page()
    for name in dir(errors):
        thing = getattr(errors, name)
        if isinstance(thing, type) and issubclass(thing, errors.ScoreFlyError):
            assert f"| `{thing.code}` | {thing.exit_code} |" in page
    assert all(f"`{code}`" in page or f"\n### {code}\n" in page for code in codes.codes())


@pytest.mark.parametrize(
    "code",
    ["annotation_unknown", "token_missing", "out_of_range", "app_missing", "file_unreadable"],
)
def test_codes_of_single_problems_are_found(code: str) -> None:
    (*found,) = (each for each in codes.said() if each.code == code)
    assert any(each.message.replace("…", "").strip() for each in found)


def test_every_annotation_is_there() -> None:
    assert list(of_score.SERVICE) == list(SERVICE_KEYS)
    assert list(of_score.BUILD) == list(BUILD_KEYS)
    page = of_score.page()
    assert all(f"service-PORT-{key}`" in page for key in SERVICE_KEYS)
    assert all(f"/build-{key}`" in page for key in BUILD_KEYS)


def test_every_operation_that_can_fail_is_there() -> None:
    page = faults.page()
    assert all(f"| `{operation.id}` |" in page for operation in OPERATIONS)
    for rule in ("503 p=0.1; seed=7", "changes: lost times=1", "latency=0.2..1"):
        assert f"`{rule}`" in page
        fly_emulator.parse_faults(rule)


def test_every_public_name_is_there() -> None:
    page = api.page()
    for module in api.MODULES:
        for name in api.names(module):
            assert f"\n### {name}\n" in page
    assert set(api.names(score_flyio)) > {"Engine", "Project"}


@pytest.mark.parametrize("path", sorted(GENERATED))
def test_no_page_has_a_place_of_this_computer(path: str) -> None:
    text = GENERATED[path]()
    assert "object at 0x" not in text
    assert "/site-packages/" not in text
