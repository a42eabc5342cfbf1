// The explorer. The kernel has the names and what is known of the chosen one; this draws them, and searches among them.
//
// Names that a test or a screen reader finds things by:
//   "Explorer" is the whole; "Search" the field; tabs "Events", "Traits", "Accounts", "Definitions", "Syncs"; the listbox
//   is called as its tab, or "Found"; the region "Details" has the chosen one, its listbox "Properties", and "Copy"
//   keys: in the field and in the list arrows move, Enter chooses, Escape empties the field; arrows move between tabs

const LISTED = 500;
const TRENDS = 30;

const words = (text) => text.toLowerCase();
const percent = (share) => {
  if (share === 0 || share >= 0.1) return `${Math.round(100 * share)}%`;
  return share < 0.0005 ? "<0.1%" : `${(100 * share).toFixed(1)}%`;
};
/** What the number beside a name is. */
const NUMBERS = { events: "lines", traits: "filled", accounts: "filled", syncs: "acknowledged" };
/** The share that fills a bar is the largest one, if that is anything. */
const WHOLE = 0.1;

/** What is listed: the open section, or what the search finds in all that is known. */
function listed(shown, ui) {
  const wanted = words(ui.local.query.trim());
  if (!wanted) {
    const open = shown.sections.find((section) => section.id === ui.local.section);
    return open.entries.map((entry) => ({ ...entry, section: open.id, key: `${open.id} ${entry.name}` }));
  }
  const found = [];
  for (const section of shown.sections)
    for (const entry of section.entries) {
      const one = { section: section.id, where: section.label, name: entry.name };
      if (words(entry.label).includes(wanted) || (section.id === "definitions" && entry.also.some((also) => words(also).includes(wanted))))
        found.push({ ...entry, ...one, key: `${section.id} ${entry.name}` });
      if (section.id === "events")
        for (const also of entry.also)
          if (words(also).includes(wanted)) found.push({ ...one, of: also, label: also, note: `property of ${entry.label}`, where: "Properties", key: `property ${entry.name} ${also}` });
    }
  return found;
}

const isChosen = (shown, entry) => shown.chosen[0] === entry.section && shown.chosen[1] === entry.name && (entry.of === undefined || shown.chosen[2] === entry.of);

function open(ui, section) {
  ui.local.section = section;
  ui.local.at = 0;
  ui.send("look", { section });
  ui.again();
}

function choose(ui, entry) {
  ui.send("choose", { section: entry.section, name: entry.name, of: entry.of || "" });
  ui.say(`${entry.label} chosen`);
}

/** Arrows, Enter and Escape in the field and in the list. */
const keys = (ui, entries) => (event) => {
  const last = Math.min(entries.length, LISTED) - 1;
  const steps = { ArrowDown: 1, ArrowUp: -1, PageDown: 10, PageUp: -10, Home: -LISTED, End: LISTED };
  const inField = event.target.localName === "input";
  if (event.key in steps && !(inField && (event.key === "Home" || event.key === "End"))) {
    ui.local.at = Math.max(0, Math.min(last, ui.local.at + steps[event.key]));
    ui.local.scroll = true;
    ui.again();
  } else if (event.key === "Enter" || (event.key === " " && !inField)) {
    if (entries[ui.local.at]) choose(ui, entries[ui.local.at]);
  } else if (event.key === "Escape" && ui.local.query) {
    ui.local.query = "";
    ui.local.at = 0;
    ui.again();
  } else return;
  event.preventDefault();
};

const bar = (share) =>
  h("span", { class: "ex-bar", "aria-hidden": "true" }, typeof share === "number" && h("span", { style: `width:${Math.max(100 * share, share > 0 ? 1 : 0)}%` }));

const option = (shown, ui, entry, at) =>
  h(
    "li",
    {
      key: entry.key,
      id: `${ui.local.id}-${at}`,
      role: "option",
      class: `ex-entry${at === ui.local.at ? " ex-at" : ""}`,
      "aria-selected": isChosen(shown, entry) ? "true" : "false",
      onclick: () => {
        ui.local.at = at;
        choose(ui, entry);
        ui.again();
      },
    },
    h("span", { class: "ex-name" }, entry.label, (entry.note || entry.where) && h("span", { class: "pk-faint" }, ` ${[entry.note, ui.local.query && entry.where !== "Properties" && entry.where].filter(Boolean).join(" · ")}`)),
    "bar" in entry && bar(entry.bar),
    h("span", { class: "ex-right pk-faint" }, entry.right || ""),
  );

function asking(shown, ui, names) {
  const now = shown.asked.filter((name) => names.includes(name));
  if (!now.length) return false;
  const running = shown.asked[shown.asked.length - 1];
  const doing = now.includes(running) && shown.doing && shown.doing !== "running" ? shown.doing : "asking";
  const seconds = Math.floor((Date.now() - ui.local.since) / 1000);
  return h("div", { class: "pk-row pk-faint", key: "asking" }, h("span", null, `${doing}… ${seconds} s`), h("button", { onclick: () => ui.send("stop") }, "Stop"));
}

const failed = (shown, ui, names) =>
  names
    .filter((name) => shown.problems[name] && !shown.asked.includes(name))
    .map((name) => h("div", { key: `failed ${name}` }, problem(shown.problems[name]), h("button", { onclick: () => ui.send("anyway", { name }) }, "Ask anyway")));

/** What is being asked counts its seconds here, so that the kernel need not. */
function clock(shown, ui) {
  const running = shown.asked[shown.asked.length - 1];
  if (running !== ui.local.running) {
    ui.local.running = running;
    ui.local.since = Date.now();
  }
  clearTimeout(ui.local.timer);
  if (running) ui.local.timer = setTimeout(() => ui.again(), 1000);
}

function tabs(shown, ui) {
  const move = (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step) return;
    event.preventDefault();
    const at = shown.sections.findIndex((section) => section.id === ui.local.section);
    const next = shown.sections[(at + step + shown.sections.length) % shown.sections.length];
    open(ui, next.id);
    ui.focus(`[data-section="${next.id}"]`);
    ui.again();
  };
  return h(
    "div",
    { class: "ex-tabs", role: "tablist", "aria-label": "Sections", onkeydown: move },
    shown.sections.map((section) => {
      const is = section.id === ui.local.section && !ui.local.query.trim();
      const count = section.known ? many(section.total) : "";
      return h(
        "button",
        { key: section.id, "data-section": section.id, role: "tab", "aria-selected": is ? "true" : "false", tabindex: section.id === ui.local.section ? "0" : "-1", class: is ? "ex-tab ex-open" : "ex-tab", onclick: () => { ui.local.query = ""; open(ui, section.id); } },
        section.label,
        count && " ", // between the words that are read out
        count && h("span", { class: "ex-count" }, count),
      );
    }),
  );
}

function list(shown, ui, entries) {
  const query = ui.local.query.trim();
  const section = shown.sections.find((each) => each.id === ui.local.section);
  const some = entries.slice(0, LISTED);
  const unknown = query ? shown.sections.filter((each) => !each.known) : [];
  const names = query ? [] : [section.id];
  return h(
    "div",
    { class: "ex-left", role: "tabpanel", "aria-label": query ? "Found" : section.label },
    !query && NUMBERS[section.id] && some.length > 0 && h("div", { class: "ex-numbers pk-faint", "aria-hidden": "true" }, NUMBERS[section.id]),
    h(
      "ul",
      {
        class: "ex-list",
        role: "listbox",
        tabindex: "0",
        id: `${ui.local.id}-list`,
        "aria-label": query ? "Found" : section.label,
        "aria-activedescendant": some.length ? `${ui.local.id}-${ui.local.at}` : null,
        onkeydown: keys(ui, entries),
      },
      some.map((entry, at) => option(shown, ui, entry, at)),
    ),
    asking(shown, ui, names),
    failed(shown, ui, names),
    !some.length && section.known && !names.some((name) => shown.asked.includes(name)) && h("div", { class: "pk-faint ex-note" }, query ? "Nothing that is known has this in its name." : "None."),
    entries.length > LISTED && h("div", { class: "pk-faint ex-note" }, `The first ${LISTED} of ${many(entries.length)}: type to narrow.`),
    !query && section.total > section.entries.length && h("div", { class: "pk-faint ex-note" }, `${many(section.total)} in all; the first ${many(section.entries.length)} are here.`),
    unknown.length > 0 &&
      h(
        "div",
        { class: "pk-row ex-note" },
        h("span", { class: "pk-faint" }, "Not searched, since nobody has looked:"),
        unknown.map((each) => (shown.asked.includes(each.id) ? h("span", { class: "pk-faint" }, `${each.label} asking…`) : h("button", { key: each.id, onclick: () => ui.send("look", { section: each.id }) }, `Look at ${words(each.label)}`))),
      ),
  );
}

function trend(days) {
  if (!days.length) return false;
  const some = days.slice(-TRENDS);
  const most = Math.max(...some.map(([, lines]) => lines), 1);
  const total = some.reduce((sum, [, lines]) => sum + lines, 0);
  return h(
    "figure",
    { class: "ex-trend", key: "trend", role: "img", "aria-label": `${many(total)} lines in ${some.length} days, at most ${many(most)} a day` },
    h("div", { class: "ex-days" }, some.map(([day, lines]) => h("div", { key: day, title: `${day}: ${many(lines)}`, style: `height:${Math.max((100 * lines) / most, lines ? 2 : 0)}%` }))),
    h("figcaption", { class: "ex-ends pk-faint" }, h("span", null, some[0][0]), h("span", null, `a day, at most ${many(most)}`), h("span", null, some[some.length - 1][0])),
  );
}

function values(found) {
  const whole = Math.max(...found.lines.map(([, , share]) => share), WHOLE);
  const more = found.different - found.lines.length;
  const once = found.lines.length > 1 && found.lines.every(([, count]) => count === 1);
  return h(
    "div",
    { class: "ex-values" },
    once && h("div", { class: "pk-faint" }, "No value is there twice; these are the first."),
    found.spread.length > 0 && h("div", { class: "ex-spread" }, found.spread.map(([name, number]) => h("span", { key: name }, h("span", { class: "pk-faint" }, `${name} `), h("b", null, number)))),
    h("table", { "aria-label": "Values" }, h("tbody", null, found.lines.map(([value, count, share], at) => h("tr", { key: String(at) }, h("th", { scope: "row" }, value === "" ? h("i", { class: "pk-faint" }, "empty text") : value), h("td", { class: "ex-wide" }, bar(share / whole)), h("td", { class: "ex-number" }, percent(share)), h("td", { class: "ex-number pk-faint" }, many(count)))))),
    !found.lines.length && h("div", { class: "pk-faint" }, "No values."),
    more > 0 && h("div", { class: "pk-faint" }, `and ${many(more)} more`),
  );
}

function properties(shown, ui) {
  const { detail } = shown;
  if (detail.chosen !== ui.local.of) {
    ui.local.of = detail.chosen;
    ui.local.property = Math.max(0, detail.properties.findIndex(([name]) => name === detail.chosen));
  }
  const move = (event) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step) ui.local.property = Math.max(0, Math.min(detail.properties.length - 1, ui.local.property + step));
    else if ((event.key === "Enter" || event.key === " ") && detail.properties[ui.local.property]) pick(ui.local.property);
    else return;
    event.preventDefault();
    ui.again();
  };
  const pick = (at) => {
    ui.local.property = at;
    const [name] = detail.properties[at];
    ui.send("choose", { section: "events", name: shown.chosen[1], of: name === detail.chosen ? "" : name });
  };
  return h(
    "ul",
    { class: "ex-list ex-properties", key: "properties", role: "listbox", tabindex: "0", "aria-label": "Properties", "aria-activedescendant": `${ui.local.id}-p${ui.local.property}`, onkeydown: move },
    detail.properties.map(([name, type, filled, share], at) =>
      h(
        "li",
        { key: name, id: `${ui.local.id}-p${at}`, role: "option", "aria-selected": name === detail.chosen ? "true" : "false", class: `ex-entry${at === ui.local.property ? " ex-at" : ""}`, title: `in ${many(filled)} events`, onclick: () => { pick(at); ui.again(); } },
        h("span", { class: "ex-name" }, name, h("span", { class: "pk-faint" }, ` ${type}`)),
        bar(share),
        h("span", { class: "ex-right pk-faint" }, percent(share)),
      ),
    ),
  );
}

function detail(shown, ui) {
  const { detail: found } = shown;
  if (!found) return h("div", { class: "ex-detail pk-faint", role: "region", "aria-label": "Details", key: "none" }, "Choose something to see what is known of it.");
  const [section, name, of] = shown.chosen;
  const isEvent = found.kind === "event";
  const about = isEvent ? [`events: properties of ${name}`, `events: days of ${name}`] : [`${section}: values of ${name}`];
  const ofProperty = [`events: values of ${of} of ${name}`];
  return h(
    "div",
    { class: "ex-detail", role: "region", "aria-label": "Details", key: `${section} ${name}` },
    h("div", { class: "ex-title" }, h("b", null, found.name), " ", h("span", { class: "ex-badge" }, found.kind)),
    problem(found.gone),
    h("div", { class: "ex-facts" }, found.facts.map(([label, value]) => h("div", { key: label }, h("div", { class: "pk-faint" }, label), " ", h("div", null, value)))),
    found.words && h("p", { class: "ex-words" }, found.words),
    found.text && h("pre", { class: "ex-text" }, found.text),
    found.trend && trend(found.trend),
    found.properties && h("div", { class: "ex-heading", key: "heading" }, "Properties ", h("span", { class: "pk-faint" }, "of the last 30 days; choose one for its values")),
    found.properties && (found.properties.length ? properties(shown, ui) : h("div", { class: "pk-faint" }, "No event of the last 30 days has any.")),
    asking(shown, ui, about),
    failed(shown, ui, about),
    isEvent && of && h("div", { class: "ex-heading", key: "of" }, "Values of ", of),
    !isEvent && (found.values || shown.asked.includes(about[0])) && h("div", { class: "ex-heading", key: "of" }, "Values"),
    found.values && values(found.values),
    isEvent && of && asking(shown, ui, ofProperty),
    isEvent && of && failed(shown, ui, ofProperty),
    found.snippet &&
      h("div", { class: "ex-snippet", key: "snippet" }, h("pre", null, found.snippet), h("button", { onclick: (event) => copy(ui, found.snippet, event.target.parentNode.querySelector("pre")), "aria-label": "Copy" }, "Copy")),
  );
}

let opened = 0;

export default widget(
  (shown, ui) => {
    clock(shown, ui);
    if (!ui.local.begun) {
      ui.local.begun = true;
      ui.send("look", { section: ui.local.section });
    }
    const entries = listed(shown, ui);
    ui.local.at = Math.max(0, Math.min(ui.local.at, Math.min(entries.length, LISTED) - 1));
    if (ui.local.scroll) {
      ui.local.scroll = false;
      setTimeout(() => document.getElementById(`${ui.local.id}-${ui.local.at}`)?.scrollIntoView({ block: "nearest" }), 0);
    }
    const type = (event) => {
      ui.local.query = event.target.value;
      ui.local.at = 0;
      ui.again();
    };
    return h(
      "section",
      { class: "pk-card ex", "aria-label": "Explorer" },
      h(
        "div",
        { class: "pk-part ex-head" },
        h("input", { type: "search", value: ui.local.query, placeholder: "Search names", "aria-label": "Search", "aria-controls": `${ui.local.id}-list`, "aria-activedescendant": entries.length ? `${ui.local.id}-${ui.local.at}` : null, oninput: type, onkeydown: keys(ui, entries) }),
        tabs(shown, ui),
      ),
      problem(shown.problem),
      h("div", { class: "pk-part ex-body" }, list(shown, ui, entries), detail(shown, ui)),
    );
  },
  { starts: () => ({ id: `pk-explorer-${(opened += 1)}`, query: "", section: "events", at: 0, property: 0 }) },
);
