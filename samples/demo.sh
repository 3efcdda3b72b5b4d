#!/usr/bin/env bash
# Deploys the samples to an emulated Fly platform on this machine: no account, no network.
set -euo pipefail

samples=$(cd "$(dirname "$0")" && pwd)
project=$(mktemp -d)
unset FLY_ACCESS_TOKEN FLY_API_HOSTNAME FLY_ORG SCORE_FLYIO_STATE
trap 'kill "${emulator:-}" 2>/dev/null || true; rm -rf "$project"' EXIT

say() { printf '\n\033[1m%s\033[0m\n' "$*"; }
changes() { grep -cv '"method": *"GET"' "$project/journal.jsonl"; }
run() { printf '\033[36m$'; printf ' %q' "$@"; printf '\033[0m\n'; "$@"; }

say "1. An emulator of the Fly platform, on a port of its own"
exec {answers}< <(exec score-flyio emulator serve --port 0 --json --journal "$project/journal.jsonl" 2>"$project/emulator.log")
emulator=$!
read -r -t 30 -u "$answers" line
FLY_FLAPS_BASE_URL=$(python3 -c 'import json, sys; print(json.loads(sys.argv[1])["url"])' "$line")
export FLY_FLAPS_BASE_URL FLY_API_TOKEN=demo
echo "it listens on $FLY_FLAPS_BASE_URL"

cp -r "$samples"/{web,worker,shop} "$project"
cd "$project"

say "2. A project with four workloads and a resource that two of them share"
run score-flyio init --fly-app-prefix demo- --file ''
run score-flyio provisioners add shop-cache redis --static-json '{"host": "cache.internal", "port": 6379}'

say "3. Everything at once: resources, apps, addresses, machines, health"
run score-flyio deploy web/score.yaml worker/score.yaml shop/web.yaml shop/api.yaml --yes --no-smoke-checks
run score-flyio status

say "4. A change in one workload touches only that one"
sed -i.bak 's/GREETING: hello/GREETING: good morning/' web/score.yaml
run score-flyio plan web/score.yaml
run score-flyio deploy web/score.yaml --yes --no-smoke-checks

say "5. Deploying again finds nothing to do"
before=$(changes)
run score-flyio plan --detailed-exitcode
run score-flyio deploy --yes
after=$(changes)
echo "calls that change anything at Fly: $((after - before)), after $before before"
[ "$after" = "$before" ]

say "6. And away with all of it"
run score-flyio destroy --yes

say "That was the emulator. With FLY_API_TOKEN set, the same commands deploy to Fly.io."
