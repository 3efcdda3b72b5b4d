"use strict";
// Asks for the overview and the journal once a second, and shows what changed. Every text is set
// as text: whatever apps and machines are called, nothing of it becomes a part of the page.

const EVERY = 1000, KEPT = 400, SHOWN = 100;
const at = (id) => document.getElementById(id);
const known = new Map();
let entries = [], last = 0;

function make(tag, className, ...children) {
  const element = document.createElement(tag);
  if (className) element.className = className;
  element.append(...children.filter((child) => child !== null && child !== undefined && child !== ""));
  return element;
}

/** Draws a part of the page anew, if what it shows is new: a button under the mouse stays. */
function draw(name, shown, element, children) {
  const text = JSON.stringify(shown);
  if (known.get(name) === text) return;
  known.set(name, text);
  element.replaceChildren(...children(shown));
}

const set = (id, text) => { if (at(id).textContent !== text) at(id).textContent = text; };
const clock = (seconds) => new Date(seconds * 1000).toTimeString().slice(0, 8);
const count = (number, word) => `${number} ${word}${number === 1 ? "" : "s"}`;

async function ask(path, method = "GET", body) {
  const answer = await fetch(`/_emulator${path}`, {
    method, body: body === undefined ? undefined : JSON.stringify(body),
  });
  const document = answer.status === 204 ? null : await answer.json();
  if (!answer.ok) throw new Error(document.error || `status ${answer.status}`);
  return document;
}

async function act(path, method, body) {
  at("problem").hidden = true;
  try {
    await ask(path, method, body);
    await refresh();
  } catch (error) {
    at("problem").textContent = error.message;
    at("problem").hidden = false;
  }
}

function button(text, className, action, label) {
  const element = make("button", className, text);
  element.type = "button";
  if (label) element.setAttribute("aria-label", label);
  element.addEventListener("click", action);
  return element;
}

// --- apps

function bar(parts, most) {
  const column = make("i", "");
  for (const [kind, amount] of parts) {
    const piece = make("b", kind);
    piece.style.height = `${most ? (100 * amount) / most : 0}%`;
    column.append(piece);
  }
  return column;
}

function machine(one) {
  const failing = one.checks.some((check) => check.status !== "passing") || one.state === "failed";
  const passing = one.checks.filter((check) => check.status === "passing").length;
  const lost = one.host_status !== "ok";
  const kind = one.serves ? "good" : failing || lost ? "bad" : one.state === "started" ? "warn" : "";
  const row = make("li", one.serves ? "serves" : failing || lost ? "failing" : "",
    make("div", "top", make("code", "", one.id), make("span", `badge ${kind}`, one.state)),
    make("div", "more",
      make("span", "", one.name),
      make("span", "", [one.group, one.release && `v${one.release}`].filter(Boolean).join(" ")),
      make("span", "", `${one.region} on ${one.host}`)),
    make("div", "more", make("code", "", one.image || "containers")),
    make("div", "more",
      one.checks.length ? make("span", "", `checks ${passing}/${one.checks.length}`) : "",
      one.cordoned ? make("span", "badge warn", "cordoned") : "",
      one.lease ? make("span", "", `leased by ${one.lease.owner}`) : "",
      lost ? make("span", "badge bad", "host lost")
        : button("lose its host", "small", () => act("/incidents", "POST",
          { kind: "host_lost", name: one.host }), `lose host ${one.host}`)));
  row.title = one.checks.map((check) => `${check.name}: ${check.status}`).join("\n");
  return row;
}

function link(url) {
  const element = make("a", "", url);
  element.href = url;
  return element;
}

function app(one) {
  const most = Math.max(1, ...one.history.map(([, all]) => all));
  const chart = make("div", "bars", ...one.history.slice(-120).map(([serving, all]) =>
    bar([["absent", all - serving], ["", serving]], most)));
  chart.setAttribute("role", "img");
  chart.setAttribute("aria-label", "machines that served, second by second");
  const all = one.count && one.serving === one.count;
  const rest = make("div", "rest",
    ...one.volumes.map((v) => make("div", "", `volume ${v.name} ${v.id}, ${v.size_gb} GB in ${v.region}, `
      + (v.attached_machine_id ? `attached to ${v.attached_machine_id}` : v.state))),
    ...one.more_urls.map((url) => make("div", "", `also at ${url}`)),
    ...one.addresses.map((a) => make("div", "", `address ${a.ip} (${a.type})`)),
    one.secrets.length ? make("div", "", `secrets ${one.secrets.join(", ")}`) : "");
  const more = one.count - one.machines.length;
  return make("article", "app",
    make("div", "head", make("h3", "", one.name),
      make("span", `badge ${all ? "good" : one.serving ? "warn" : ""}`, `${one.serving} of ${one.count} serve`),
      make("span", "soft", one.organization), one.url ? link(one.url) : ""),
    one.history.length > 1 ? chart : "",
    make("ul", "machines", ...one.machines.map(machine)),
    more > 0 ? make("p", "soft", `and ${more} more`) : "", rest);
}

function showApps(found) {
  for (const one of found) for (const each of one.machines) if (each.lease) delete each.lease.seconds;
  draw("apps", found.map((one) => [one.name]), at("apps"), () =>
    found.map((one) => { known.delete(`app ${one.name}`); const place = make("div", ""); place.dataset.app = one.name; return place; }));
  for (const place of at("apps").children) {
    const one = found.find((each) => each.name === place.dataset.app);
    draw(`app ${one.name}`, one, place, () => [app(one)]);
  }
  at("no-apps").hidden = at("how").hidden = found.length > 0;
}

// --- trouble, calls and the journal

function showTroubles(faults, incidents) {
  draw("troubles", [faults, incidents], at("troubles"), () => [
    ...faults.map((one) => make("li", "", make("span", "badge warn", "fault"), make("code", "", one.rule),
      make("span", "soft", `struck ${one.struck} of ${count(one.matched, "call")}`),
      button("end", "small", () => act(`/faults/${one.id}`, "DELETE"), `end fault ${one.rule}`))),
    ...incidents.map((one) => make("li", "", make("span", "badge bad", "incident"),
      make("code", "", one.id),
      button("end", "small", () => act(`/incidents/${encodeURIComponent(one.id)}`, "DELETE"), `end incident ${one.id}`))),
  ]);
}

function showCalls(calls) {
  const most = Math.max(1, ...calls.seconds);
  draw("calls", [calls.seconds, calls.refused], at("calls"), () => calls.seconds.map((all, index) =>
    bar([["refused", calls.refused[index]], ["call", all - calls.refused[index]]], most)));
  draw("limits", calls.limits, at("limits"), () => calls.limits.map((one) => {
    const meter = make("span", one.left < 1 ? "meter full" : "meter", make("b", ""));
    meter.firstChild.style.width = `${100 - (100 * Math.max(one.left, 0)) / one.burst}%`;
    return make("li", "", meter, make("code", "", one.operation), make("span", "soft", one.name),
      make("span", "soft", `${Math.floor(one.left)} of ${one.burst} left`));
  }));
}

function fits(entry) {
  const wanted = at("filter").value.trim().toLowerCase();
  if (at("changes").checked && entry.method === "GET") return false;
  if (at("failures").checked && entry.status && entry.status < 400) return false;
  const text = [entry.app, entry.operation, entry.method, entry.path, entry.status, entry.error].join(" ");
  return text.toLowerCase().includes(wanted);
}

function entryRow(entry) {
  const failed = !entry.status || entry.status >= 400;
  return make("div", failed ? "entry failed" : "entry",
    make("span", "at", clock(entry.at)),
    make("span", "status", entry.status ? String(entry.status) : "none"),
    make("span", "", entry.operation),
    make("code", "path", `${entry.method} ${entry.path}`),
    make("span", "took", `${Math.round(entry.took * 1000)} ms`),
    entry.error ? make("span", "said", entry.error) : "");
}

function showJournal() {
  const shown = entries.filter(fits).slice(-SHOWN).reverse();
  draw("journal", shown, at("journal"), () => shown.map(entryRow));
  at("no-journal").hidden = shown.length > 0;
}

// --- the page

async function refresh() {
  const [seen, faults, incidents, journal] = await Promise.all([
    ask("/overview"), ask("/faults"), ask("/incidents"), ask(`/journal?after=${last}&limit=${KEPT}`),
  ]);
  const fresh = journal.entries.filter((entry) => entry.seq > last);
  if (fresh.length) last = fresh[fresh.length - 1].seq;
  entries = [...entries, ...fresh].slice(-KEPT);
  const machines = seen.apps.reduce((sum, one) => sum + one.count, 0);
  set("count-apps", String(seen.apps.length));
  set("count-machines", String(machines));
  set("count-serving", String(seen.apps.reduce((sum, one) => sum + one.serving, 0)));
  const latest = seen.calls.seconds.slice(-11, -1);
  set("count-calls", (latest.reduce((sum, one) => sum + one, 0) / latest.length).toFixed(1));
  set("clock", clock(seen.now) + (seen.ahead ? `, ${Math.round(seen.ahead)} s ahead` : ""));
  showApps(seen.apps);
  showTroubles(faults.faults, incidents.incidents);
  showCalls(seen.calls);
  showJournal();
}

function live(text, kind) {
  set("live", text);
  at("live").className = `badge ${kind}`;
}

async function run() {
  if (!document.hidden) {
    try {
      await refresh();
      live("live", "good");
    } catch {
      live("no answer", "bad");
    }
  }
  setTimeout(run, EVERY);
}

for (const one of document.querySelectorAll("[data-rules]"))
  one.addEventListener("click", () => act("/faults", "POST", { rules: one.dataset.rules }));
for (const one of document.querySelectorAll("[data-advance]"))
  one.addEventListener("click", () => act("/time", "POST", { advance: Number(one.dataset.advance) }));
at("rule-form").addEventListener("submit", (event) => {
  event.preventDefault();
  act("/faults", "POST", { rules: at("rule").value });
});
at("filters").addEventListener("submit", (event) => event.preventDefault());
at("filters").addEventListener("input", showJournal);
at("reset").addEventListener("click", async () => {
  if (!confirm("Remove all apps, faults and incidents?")) return;
  entries = [];
  await act("/reset", "POST");
});
at("address").textContent = location.origin;
at("how").textContent = ["FLY_FLAPS_BASE_URL", "FLY_API_BASE_URL", "FLY_UIEX_BASE_URL"]
  .map((name) => `export ${name}=${location.origin}`)
  .concat("export FLY_API_TOKEN=emulator", "score-flyio deploy score.yaml").join("\n");
run();
