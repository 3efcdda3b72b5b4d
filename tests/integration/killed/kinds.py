"""The project whose commands are killed, and what is run in it."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Final

from attrs import frozen

MAKER: Final = """\
import json, sys
text = sys.stdin.read()
if not text:  # whoever asks was killed before it could
    sys.exit(1)
request = json.loads(text)
uid = "{resource_type}.{resource_class}#{resource_id}".format_map(request)
guid = request["resource_uid"]
with open("made.log", "a") as log:
    log.write(f"{sys.argv[1]} {uid} {guid}\\n")
if sys.argv[1] == "provision":
    answer = {"values": {"host": guid}, "secrets": {"key": f"key-{guid}"}, "state": {"made": guid}}
    print(json.dumps(answer))
"""
"""A provisioner that notes what it is asked for."""

FILES: Final = {
    "make.py": MAKER,
    "score.yaml": """\
apiVersion: score.dev/v1b1
metadata: {name: web}
containers:
  main:
    image: nginx:1
    variables: {LEVEL: one, HOST: "${resources.db.host}", KEY: "${resources.db.key}"}
    livenessProbe: {httpGet: {path: /, port: 8080}}
service: {ports: {web: {port: 8080}}}
resources: {db: {type: thing}}
""",
    "worker.yaml": """\
apiVersion: score.dev/v1b1
metadata: {name: worker}
containers: {main: {image: "busybox:1", variables: {URL: "${resources.cache.url}"}}}
resources: {queue: {type: thing}, cache: {type: redis}}
""",
    "late.yaml": """\
apiVersion: score.dev/v1b1
metadata: {name: late}
containers:
  main: {image: "busybox:1", variables: {URL: "${resources.cache.url}", KEY: "${resources.other.key}"}}
resources: {cache: {type: redis}, other: {type: thing}}
""",
    "fly.toml": """\
app = 'x-by-hand'
primary_region = 'iad'
[build]
  image = 'nginx:1'
[deploy]
  release_command = 'migrate'
[env]
  LEVEL = 'one'
[processes]
  app = 'serve'
  jobs = 'work'
[[mounts]]
  source = 'data'
  destination = '/data'
  processes = ['jobs']
""",
    "fewer.toml": """\
app = 'x-by-hand'
primary_region = 'iad'
[build]
  image = 'nginx:1'
[processes]
  app = 'serve'
""",
    "secrets.txt": "IMPORTED=one-imported\nOTHER=another-imported\n",
}

QUICK: Final = "--no-smoke-checks"
BEFORE: Final = (
    "init --no-sample --fly-app-prefix x-",
    "provisioners add maker thing --cmd-binary={python} --cmd-args=make.py,$SCORE_PROVISIONER_MODE",
    f"deploy score.yaml worker.yaml --yes --region ams {QUICK}",
    f"deploy --config fly.toml --yes {QUICK}",
    f"deploy score.yaml --yes -e LEVEL=two {QUICK}",
    f"secrets set web OLD=an-old-value {QUICK}",
    "secrets set web STAGED=a-staged-value --stage",
    "certs add web old.example.com",
    "ips allocate web private_v6",
    f"scale web 3 {QUICK}",
)
"""What was done before: their ends are checked, too."""


@frozen(kw_only=True)
class Kind:
    """One kind of command."""

    line: str
    stdin: str | None = None
    """The file that it reads."""
    done_before: int = 0
    """How it ends when there is nothing left to do."""
    one_more: str | None = None
    """The type of address of which each run gives one more, also when an earlier one was cut off."""


DEPLOY: Final = f"deploy score.yaml --yes -e LEVEL=three {QUICK}"
KINDS: Final = {
    "first deploy": Kind(line=f"deploy late.yaml --yes --region ams {QUICK}"),
    "rolling": Kind(line=DEPLOY),
    "canary": Kind(line=f"{DEPLOY} --strategy canary"),
    "bluegreen": Kind(line=f"{DEPLOY} --strategy bluegreen --bluegreen-pause 0"),
    "immediate": Kind(line=f"{DEPLOY} --strategy immediate"),
    "larger": Kind(line=f"deploy score.yaml worker.yaml --yes --vm-memory 512mb {QUICK}"),
    "fly.toml": Kind(line=f"deploy --config fly.toml --yes -e LEVEL=two {QUICK}"),
    "a group less": Kind(line=f"deploy --config fewer.toml --yes {QUICK}"),
    "scale up": Kind(line=f"scale web 5 {QUICK}"),
    "scale down": Kind(line=f"scale web 1 --yes {QUICK}"),
    "scale size": Kind(line=f"scale web --vm-memory 1gb --yes {QUICK}"),
    "rollback": Kind(line=f"rollback web --to 1 {QUICK}"),
    "secrets set": Kind(line=f"secrets set web NEW=a-new-value {QUICK}"),
    "secrets unset": Kind(line=f"secrets unset web OLD {QUICK}"),
    "secrets import": Kind(line=f"secrets import web {QUICK}", stdin="secrets.txt"),
    "secrets deploy": Kind(line=f"secrets deploy web {QUICK}"),
    "ips allocate": Kind(line="ips allocate web v6", one_more="v6"),
    "ips release": Kind(line="ips release web {address} --yes", done_before=2),
    "certs add": Kind(line="certs add web new.example.com"),
    "certs remove": Kind(line="certs remove web old.example.com --yes", done_before=2),
    "deprovision": Kind(line="resources deprovision redis.default#worker.cache", done_before=1),
    "destroy": Kind(line="destroy web --yes"),
    "destroy --keep-volumes": Kind(line="destroy --config fly.toml --keep-volumes --yes"),
    "workloads remove": Kind(line="workloads remove worker --destroy --yes", done_before=2),
}


def arguments(line: str, **more: str) -> list[str]:
    """A line as arguments of the tool."""
    return [word.format(python=sys.executable, **more) for word in line.split()]


def write_project(folder: Path) -> None:
    """The files of the project."""
    folder.mkdir(parents=True)
    for name, text in FILES.items():
        (folder / name).write_text(text)
