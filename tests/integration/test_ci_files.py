"""The GitHub action, the GitLab templates and samples/ci: every job's steps run in a clean folder."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from attrs import field, frozen

from tests.cli.platform import TOKEN, Platform, platform
from tests.integration.state_servers import BUCKET, S3Server, s3_server
from tests.meta.source import ROOT

SAMPLES = ROOT / "samples" / "ci"
ACTION: Any = yaml.safe_load((ROOT / "action.yml").read_text())
VERSION = re.findall(r'^version = "(.*)"', (ROOT / "pyproject.toml").read_text(), re.MULTILINE)[0]
OWN_ACTION = f"astromechza/score-flyio@v{VERSION}"
BIN = Path(sys.executable).parent
PATHS = {"PATH": f"{BIN}:{os.environ['PATH']}"}
# Keeps comments in a file, and answers as the API does to what the action asks of `gh`.
GH = f"""#!{sys.executable}
import json, os, pathlib, re, sys
kept = pathlib.Path(os.environ["COMMENTS"])
comments = json.loads(kept.read_text())
arguments = sys.argv[1:]
assert arguments.pop(0) == "api" and os.environ["GH_TOKEN"] == "token-of-github"
options = dict(zip(arguments, arguments[1:]))
if "--jq" in options:
    mark = re.search(r'startswith\\("(.*)"\\)', options["--jq"])[1]
    print(*(c["id"] for c in comments if c["body"].startswith(mark)), sep="\\n", end="")
    raise SystemExit
body = pathlib.Path(options["--field"].removeprefix("body=@")).read_text()
(path,) = [a for a in arguments if a.startswith("repos/")]
if options["--method"] == "POST":
    assert path == "repos/team/shop/issues/7/comments"
    comments.append({{"id": len(comments) + 1, "body": body}})
else:
    comments[int(path.removeprefix("repos/team/shop/issues/comments/")) - 1]["body"] = body
kept.write_text(json.dumps(comments))
"""


@pytest.fixture
def served() -> Iterator[Platform]:
    with platform() as running:
        yield running


@pytest.fixture
def bucket() -> Iterator[S3Server]:
    with s3_server() as server:
        yield server


@frozen
class Job:
    """Runs shell lines as a job does: in a new checkout, each script by a shell of its own."""

    checkout: Path
    environ: dict[str, str] = field(factory=dict)

    @classmethod
    def begin(cls, folder: Path, served: Platform, environ: Mapping[str, str]) -> Job:
        folder.mkdir()
        for sample in ("web", "worker"):
            shutil.copytree(ROOT / "samples" / sample, folder / sample)
        base = {
            "PATH": f"{BIN}:{os.environ['PATH']}",
            "PYTHONPATH": os.environ.get("PYTHONPATH", ""),
            "HOME": str(folder),
            "CI": "true",
            "FLY_FLAPS_BASE_URL": served.url,
            "FLY_API_TOKEN": TOKEN,
            "SCORE_FLYIO_STATE_KEY": "dummy-key-of-at-least-32-characters",
        }
        return cls(folder, base | dict(environ))

    def run(self, script: str, environ: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", script],
            cwd=self.checkout,
            env=self.environ | dict(environ),
            capture_output=True,
            text=True,
            check=False,
        )


@frozen
class Runner:
    """Runs steps as GitHub does: with the values of expressions, and the project's own action."""

    job: Job
    values: dict[str, str]

    @classmethod
    def begin(
        cls, folder: Path, served: Platform, environ: Mapping[str, str], **values: str
    ) -> Runner:
        job = Job.begin(folder, served, environ)
        tools = folder / "tools"
        (tools / f"score-flyio-{VERSION}" / "bin").mkdir(parents=True)
        (tools / f"score-flyio-{VERSION}" / "bin" / "score-flyio").symlink_to(BIN / "score-flyio")
        (tools / "gh").write_text(GH)
        (tools / "gh").chmod(0o755)
        (tools / "comments.json").write_text("[]")
        job.environ.update(
            PATH=f"{tools}:{os.environ['PATH']}",
            COMMENTS=str(tools / "comments.json"),
            RUNNER_TEMP=str(tools),
            GITHUB_ACTIONS="true",
            GITHUB_JOB="plan",
            GITHUB_WORKFLOW="deploy",
            GITHUB_REPOSITORY="team/shop",
            GITHUB_PATH=str(tools / "path"),
            GITHUB_STEP_SUMMARY=str(folder / "step.md"),
        )
        known = {"github.event_name": "push", "github.token": "token-of-github"}
        return cls(job, known | {name.replace("__", "."): text for name, text in values.items()})

    @property
    def comments(self) -> list[str]:
        kept = Path(self.job.environ["COMMENTS"])
        return [comment["body"] for comment in json.loads(kept.read_text())]

    def action(self, **given: str) -> list[subprocess.CompletedProcess[str]]:
        """What each step of the action did, up to the first that failed."""
        inputs = {name: self.filled(entry["default"]) for name, entry in ACTION["inputs"].items()}
        assert given.keys() <= inputs.keys()
        values = self.values | {f"inputs.{name}": text for name, text in (inputs | given).items()}
        done: list[subprocess.CompletedProcess[str]] = []
        for step in ACTION["runs"]["steps"]:
            terms = [term.split(" == ") for term in step.get("if", "").split(" && ") if term]
            if not all(values[name] == text.strip("'") for name, text in terms):
                continue
            assert "${{" not in step["run"], "a value in a script could be a command"
            environ = {name: self.filled(text, values) for name, text in step["env"].items()}
            done.append(self.job.run(step["run"], environ))
            if done[-1].returncode:
                break
            added = Path(self.job.environ["GITHUB_PATH"])
            for folder in added.read_text().splitlines():
                self.job.environ["PATH"] = f"{folder}:{self.job.environ['PATH']}"
            added.write_text("")
        return done

    def filled(self, text: str, values: Mapping[str, str] | None = None) -> str:
        known = values or self.values
        return re.sub(r"\$\{\{ ([\w.]+) \}\}", lambda found: known.get(found[1], ""), text)


def steps_of(workflow: Any, name: str, runner: Runner) -> None:
    """Runs the steps of a job that are the project's own."""
    environ = {key: runner.filled(text) for key, text in workflow["env"].items()}
    environ |= {key: runner.filled(text) for key, text in workflow["jobs"][name]["env"].items()}
    for key, text in environ.items():
        runner.values[f"env.{key}"] = text
        if text:
            runner.job.environ.setdefault(key, text)
    for step in workflow["jobs"][name]["steps"]:
        assert "run" not in step
        if step["uses"] == OWN_ACTION:
            given = {key: runner.filled(text) for key, text in step.get("with", {}).items()}
            last = runner.action(**given)[-1]
            assert last.returncode == 0, last.stdout + last.stderr


def test_the_workflow_of_github(tmp_path: Path, served: Platform, bucket: S3Server) -> None:
    text = (SAMPLES / "github.yml").read_text().replace("s3://deploys/", f"s3://{BUCKET}/")
    workflow: Any = yaml.safe_load(text)

    def job(name: str, event: str) -> Runner:
        runner = Runner.begin(
            tmp_path / name,
            served,
            bucket.environ,
            github__event_name=event,
            github__event__number="7",
            matrix__region="fra",
        )
        steps_of(workflow, name, runner)
        return runner

    deployed = job("deploy", "push").job.checkout
    assert (deployed / "report.html").exists()
    assert (deployed / "events.jsonl").exists()
    assert "done" in (deployed / "step.md").read_text()
    assert set(served.emulator.world.apps) == {"shop-web", "shop-worker"}
    planned = job("plan", "pull_request")
    (comment,) = planned.comments
    assert comment.splitlines()[1:] == ((planned.job.checkout / "step.md").read_text().splitlines())
    assert "## Plan: no changes" in comment
    job("preview", "pull_request")
    (preview,) = served.machines("shop-pr-7-fra-web")
    assert preview["region"] == "fra"
    job("remove-preview", "pull_request")
    assert set(served.emulator.world.apps) == {"shop-web", "shop-worker"}


def test_the_action_keeps_one_comment_for_each_plan(tmp_path: Path, served: Platform) -> None:
    runner = Runner.begin(
        tmp_path / "job",
        served,
        {},
        github__event_name="pull_request",
        github__event__number="7",
    )
    deployed = runner.action(files="web/score.yaml", prefix="shop-")[-1]
    assert deployed.returncode == 0, deployed.stderr
    for options in ("", "", "--region iad", "--env A=1"):
        last = runner.action(command="plan", files="web/score.yaml", options=options)[-1]
        assert last.returncode == 0, last.stderr
    assert len(runner.comments) == 3
    assert len(set(runner.comments)) == 3
    plan = Path(runner.job.environ["RUNNER_TEMP"]) / "score-flyio-plan.md"
    assert runner.comments[2].endswith(plan.read_text())
    runner.action(command="plan", files="web/score.yaml", comment="false", options="--env B=1")
    runner.values["github.event_name"] = "push"
    runner.action(command="plan", files="web/score.yaml", options="--env B=1")
    assert len(runner.comments) == 3


def test_a_plan_that_is_too_large_for_a_comment_is_cut(tmp_path: Path, served: Platform) -> None:
    runner = Runner.begin(
        tmp_path / "job", served, {}, github__event_name="pull_request", github__event__number="7"
    )
    tool = tmp_path / "job" / "tools" / f"score-flyio-{VERSION}" / "bin" / "score-flyio"
    tool.unlink()
    tool.write_text('#!/bin/sh\nfor summary; do :; done\ncp plan.md "$summary"\n')
    tool.chmod(0o755)
    for count, cut in ((200, False), (2000, True)):
        lines = "".join(f"+ env NAME_{number} {'é' * 20}\n" for number in range(count))
        (tmp_path / "job" / "plan.md").write_text(lines)
        assert runner.action(command="plan", files="web/score.yaml")[-1].returncode == 0
        (comment,) = runner.comments
        assert len(comment.encode()) < 65_536
        assert comment.endswith("… the summary of the job has all\n") is cut
        assert comment.splitlines()[1:100] == lines.splitlines()[:99]


def test_values_of_the_action_are_words_and_never_commands(
    tmp_path: Path, served: Platform
) -> None:
    runner = Runner.begin(tmp_path / "job", served, {})
    checkout = runner.job.checkout
    (checkout / "web").rename(checkout / "my web")
    done = runner.action(
        files="'my web/score.yaml'\nworker/score.yaml",
        options='--env "TEXT=a  b; $(touch evil) `touch evil`" --env GLOB=* -q',
        prefix="shop-$(touch",
    )
    assert done[-1].returncode == 2
    assert "shop-$(touch" in done[-1].stdout + done[-1].stderr
    done = runner.action(
        files="'my web/score.yaml'\nworker/score.yaml",
        options='--env "TEXT=a  b; $(touch evil) `touch evil`" --env GLOB=* -q',
        prefix="shop-",
    )
    assert done[-1].returncode == 0, done[-1].stderr
    for app in ("shop-web", "shop-worker"):
        env = served.machines(app)[0]["config"]["env"]
        assert env["TEXT"] == "a  b; $(touch evil) `touch evil`"
        assert env["GLOB"] == "*"
    assert not (checkout / "evil").exists()


@pytest.mark.parametrize("command", ["plna", "", "deploy; touch evil", "x\n::error::forged"])
def test_the_action_refuses_other_commands(tmp_path: Path, served: Platform, command: str) -> None:
    runner = Runner.begin(tmp_path / "job", served, {})
    last = runner.action(command=command, files="web/score.yaml", prefix="shop-")[-1]
    assert last.returncode == 2
    (line,) = last.stdout.splitlines()
    assert line.startswith("::error title=score-flyio::command: ")
    assert served.emulator.world.apps == {}


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({"files": "gone.yaml", "prefix": "shop-"}, 2),
        ({"files": "'web/score.yaml", "prefix": "shop-"}, 1),
        ({"files": "web/score.yaml", "command": "plan"}, 2),
    ],
    ids=["no such file", "a quote without an end", "no project"],
)
def test_the_action_fails_as_its_command_does(
    tmp_path: Path, served: Platform, given: dict[str, str], code: int
) -> None:
    last = Runner.begin(tmp_path / "job", served, {}).action(**given)[-1]
    assert last.returncode == code, last.stdout + last.stderr


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_job_that_is_cancelled_accounts_for_itself(
    tmp_path: Path, served: Platform, number: signal.Signals
) -> None:
    runner = Runner.begin(tmp_path / "job", served, {})
    tool = ["score-flyio", "init", "--no-sample", "--fly-app-prefix", "shop-"]
    subprocess.run(tool, cwd=runner.job.checkout, env=runner.job.environ | PATHS, check=True)
    (script,) = [s["run"] for s in ACTION["runs"]["steps"] if s["name"] == "Run score-flyio"]
    given = {"COMMAND": "deploy", "FILES": "web/score.yaml", "OPTIONS": "", "PREFIX": ""}
    with subprocess.Popen(
        ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", script],
        cwd=runner.job.checkout,
        env=runner.job.environ | given | PATHS,
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        text=True,
    ) as step:
        assert step.stderr is not None
        for line in step.stderr:
            if "create machine" in line:
                step.send_signal(number)
                break
        told = step.stderr.read()
    assert step.returncode in (130, 143)
    assert "the same command goes on" in told


TEMPLATES = ("templates/score-flyio.yml", "templates/score-flyio-preview.yml")


def template(file: str, inputs: Mapping[str, str]) -> Any:
    """The jobs of a GitLab template with its inputs, and what jobs extend."""
    header, body = (ROOT / file).read_text().split("\n---\n")
    declared = yaml.safe_load(header)["spec"]["inputs"]
    assert inputs.keys() <= declared.keys()
    missing = {name for name, entry in declared.items() if "default" not in entry}
    assert missing <= inputs.keys()
    values = {name: entry.get("default") for name, entry in declared.items()} | dict(inputs)
    jobs = yaml.safe_load(re.sub(r"\$\[\[ inputs\.(\w+) \]\]", lambda f: values[f[1]], body))

    def whole(job: Any) -> Any:
        base = whole(jobs[job["extends"]]) if "extends" in job else {}
        variables = base.get("variables", {}) | job.get("variables", {})
        return base | job | {"variables": variables}

    return {name: whole(job) for name, job in jobs.items() if not name.startswith(".")}


def test_the_templates_of_gitlab(tmp_path: Path, served: Platform, bucket: S3Server) -> None:
    pipeline: Any = yaml.safe_load((SAMPLES / "gitlab.yml").read_text())
    jobs: dict[str, Any] = {}
    for included in pipeline["include"]:
        file = included["remote"].partition(f"/score-flyio/v{VERSION}/")[2]
        assert file in TEMPLATES
        found = template(file, included["inputs"] | {"bucket": f"s3://{BUCKET}"})
        assert not found.keys() & jobs.keys()
        jobs |= found
    assert sorted(jobs) == [
        "shop-deploy",
        "shop-fra-preview",
        "shop-fra-remove-preview",
        "shop-iad-preview",
        "shop-iad-remove-preview",
        "shop-plan",
    ]

    def job(name: str) -> None:
        entry = jobs[name]
        assert entry["image"] == "python:3.13-slim"
        work = Job.begin(tmp_path / name, served, bucket.environ)
        variables = pipeline["variables"] | entry["variables"] | {"CI_MERGE_REQUEST_IID": "7"}
        state = variables["SCORE_FLYIO_STATE"].replace("$CI_MERGE_REQUEST_IID", "7")
        if variables.get("GIT_STRATEGY") == "none":
            shutil.rmtree(work.checkout)
            work.checkout.mkdir()
        for line in entry["script"]:
            done = work.run(line, variables | bucket.environ | {"SCORE_FLYIO_STATE": state})
            assert done.returncode == 0, f"{line}\n{done.stdout}\n{done.stderr}"
        for artifact in entry.get("artifacts", {}).get("paths", []):
            assert (work.checkout / artifact).exists() or artifact == ".score-flyio/unsaved.yaml"

    job("shop-deploy")
    job("shop-plan")
    regions = ("fra", "iad")
    for region in regions:
        job(f"shop-{region}-preview")
        assert jobs[f"shop-{region}-preview"]["environment"]["on_stop"] in jobs
        (machine,) = served.machines(f"shop-{region}-mr-7-web")
        assert machine["region"] == region
    for region in regions:
        job(f"shop-{region}-remove-preview")
    assert set(served.emulator.world.apps) == {"shop-web", "shop-worker"}


def test_the_action_and_the_template_of_a_version_install_it() -> None:
    assert ACTION["inputs"]["version"]["default"] == VERSION
    for file in TEMPLATES:
        header = (ROOT / file).read_text().split("\n---\n")[0]
        assert yaml.safe_load(header)["spec"]["inputs"]["version"]["default"] == VERSION
    pins = re.findall(r"uses: (\S+)", (SAMPLES / "github.yml").read_text())
    assert [p for p in pins if p != OWN_ACTION and not re.search(r"@[0-9a-f]{40}$", p)] == []


@pytest.mark.parametrize("file", ["action.yml", *TEMPLATES])
def test_the_document_tells_every_input(file: str) -> None:
    document = (ROOT / "docs" / "ci.md").read_text()
    content: Any = next(iter(yaml.safe_load_all((ROOT / file).read_text())))
    inputs = content.get("inputs") or content["spec"]["inputs"]
    (table,) = re.findall(
        rf"^\| input of `{re.escape(file)}` .*\n(?:\|.*\n)+", document, re.MULTILINE
    )
    cells = " ".join(row.split("|")[1] for row in table.splitlines())
    assert set(re.findall(r"`(\w+)`", cells)) == set(inputs)


@pytest.mark.parametrize("file", ["README.md", "docs/ci.md"])
def test_the_steps_that_documents_show_are_such(file: str) -> None:
    blocks = re.findall(r"```yaml\n(- uses: .*?)```", (ROOT / file).read_text(), re.DOTALL)
    ((step,),) = [yaml.safe_load(block) for block in blocks]
    assert step["uses"] == OWN_ACTION
    assert step["with"].keys() <= ACTION["inputs"].keys()
