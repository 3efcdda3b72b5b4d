"use strict";
// Asks for the overview and the journal once a second, and shows what changed. Every text is set
// as text: whatever apps and machines are called, nothing of it becomes a part of the page.

const EVERY = 1000, KEPT = 400, SHOWN = 100, CARDS = 24, SECONDS = 120;
const at = (id) => document.getElementById(id);
const known = new Map();
const whole = new Set();
let entries = [], last = 0;

function make(tag, className, ...children) {
  const element = document.createElement(tag);
  if (className) element.className = className;
  element.append(...children.filter((child) => child || child === 0));
  return element;
}

/** Draws a part of the page anew, if what it shows is new: a button under the mouse stays. */
function draw(name, shown, element, children) {
  const text = JSON.stringify(shown);
  if (known.get(name) === text) return;
  known.set(name, text);
  element.replaceChildren(...children(shown));
}

/** One child for each item, which stays as long as its item; drawn anew when its item is another. */
function drawEach(name, items, parent, keyOf, fresh, children) {
  const keys = items.map((item) => String(keyOf(item)));
  draw(name, keys, parent, () => {
    const there = new Map([...parent.children].map((child) => [child.dataset.key, child]));
    for (const key of there.keys()) if (!keys.includes(key)) known.delete(`${name} ${key}`);
    return keys.map((key) => {
      const child = there.get(key) || fresh(key);
      child.dataset.key = key;
      return child;
    });
  });
  items.forEach((item, index) =>
    draw(`${name} ${keys[index]}`, item, parent.children[index], () => children(item, parent.children[index])));
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

function kindOf(one) {
  if (one.serves) return "good";
  const failing = one.checks.some((check) => check.status !== "passing") || one.state === "failed";
  if (failing || one.host_status !== "ok") return "bad";
  return one.state === "started" ? "warn" : "";
}

function machine(one, row) {
  const kind = kindOf(one);
  const passing = one.checks.filter((check) => check.status === "passing").length;
  row.className = { good: "serves", bad: "failing" }[kind] || "";
  row.title = one.checks.map((check) => `${check.name}: ${check.status}`).join("\n");
  const image = make("code", "image", one.image || "containers");
  image.title = image.textContent;
  return [
    make("div", "top", button(one.id, "link", () => look(one.id), `calls of machine ${one.id}`),
      make("span", `badge ${kind}`, one.state)),
    make("div", "more",
      make("span", "", one.name),
      make("span", "", [one.group, one.release && `v${one.release}`].filter(Boolean).join(" ")),
      make("span", "", `${one.region} on ${one.host}`)),
    image,
    make("div", "more",
      one.checks.length ? make("span", passing < one.checks.length ? "bad" : "",
        `checks ${passing}/${one.checks.length}`) : "",
      one.cordoned ? make("span", "badge warn", "cordoned") : "",
      one.lease ? make("span", "", `leased by ${one.lease.owner} until ${one.lease.until}`) : "",
      one.host_status !== "ok" ? make("span", "badge bad", "host lost")
        : button("lose its host", "small quiet", () => act("/incidents", "POST",
          { kind: "host_lost", name: one.host }), `lose host ${one.host}`)),
  ];
}

function link(url) {
  const element = make("a", "", url);
  element.href = url;
  return element;
}

function headOf(one) {
  const all = one.count && one.serving === one.count;
  return [make("h3", "", one.name),
    make("span", `badge ${all ? "good" : one.serving ? "warn" : ""}`, `${one.serving} of ${one.count} serve`),
    make("span", "soft", one.organization), one.url ? link(one.url) : "",
    button("its calls", "small quiet", () => look(one.name), `calls of app ${one.name}`)].filter(Boolean);
}

function restOf(one) {
  return [
    ...one.volumes.map((v) => make("div", "", `volume ${v.name} ${v.id}, ${v.size_gb} GB in ${v.region}, `
      + (v.attached_machine_id ? `attached to ${v.attached_machine_id}` : v.state))),
    ...one.more_urls.map((url) => make("div", "", `also at ${url}`)),
    ...one.addresses.map((a) => make("div", "", `address ${a.ip} (${a.type})`)),
    ...(one.secrets.length ? [make("div", "", `secrets ${one.secrets.join(", ")}`)] : [])];
}

function chartOf(history) {
  const most = Math.max(1, ...history.map(([, all]) => all));
  return history.map(([serving, all]) => bar([["absent", all - serving], ["", serving]], most));
}

/** Of many machines each is a square, and those that do not serve are cards. */
function square(one) {
  const element = make("i", kindOf(one));
  element.title = `${one.id} ${one.name}: ${one.state} in ${one.region}`;
  return element;
}

function freshApp(name) {
  const chart = make("div", "bars"), squares = make("div", "squares"), all = make("button", "small");
  chart.setAttribute("role", "img");
  chart.setAttribute("aria-label", "machines that served, second by second");
  all.type = "button";
  all.addEventListener("click", () => { whole.has(name) ? whole.delete(name) : whole.add(name); refresh(); });
  return make("article", "app", make("div", "head"), chart, squares, make("ul", "machines"),
    make("p", "soft"), all, make("div", "rest"));
}

function showApp(one, place) {
  const [head, chart, squares, cards, more, all, rest] = place.children;
  const { history, machines, ...other } = one;
  const many = machines.length > CARDS;
  const chosen = many && !whole.has(one.name)
    ? machines.filter((each) => !each.serves).slice(0, CARDS / 2) : machines;
  draw(`head ${one.name}`, other, head, () => headOf(one));
  draw(`chart ${one.name}`, history.slice(-SECONDS), chart, chartOf);
  draw(`squares ${one.name}`, many ? machines : [], squares, (shown) => shown.map(square));
  drawEach(`machines ${one.name}`, chosen, cards, (each) => each.id, () => make("li", ""), machine);
  draw(`rest ${one.name}`, other, rest, () => restOf(one));
  more.hidden = one.count <= machines.length;
  more.textContent = `${one.count - machines.length} more are not shown`;
  all.hidden = !many;
  all.textContent = whole.has(one.name) ? "show as squares" : `show ${machines.length} as cards`;
}

function showApps(found, now) {
  for (const one of found) for (const each of one.machines)
    if (each.lease) each.lease = { owner: each.lease.owner, until: clock(Math.round(now + each.lease.seconds)) };
  const names = found.map((one) => one.name);
  draw("apps", names, at("apps"), () => names.map((name) => {
    for (const part of ["head", "chart", "squares", "machines", "rest"]) known.delete(`${part} ${name}`);
    return freshApp(name);
  }));
  found.forEach((one, index) => showApp(one, at("apps").children[index]));
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
  set("most-calls", `at most ${Math.max(...calls.seconds)} a second`);
  at("no-limits").hidden = calls.limits.length > 0;
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

/** Neighbours that say the same are one row. */
function together(found) {
  const rows = [];
  for (const entry of found) {
    const text = JSON.stringify([entry.method, entry.path, entry.query, entry.status, entry.error]);
    const row = rows[rows.length - 1];
    if (row && row.text === text) Object.assign(row, { latest: entry, times: row.times + 1 });
    else rows.push({ text, seq: entry.seq, latest: entry, times: 1 });
  }
  return rows;
}

function freshEntry() {
  return make("details", "entry", make("summary", ""), make("pre", ""));
}

function entryRow({ latest, times }, row) {
  row.classList.toggle("failed", !latest.status || latest.status >= 400);
  const { seq, at: arrived, took, operation, method, path, status, ...more } = latest;
  const summary = make("summary", "",
    make("span", "at", clock(arrived)),
    make("span", "status", status ? String(status) : "none"),
    make("span", "", operation, times > 1 && " ", times > 1 ? make("span", "badge", `${times} times`) : ""),
    make("code", "path", `${method} ${path}`),
    make("span", "took", `${Math.round(took * 1000)} ms`),
    latest.error ? make("span", "said", latest.error) : "");
  return [summary, make("pre", "", JSON.stringify(more, null, 2))];
}

function showJournal() {
  const shown = together(entries.filter(fits)).slice(-SHOWN).reverse();
  drawEach("journal", shown, at("journal"), (row) => row.seq, freshEntry, entryRow);
  at("no-journal").hidden = shown.length > 0;
}

/** Shows the calls about an app or a machine. */
function look(name) {
  at("filter").value = name;
  showJournal();
  at("journal-title").scrollIntoView();
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
  showApps(seen.apps, seen.now);
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
