// The builder. The kernel has the draft (its shape stands in notebook/builder/draft.py); this draws it, and says what a
// person did. What is typed is held here until the kernel has heard of it, so that nobody's typing is overtaken.
//
// Names that a test or a screen reader finds things by:
//   groups    "Audience builder"; "Rules", "Exceptions", "Users left out" and every rule or group in them: "Rule 1",
//             "Rule 1.2", "Exception 1", "Left out 1"
//   in a rule "Did or did not", "Event", "Measure", "Measured property", "Trait", "Whose trait", "Property", "Audience",
//             "Whose users", "Operator", "Value", "Add a value", "Amount", "Unit", "Window", "Window amount", "Window unit",
//             "Match", "Text", "Experiment", "From percent", "To percent"
//   buttons   in a group "+ Event", "+ Trait", "+ Audience", "+ Group" ...; in a rule "Remove Rule 1", "Duplicate Rule 1",
//             "Move Rule 1 up", "Move Rule 1 down", "Negate Rule 1", "Group Rule 1", "More of Rule 1"
//   above     "Name of the audience", "Key", "Undo", "Redo"
//   below     "Count", tabs "Python", "Query language", "In words", "Copy Python" ..., "Add to workspace", "Preview",
//             "Hide preview", then "Destination" and "Plan for <destination>"; groups "Preview" and "Plan", with the push bar
//             in it; the size is [data-size], that of a rule [data-size-of=id]
//   keys      Alt with an arrow up or down moves the rule that has the focus, Alt+Backspace removes it; Ctrl+Z in no field
//             takes a change back; in a list arrows choose, Enter takes, Escape leaves

const KINDS = { event: "Event", trait: "Trait", in_audience: "Audience", users: "Users", property: "Property", any: "Group", split: "Experiment", text: "Text" };
const FOLLOWS = { ...KINDS, event: "Followed by", trait: "Trait of the user" };
const TIMES = { ">=": "at least", "<=": "at most", "=": "exactly", ">": "more than", "<": "fewer than", "!=": "not exactly" };
const MATCHES = [
  ["all", "all of"],
  ["any", "any of"],
  ["not any", "none of"],
  ["not all", "not all of"],
];
const WINDOWS = [
  ["ever", "ever"],
  ["last", "in the last"],
  ["between", "between"],
];
const LATER = [
  ["ever", "at any time after"],
  ["after", "within"],
  ["after between", "between"],
  ["last", "in the last"],
];

// --- what is typed ------------------------------------------------------------------------------------------------------

/** A number that grows with everything that is said, so that the kernel can tell how far it has heard. */
const next = (ui) => (ui.local.said = Math.max(ui.local.said + 1, Date.now()));

const hold = (ui, key, text, say) => {
  const heard = next(ui);
  ui.local.held[key] = { text, heard };
  say(text, heard);
};

/** What is held is let go of once the kernel has heard it and nobody is typing there. */
function letGo(shown, ui) {
  for (const [key, { heard }] of Object.entries(ui.local.held)) if (ui.local.at !== key && (shown.heard || 0) >= heard) delete ui.local.held[key];
}

const held = (ui, key, value) => (ui.local.held[key] ? ui.local.held[key].text : value);

const field = (ui, key, value, say, props = {}) =>
  h(props.rows ? "textarea" : "input", {
    ...(props.rows ? {} : { type: "text" }),
    key,
    value: held(ui, key, value),
    spellcheck: "false",
    autocomplete: "off",
    onfocus: () => {
      ui.local.at = key;
    },
    onblur: () => {
      ui.local.at = null;
    },
    oninput: (event) => hold(ui, key, event.target.value, say),
    ...props,
  });

const choice = (label, value, options, say, props = {}) =>
  h(
    "select",
    { "aria-label": label, value, onchange: (event) => say(event.target.value), ...props },
    options.map(([name, says]) => h("option", { value: name, key: `o ${name}` }, says)),
  );

/** A text with a list beside it: what is in the list is offered, and anything may be typed. */
function combo(ui, key, { label, value, options, say, look, looking, placeholder, bad, clears, first }) {
  const own = ui.local.combo && ui.local.combo.key === key ? ui.local.combo : null;
  const text = own && own.typed !== null ? own.typed : held(ui, key, value);
  const wanted = own && own.typed !== null ? own.typed.trim().toLowerCase() : "";
  const fits = (one) => `${one.name} ${one.called || ""}`.toLowerCase().indexOf(wanted);
  const found = own && own.open ? options.filter((one) => fits(one) >= 0).sort((a, b) => wanted && fits(a) - fits(b)).slice(0, 100) : [];
  const list = `${ui.local.id} ${key}`.replace(/\W+/g, "-");
  const exact = (typed) => (options.find((one) => one.name === typed) || options.find((one) => one.name.toLowerCase() === typed.trim().toLowerCase()) || { name: typed }).name;
  const leave = () => {
    ui.local.combo = null;
  };
  const take = (name) => {
    leave();
    if (clears) say(name, next(ui));
    else hold(ui, key, name, say);
    ui.again();
  };
  const change = (news) => {
    if (look) look();
    ui.local.combo = { key, open: true, typed: null, on: -1, ...own, ...news };
    ui.again();
  };
  const keys = (event) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step && !event.altKey) {
      const on = own && own.open ? (own.on + step + found.length) % (found.length || 1) : 0;
      change({ open: true, on });
      const chosen = event.target.parentNode.querySelector('[aria-selected="true"]');
      if (chosen) chosen.scrollIntoView({ block: "nearest" });
    } else if (event.key === "Enter" && own) take(found[own.on] ? found[own.on].name : first && found.length === 1 ? found[0].name : exact(text));
    else if (event.key === "Escape" && own) {
      leave();
      ui.again();
    } else return;
    event.preventDefault();
  };
  const typedAndLeft = () => {
    ui.local.at = null;
    const left = ui.local.combo && ui.local.combo.key === key ? ui.local.combo : null;
    if (!left) return;
    // the focus may have gone because the tree is just being drawn: what follows is drawn after that
    queueMicrotask(() => {
      if (left.typed !== null && left.typed !== value && (left.typed || !clears)) return take(exact(left.typed));
      leave();
      return ui.again();
    });
  };
  return h(
    "span",
    { class: "pkb-combo", key },
    h("input", {
      type: "text",
      role: "combobox",
      "aria-label": label,
      "aria-autocomplete": "list",
      "aria-expanded": String(!!(own && own.open)),
      "aria-controls": list,
      "aria-activedescendant": own && own.on >= 0 ? `${list}-${own.on}` : null,
      "aria-invalid": bad ? "true" : null,
      "data-first": !!first,
      autocomplete: "off",
      spellcheck: "false",
      placeholder,
      size: Math.min(Math.max(String(text).length || placeholder.length, 6), 40),
      value: text,
      onfocus: () => {
        ui.local.at = key;
        if (look) look();
      },
      onclick: () => change({}),
      oninput: (event) => change({ typed: event.target.value, on: -1 }),
      onkeydown: keys,
      onblur: typedAndLeft,
    }),
    own &&
      own.open &&
      (found.length > 0 || looking) &&
      h(
        "ul",
        { class: "pkb-list", role: "listbox", id: list, "aria-label": `${label}: choices`, onmousedown: (event) => event.preventDefault() },
        found.map((one, at) =>
          h(
            "li",
            { role: "option", id: `${list}-${at}`, key: `c ${one.name}`, "aria-selected": String(at === own.on), onclick: () => take(one.name) },
            h("span", null, one.name),
            h("span", { class: "pk-faint" }, one.note || ""),
          ),
        ),
        looking && h("li", { class: "pk-faint", key: "looking" }, "looking them up …"),
      ),
  );
}

// --- a rule -------------------------------------------------------------------------------------------------------------

/** What all parts of a draft are drawn with. `put`, `say` and `act` tell the kernel. */
function drawing(shown, ui) {
  const { menus, offers, count } = shown;
  const sizes = (ui.local.last && ui.local.last.sizes) || {};
  return {
    shown,
    ui,
    menus,
    offers,
    sizes,
    refused: count.refused || {},
    put: (id, path) => (value, heard = 0) => ui.send("put", { id, path, value, heard }),
    say: (id, at, type) => (text, heard = 0) => ui.send("say", { id, at, value: { type, text }, heard }),
    act: (name, rest) => () => ui.send(name, rest),
    missing: (id, name) => shown.missing.some((one) => one.id === id && one.field === name),
  };
}

const share = (one) => (one.share === null || one.share === undefined ? "" : `${Math.round(100 * one.share)}%`);
const noted = (listed) => (listed || []).map((one) => ({ ...one, note: [one.type, share(one)].filter(Boolean).join(" · ") }));
const counted = (listed) => (listed || []).map((one) => ({ ...one, note: one.lines === null ? "" : many(one.lines) }));
/** How something is compared: "" if its type is not known, nothing as long as nobody can know it. */
const kindOf = (listed, name, looking) => (name && !looking ? ((listed || []).find((one) => one.name === name) || {}).kind || "" : undefined);

const SENTENCE = {
  event(of, node, place) {
    const inside = place === "event";
    const { ui, put, offers, menus } = of;
    const measure = node.measure;
    const plain = measure.of === "count";
    const properties = offers.properties[node.event];
    const reducer = menus.reducers.find((one) => one.of === measure.of) || { type: "" };
    const looking = offers.looking.includes(`properties ${node.event}`);
    const kind = reducer.type || measure.as || kindOf(properties, held(ui, `${node.id} measured`, measure.property), looking);
    const measures = choice("Measure", measure.of, menus.reducers.map((one) => [one.of, one.of === "count" ? (plain && (node.values[0] || {}).text === "1" ? "time" : "times") : one.says]), put(node.id, ["measure", "of"]), { key: "measure" });
    return [
      choice("Did or did not", node.not ? "not" : "", inside ? [["", "then did"], ["not", "then did not"]] : [["", "did"], ["not", "did not"]], (value) => put(node.id, ["not"])(value === "not"), { key: "did", class: node.not ? "pkb-not" : "" }),
      combo(ui, `${node.id} event`, { label: "Event", first: true, value: node.event, options: counted(offers.events), say: put(node.id, ["event"]), looking: offers.looking.includes("events"), placeholder: "choose an event", bad: of.missing(node.id, "event") }),
      !plain && h("span", { key: "with" }, "with"),
      !plain && measures,
      !plain && combo(ui, `${node.id} measured`, { label: "Measured property", value: measure.property || "", options: noted(properties), say: put(node.id, ["measure", "property"]), look: () => ui.send("offer", { about: { event: node.event } }), looking, placeholder: "choose a property", bad: of.missing(node.id, "measure") }),
      comparison(of, node, kind, plain ? null : { event: node.event, property: measure.property }, plain),
      plain && measures,
      during(of, node, inside),
    ];
  },
  trait(of, node, place) {
    const { ui, put, offers } = of;
    const own = place === "account" || node.of === "account";
    const listed = own ? offers.accounts : offers.traits;
    const whose = place === "account" ? "its" : place === "event" ? "by somebody whose" : "their";
    const both = place !== "account" && (offers.accounts.length > 0 || node.of === "account");
    const looking = offers.looking.includes(own ? "accounts" : "traits");
    const named = held(ui, `${node.id} trait`, node.trait);
    const options = [["subject", whose], ["account", place === "event" ? "by somebody whose account's" : "their account's"]];
    return [
      both ? choice("Whose trait", node.of, options, put(node.id, ["of"]), { key: "whose" }) : h("span", { key: "whose" }, whose),
      combo(ui, `${node.id} trait`, { label: "Trait", first: true, value: node.trait, options: noted(listed), say: put(node.id, ["trait"]), looking, placeholder: "choose a trait", bad: of.missing(node.id, "trait") }),
      comparison(of, node, kindOf(listed, named, looking), { trait: named, of: own ? "account" : "subject" }),
    ];
  },
  property(of, node, place, around) {
    const { ui, put, offers } = of;
    const event = around[node.parent && around.length > 1 ? around.length - 2 : around.length - 1] || "";
    const properties = offers.properties[event];
    const looking = offers.looking.includes(`properties ${event}`);
    const named = held(ui, `${node.id} property`, node.property);
    return [
      node.parent && h("span", { key: "parent" }, "of the event before, "),
      combo(ui, `${node.id} property`, { label: "Property", first: true, value: node.property, options: noted(properties), say: put(node.id, ["property"]), look: () => event && ui.send("offer", { about: { event } }), looking, placeholder: "choose a property", bad: of.missing(node.id, "property") }),
      comparison(of, node, node.as || kindOf(properties, named, looking), { event, property: named }),
    ];
  },
  in_audience(of, node, place) {
    const { ui, put, offers, shown } = of;
    const listed = offers.audiences.filter((one) => one.name !== shown.key).map((one) => ({ ...one, note: one.subject === "account" ? `${one.called} · accounts` : one.called }));
    const [is, isnt] = place === "event" ? ["by somebody in", "by somebody not in"] : ["in the audience", "not in the audience"];
    return [
      choice("In or not in", node.not ? "not" : "", [["", is], ["not", isnt]], (value) => put(node.id, ["not"])(value === "not"), { key: "in", class: node.not ? "pkb-not" : "" }),
      combo(ui, `${node.id} audience`, { label: "Audience", first: true, value: node.audience, options: listed, say: put(node.id, ["audience"]), placeholder: "choose an audience", bad: of.missing(node.id, "audience") }),
    ];
  },
  users(of, node) {
    const { put, menus } = of;
    const number = node.quantifier === "count" || node.quantifier === "share";
    return [
      choice("Whose users", node.quantifier, menus.quantifiers.map((one) => [one.quantifier, one.says]), put(node.id, ["quantifier"]), { key: "whose", "data-first": true }),
      number && comparison(of, node, "number", null),
      h("span", { key: "who" }, number ? ", of those for whom" : "for whom"),
    ];
  },
  split(of, node) {
    const { ui, put } = of;
    return [
      choice("Arm or held out", node.holdout ? "held" : "arm", [["arm", "in the arm of"], ["held", "held out by"]], (value) => put(node.id, ["holdout"])(value === "held"), { key: "arm" }),
      field(ui, `${node.id} name`, node.name, put(node.id, ["name"]), { "aria-label": "Experiment", "data-first": true, placeholder: "name of the experiment", size: 18 }),
      !node.holdout && h("span", { key: "from" }, "from"),
      !node.holdout && field(ui, `${node.id} low`, node.low, put(node.id, ["low"]), { "aria-label": "From percent", inputmode: "decimal", size: 4 }),
      h("span", { key: "to" }, node.holdout ? "" : "to"),
      field(ui, `${node.id} high`, node.high, put(node.id, ["high"]), { "aria-label": "To percent", inputmode: "decimal", size: 4 }),
      h("span", { key: "percent" }, "%"),
    ];
  },
  text(of, node) {
    return [field(of.ui, `${node.id} text`, node.text, of.put(node.id, ["text"]), { "aria-label": "Text", "data-first": true, rows: Math.min(6, 1 + Math.floor(node.text.length / 70)), class: "pkb-code", placeholder: "event('Order Completed').count() >= 3" })];
  },
};

/** An operator, and the values that it takes. */
function comparison(of, node, kind, about, times = false) {
  const { menus, put } = of;
  const all = menus.operators[""];
  const fitting = times ? all.filter((one) => one.op in TIMES) : menus.operators[kind || ""] || all;
  const now = all.find((one) => one.op === node.op) || all[0];
  const listed = fitting.some((one) => one.op === node.op) ? fitting : [...fitting, now];
  const says = (one) => (times && TIMES[one.op]) || one.says;
  const texts = menus.ignore_case.includes(node.op) && node.values.some((one) => one.type === "string");
  return [
    choice("Operator", node.op, listed.map((one) => [one.op, says(one)]), put(node.id, ["op"]), { key: "op" }),
    values(of, node, kind, about, now.takes),
    texts && node.ignore_case && h("span", { key: "case", class: "pk-faint" }, "in any case"),
  ];
}

function values(of, node, kind, about, takes) {
  const { ui, put } = of;
  if (takes === "none") return [];
  if (takes === "duration") {
    const one = node.values[0] || { amount: "", unit: "days" };
    return span(of, node.id, "", one, (news, heard) => ui.send("say", { id: node.id, at: 0, value: { type: "duration", amount: one.amount, unit: one.unit, ...news }, heard }));
  }
  const said = (at) => ({ duration: "", empty: "string" })[(node.values[at] || {}).type] ?? ((node.values[at] || {}).type || "");
  const usual = { list: "string", "": said(0) || "string" }[kind || ""] || kind;
  const type = (at) => said(at) || usual;
  const typed = kind === "" && h("span", { key: "types" }, choice("Kind of value", type(0), of.menus.values.map((one) => [one.type, one.says]), (name) => ui.send("say", { id: node.id, at: 0, value: { type: name, text: name === "boolean" ? "true" : (node.values[0] || {}).text || "" } }), { class: "pkb-small" }));
  if (takes === "one") return [typed, value(of, node, 0, type(0), about)];
  const chips = node.values.map((one, at) =>
    h(
      "span",
      { class: "pkb-chip", key: `v ${at} ${one.text}` },
      one.type === "empty" ? "the empty text" : one.text,
      h("button", { type: "button", "aria-label": `Take ${one.text} out`, onclick: () => ui.send("say", { id: node.id, at, value: { type: one.type, text: "" } }) }, "×"),
    ),
  );
  return [typed, chips, adder(of, node, usual, about)];
}

const bad = (of, node) => (of.missing(node.id, "values") ? "true" : null);

function value(of, node, at, type, about) {
  const { ui, say } = of;
  const text = (node.values[at] || { text: "" }).text;
  const key = `${node.id} value ${at}`;
  if (type === "boolean") return choice("Value", text || "true", [["true", "true"], ["false", "false"]], say(node.id, at, "boolean"), { key });
  if (type === "date") return field(ui, key, text, say(node.id, at, "date"), { "aria-label": "Value", type: /^(\d{4}-\d\d-\d\d)?$/.test(text) ? "date" : "text", "aria-invalid": bad(of, node) });
  if (type === "string" && about) return combo(ui, key, { label: "Value", value: text, say: say(node.id, at, "string"), placeholder: (node.values[at] || {}).type === "empty" ? "the empty text" : "a value", bad: bad(of, node), ...common(of, about) });
  const size = Math.min(Math.max(text.length + 1, type === "number" ? 5 : 12), 30);
  return field(ui, key, text, say(node.id, at, type), { "aria-label": "Value", inputmode: type === "number" ? "decimal" : null, size, class: type === "value" ? "pkb-code" : "", "aria-invalid": bad(of, node) });
}

/** A further value of several: Enter, or a choice, adds it. */
function adder(of, node, type, about) {
  const say = (text, heard) => text !== "" && of.ui.send("say", { id: node.id, at: node.values.length, value: { type, text }, heard });
  const offered = about && type === "string" ? common(of, about) : { options: [], look: null, looking: false };
  const left = { ...offered, options: offered.options.filter((one) => !node.values.some((each) => each.text === one.name)) };
  return combo(of.ui, `${node.id} adder`, { label: "Add a value", value: "", say, placeholder: "add a value", bad: bad(of, node), clears: true, ...left });
}

/** The values that are common, looked up once the field has the focus. */
function common({ ui, offers }, about) {
  const name = about.trait ? `${about.of} trait ${about.trait}` : `${about.event} property ${about.property}`;
  const whole = about.trait || (about.event && about.property);
  return { options: whole ? counted(offers.values[name]) : [], looking: offers.looking.includes(`values ${name}`), look: () => whole && !offers.values[name] && ui.send("offer", { about }) };
}

const span = ({ ui, menus }, id, name, one, say) => [
  field(ui, `${id} amount ${name}`, one.amount, (amount, heard) => say({ amount }, heard), { "aria-label": name ? `${name} amount` : "Amount", inputmode: "decimal", size: 4 }),
  choice(name ? `${name} unit` : "Unit", one.unit, menus.units.filter((unit) => unit !== "seconds" || one.unit === unit).map((unit) => [unit, unit]), (unit) => say({ unit }), { key: `unit ${name}` }),
];

/** When the events were. */
function during(of, node, inside) {
  const { put } = of;
  const window = node.window;
  const mode = !window ? "ever" : `${window.parent ? "after" : window.newer ? "" : "last"}${window.newer ? " between" : ""}`.trim();
  const older = (window && window.older) || { amount: inside ? "7" : "30", unit: "days" };
  const newer = (window && window.newer) || { amount: "0", unit: "days" };
  const become = (name) => put(node.id, ["window"])(name === "ever" ? null : { older, newer: name.endsWith("between") ? { ...newer, amount: newer.amount === "0" ? "1" : newer.amount } : null, parent: name.startsWith("after") });
  const end = window && (window.parent ? "after it" : window.newer ? "ago" : "");
  return [
    choice("Window", mode, inside || (window && window.parent) ? LATER : WINDOWS, become, { key: "window" }),
    window && window.newer && span(of, node.id, "Window start", newer, (news, heard) => put(node.id, ["window", "newer"])({ ...newer, ...news }, heard)),
    window && window.newer && h("span", { key: "and" }, "and"),
    window && span(of, node.id, "Window", older, (news, heard) => put(node.id, ["window", "older"])({ ...older, ...news }, heard)),
    end && h("span", { key: "end" }, end),
  ];
}

/** What is seldom wanted. */
function further(of, node, place, around) {
  const { ui, put, menus, shown } = of;
  const found = [];
  if (node.op && menus.ignore_case.includes(node.op) && node.values.some((one) => one.type === "string")) {
    const turn = (event) => put(node.id, ["ignore_case"])(event.target.checked);
    found.push(h("label", { class: "pk-row" }, h("input", { type: "checkbox", checked: node.ignore_case, onchange: turn }), "upper and lower case are the same"));
  }
  const typed = (say, as, label) => [h("span", null, label), choice(label, as || "", [["", "as it is"], ...menus.types.map((one) => [one, one])], (name) => say(name || null))];
  if (node.is === "event" && shown.subject === "account" && place === "account") found.push(choice("Counted", node.counted, menus.counted.map((one) => [one.counted, one.says]), put(node.id, ["counted"])));
  if (node.is === "event" && node.measure.of === "most_frequent") found.push(h("span", null, "seen at least"), field(ui, `${node.id} seen`, node.measure.at_least || "", put(node.id, ["measure", "at_least"]), { "aria-label": "Seen at least", size: 4 }), h("span", null, "times"));
  if (node.is === "event" && node.measure.of !== "count") found.push(typed(put(node.id, ["measure", "as"]), node.measure.as, "read the property as"));
  if (node.is === "property") found.push(typed(put(node.id, ["as"]), node.as, "read as"));
  if (node.is === "property" && around.length > 1) found.push(choice("Whose property", node.parent ? "parent" : "", [["", "of this event"], ["parent", "of the event before"]], (name) => put(node.id, ["parent"])(name === "parent")));
  if (node.is === "split") found.push(choice("Divided by", node.by, [["subject", "each on its own"], ["account", "by account"]], put(node.id, ["by"])));
  return found;
}

function rule(of, node, place, around, name) {
  if (node.is === "all" || node.is === "any") return group(of, node, place, around, name, { part: true });
  const { ui } = of;
  const more = further(of, node, place, around);
  const opened = ui.local.more[node.id];
  const nested = node.is === "event" && place === "event";
  const inner = node.is === "event" ? node.where : node.is === "users" ? node.of : null;
  const beside = node.is === "event" ? [...around, node.event] : around;
  const said = node.not && !["event", "in_audience"].includes(node.is);
  return h(
    "div",
    { class: `pkb-rule${node.not ? " pkb-negated" : ""}`, role: "group", "aria-label": name, key: node.id, "data-node": node.id, onkeydown: keysOf(of, node) },
    h(
      "div",
      { class: "pkb-line" },
      h("div", { class: "pkb-sentence" }, said && h("b", { class: "pkb-not", key: "not" }, "not:"), SENTENCE[node.is](of, node, place, around)),
      h("div", { class: "pkb-end" }, sizeOf(of, node), tools(of, node, name, place, more.length > 0 || nested)),
    ),
    opened && more.length > 0 && h("div", { class: "pkb-more pk-row", key: "more" }, more),
    told(of, node),
    inner && node.is === "event" && inner.parts.length === 0 && (!nested || opened) && adders(of, inner, "event", { property: "where", event: "followed by" }),
    inner && (node.is === "users" || inner.parts.length > 0) && group(of, inner, node.is === "event" ? "event" : "user", beside, name, { where: node.is === "event" }),
  );
}

function keysOf(of, node) {
  return (event) => {
    if (!event.altKey || event.ctrlKey || event.metaKey) return;
    if (event.key === "ArrowUp" || event.key === "ArrowDown") of.ui.send("move", { id: node.id, by: event.key === "ArrowUp" ? -1 : 1 });
    else if (event.key === "Backspace" || event.key === "Delete") of.ui.send("remove", { id: node.id });
    else return;
    event.preventDefault();
    event.stopPropagation();
  };
}

function tools(of, node, name, place, more) {
  const { ui, act } = of;
  const tool = (says, label, onclick, props = {}) => h("button", { type: "button", class: "pkb-tool", title: label, "aria-label": label, onclick, key: label.split(" ")[0] + (props.key || ""), ...props }, says);
  const group = node.is === "all" || node.is === "any";
  return h(
    "div",
    { class: "pkb-tools", key: "tools" },
    !group && !["event", "in_audience"].includes(node.is) && tool("not", `Negate ${name}`, () => of.put(node.id, ["not"])(!node.not), { "aria-pressed": String(node.not) }),
    more && tool("…", `More of ${name}`, () => {
      ui.local.more[node.id] = !ui.local.more[node.id];
      ui.again();
    }, { "aria-expanded": String(!!ui.local.more[node.id]) }),
    tool("↑", `Move ${name} up`, act("move", { id: node.id, by: -1 }), { key: "up" }),
    tool("↓", `Move ${name} down`, act("move", { id: node.id, by: 1 }), { key: "down" }),
    !group && place !== "event" && tool("( )", `Group ${name}`, act("group", { id: node.id })),
    tool("", `Duplicate ${name}`, act("twice", { id: node.id }), { class: "pkb-tool pkb-twice" }),
    tool("×", `Remove ${name}`, act("remove", { id: node.id })),
  );
}

const WHO = { user: "users", account: "accounts" };

function sizeOf({ sizes, shown, ui }, node) {
  const size = sizes[node.id];
  if (size === undefined) return h("span", { class: "pkb-size", key: "size" }, "");
  const who = size === 1 ? shown.subject : WHO[shown.subject];
  return h("span", { class: `pkb-size${ui.local.stale ? " pkb-stale" : ""}`, key: "size", "data-size-of": node.id }, h("b", null, many(size)), ` ${who}`);
}

const NO_RULE = "there is no rule here yet";

/** What is missing in a rule, what the warehouse does not allow, and what is likely not meant. */
function told({ shown, refused }, node, empty = true) {
  const id = node.id;
  const within = (node.parts || []).some((one) => refused[one.id]);
  const missing = shown.missing.filter((one) => one.id === id && (empty || one.what !== NO_RULE));
  const lines = missing.map((one) => h("div", { class: "pkb-missing", key: `m ${one.field} ${one.what}` }, one.what, one.hint ? h("span", { class: "pk-faint" }, ` · ${one.hint}`) : "", one.where.includes("^") ? h("pre", null, one.where) : ""));
  if (refused[id] && !within) lines.push(h("div", { class: "pkb-missing", key: "refused" }, refused[id].what, refused[id].hint ? h("span", { class: "pk-faint" }, ` · ${refused[id].hint}`) : ""));
  for (const one of shown.warned) if (one.id === id) lines.push(warning(one));
  return lines;
}

const warning = (one) => h("div", { class: "pk-notice pkb-warned", key: `w ${one.code} ${one.part}` }, h("b", null, "To know "), one.what, h("div", { class: "pk-faint" }, one.hint));

// --- a group ------------------------------------------------------------------------------------------------------------

function group(of, node, place, around, name, { part, where, head, size } = {}) {
  const { put } = of;
  const match = `${node.not ? "not " : ""}${node.is}`;
  const become = (said) => {
    const [is, not] = [said.replace("not ", ""), said.startsWith("not ")];
    if (is !== node.is) put(node.id, ["is"])(is);
    if (not !== node.not) put(node.id, ["not"])(not);
  };
  const joined = node.is === "all" ? "and" : "or";
  const label = (at) => `${name}${/\d$/.test(name) ? "." : " "}${at + 1}`;
  const several = node.parts.length > 1 || node.not || part || head;
  const rules = node.parts.flatMap((one, at) => [
    at > 0 && h("div", { class: "pkb-joined", key: `j ${one.id}`, "aria-hidden": "true" }, joined),
    rule(of, one, place, around, label(at)),
  ]);
  return h(
    "div",
    { class: `pkb-group pkb-${node.not ? "none" : node.is}${part ? " pkb-part" : ""}${where ? " pkb-where" : ""}`, role: head ? null : "group", "aria-label": head ? null : part ? name : `${name}: ${where ? "where" : "of users"}`, key: node.id, "data-node": node.id, onkeydown: part ? keysOf(of, node) : null },
    h(
      "div",
      { class: "pkb-line", key: "head" },
      h(
        "div",
        { class: "pkb-sentence" },
        head || (where ? h("span", null, "where") : ""),
        several && choice("Match", match, MATCHES, become, { key: "match", class: node.not ? "pkb-not" : "" }),
        several && h("span", { class: "pk-faint", key: "these" }, "these hold"),
      ),
      size && h("div", { class: "pkb-end", key: "end" }, size),
      part && h("div", { class: "pkb-end", key: "end" }, sizeOf(of, node), tools(of, node, name, place, false)),
    ),
    told(of, node, !head),
    rules,
    adders(of, node, place),
  );
}

function adders({ menus, ui, act }, node, place, only) {
  const kinds = (menus.places[place] || []).map((one) => one.is).filter((is) => is !== "all");
  const seldom = place === "event" ? ["trait", "in_audience", "any", "text"] : ["split", "text"];
  const names = { ...(place === "event" ? FOLLOWS : KINDS), ...only };
  const more = ui.local.more[`add ${node.id}`];
  const button = (is) => h("button", { type: "button", class: "pkb-add", key: `add ${is}`, onclick: act("insert", { group: node.id, kind: is, place }) }, `+ ${names[is]}`);
  return h(
    "div",
    { class: "pk-row pkb-adders", key: "adders" },
    kinds.filter((is) => !seldom.includes(is) || more).map(button),
    !more && kinds.some((is) => seldom.includes(is)) && h("button", { type: "button", class: "pkb-add", key: "more", "aria-label": "More kinds of rules", onclick: () => {
      ui.local.more[`add ${node.id}`] = true;
      ui.again();
    } }, "…"),
  );
}

// --- the rest of the card -----------------------------------------------------------------------------------------------

function header(of) {
  const { shown, ui, put, act } = of;
  const draft = shown.draft;
  return h(
    "div",
    { class: "pk-part pkb-head", key: "head" },
    field(ui, "draft name", draft.name, put("", ["name"]), { "aria-label": "Name of the audience", placeholder: "Name of the audience", class: "pkb-name", "aria-invalid": of.missing("", "name") && draft.where.parts.length > 0 ? "true" : null }),
    h("label", { class: "pk-faint pkb-key" }, "key ", field(ui, "draft key", draft.key, put("", ["key"]), { "aria-label": "Key", placeholder: shown.key || "from the name", size: Math.min(Math.max((draft.key || shown.key || "from the name").length, 8), 34), class: "pkb-code" })),
    h("span", { class: "pk-grow" }),
    h("span", { class: "pkb-badge" }, shown.subject === "user" ? "users" : "accounts"),
    h("button", { type: "button", class: "pkb-tool", "aria-label": "Undo", title: "Undo", disabled: !shown.undo, onclick: act("undo") }, "↶"),
    h("button", { type: "button", class: "pkb-tool", "aria-label": "Redo", title: "Redo", disabled: !shown.redo, onclick: act("redo") }, "↷"),
    shown.missing.filter((one) => !one.id && one.field !== "name").map((one) => h("div", { class: "pkb-missing pkb-wide", key: `m ${one.what}` }, one.what, one.hint ? h("span", { class: "pk-faint" }, ` · ${one.hint}`) : "")),
  );
}

function tree(of) {
  const { shown, ui } = of;
  const draft = shown.draft;
  const who = WHO[shown.subject];
  const head = (words) => h("b", { key: "who" }, words);
  const except = draft.unless.parts.length > 0 || ui.local.more.unless;
  const out = draft.unless_user && (draft.unless_user.parts.length > 0 || ui.local.more.unless_user);
  const shows = (name, words) =>
    h("button", { type: "button", class: "pkb-add", key: name, onclick: () => {
      ui.local.more[name] = true;
      ui.focus(`[data-node="${draft[name].id}"] .pkb-add`);
      ui.again();
    } }, words);
  return h(
    "div",
    { class: "pk-part pkb-tree", key: "tree" },
    h("div", { role: "group", "aria-label": "Rules", key: "where" }, group(of, draft.where, shown.subject, [], "Rule", { head: head(`${who[0].toUpperCase()}${who.slice(1)} for whom`.replace("Accounts for whom", "Accounts for which")) })),
    except && h("div", { role: "group", "aria-label": "Exceptions", key: "except" }, group(of, draft.unless, shown.subject, [], "Exception", { head: head(`except ${who} for whom`.replace("accounts for whom", "accounts for which")), size: draft.unless.parts.length > 0 && sizeOf(of, draft.unless) })),
    out && h("div", { role: "group", "aria-label": "Users left out", key: "out" }, group(of, draft.unless_user, "user", [], "Left out", { head: head("without their users for whom") })),
    h("div", { class: "pk-row", key: "excepts" }, !except && shows("unless", "+ Exception"), draft.unless_user && !out && shows("unless_user", "+ Leave users out")),
  );
}

function size(of) {
  const { shown, ui, act } = of;
  const count = shown.count;
  const last = ui.local.last;
  const who = WHO[shown.subject];
  const everyone = last && last[who];
  const whole = last && last.sizes[""];
  const known = whole !== undefined && last;
  const part = known && everyone ? whole / everyone : 0;
  const stale = ui.local.stale ? " pkb-stale" : "";
  const refused = count.refused && count.refused[""];
  const seconds = ui.local.since ? Math.floor((Date.now() - ui.local.since) / 1000) : 0;
  const doing = { waiting: "", counting: `${count.doing === "asking" || count.doing === "running" ? "counting" : count.doing} …${seconds > 0 ? ` ${seconds} s` : ""}` }[count.state];
  return h(
    "div",
    { class: "pk-part pkb-count", key: "count" },
    h(
      "div",
      { class: `pk-row${stale}` },
      h("span", { class: `pkb-number${known ? "" : " pk-faint"}`, "data-size": known ? String(whole) : "", key: "number" }, known ? many(whole) : everyone && !refused ? many(everyone) : "–"),
      h("span", { key: "of", class: known ? "" : "pk-faint" }, known ? `${whole === 1 ? shown.subject : who} · ${(100 * part).toFixed(1)}% of ${many(everyone || 0)}` : refused ? "cannot be counted as it stands" : everyone ? `${who} in all` : ""),
      h("span", { class: "pk-grow" }),
      h("span", { class: "pk-faint", key: "doing" }, doing !== undefined ? doing : count.state === "done" ? [count.reads, `${count.seconds.toFixed(1)} s`, `as of ${count.as_of}`].filter(Boolean).join(" · ") : ""),
    ),
    h("div", { class: `pkb-bar${stale}`, key: "bar", "aria-hidden": "true" }, h("div", { style: `width:${(100 * part).toFixed(2)}%` })),
    count.state === "asks" && h("div", { class: "pk-row pkb-asks", key: "asks" }, h("span", null, `Counting ${count.reads}.`), h("button", { type: "button", onclick: act("count") }, "Count")),
    count.state === "failed" && problem(count.problem),
    refused && Object.keys(count.refused).length === 1 && problem(refused),
    Object.entries(shown.offers.problems).map(([name, one]) => h("div", { class: "pk-notice", key: `p ${name}` }, `${name} were not looked up: ${one.what}. `, h("button", { type: "button", onclick: act("anyway", { name }) }, "Look them up anyway"))),
    shown.warned.filter((one) => !one.id).map(warning),
  );
}

const TABS = [
  ["python", "Python"],
  ["text", "Query language"],
  ["english", "In words"],
];

const copied = (ui, text) => () => {
  ui.local.copied = text;
  ui.again();
};

const copyable = (ui, text, label, props = {}) =>
  h(
    "div",
    { class: "pkb-copy", ...props },
    h("pre", { class: "pkb-code", tabindex: "0", "aria-label": label }, text),
    h("button", { type: "button", class: "pkb-small", "aria-label": `Copy ${label}`, onclick: (event) => copy(ui, text, event.target.parentNode.querySelector("pre"), copied(ui, text)) }, ui.local.copied === text ? "Copied" : "Copy"),
  );

function texts(of) {
  const { shown, ui } = of;
  const pick = (name) => () => {
    ui.local.tab = name;
    ui.again();
  };
  const at = TABS.findIndex(([name]) => name === ui.local.tab);
  const arrows = (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step) return;
    event.preventDefault();
    const [name] = TABS[(at + step + TABS.length) % TABS.length];
    ui.focus(`[data-tab="${name}"]`);
    pick(name)();
  };
  const text = shown[ui.local.tab];
  return h(
    "div",
    { class: "pk-part", key: "texts" },
    h(
      "div",
      { class: "pkb-tabs", role: "tablist", "aria-label": "What it stands for", onkeydown: arrows },
      TABS.map(([name, says]) => h("button", { type: "button", role: "tab", "data-tab": name, "aria-selected": String(ui.local.tab === name), tabindex: ui.local.tab === name ? "0" : "-1", onclick: pick(name) }, says)),
    ),
    text ? copyable(ui, text, TABS[at][1], { role: "tabpanel" }) : h("div", { class: "pk-faint pkb-none-yet" }, `Not complete yet: ${[...new Set(shown.missing.map((one) => one.what))].slice(0, 4).join("; ")}.`),
  );
}

function actions(of) {
  const { shown, ui, act } = of;
  const complete = !!shown.text;
  const added = shown.added;
  const preview = shown.preview;
  const changed = added && added.python !== shown.python;
  const to = ui.local.to || shown.destinations[0];
  const plan = shown.plan;
  const asking = !!plan && plan.state === "asking";
  const quoted = (text) => JSON.stringify(text);
  return h(
    "div",
    { class: "pk-part", key: "actions" },
    h(
      "div",
      { class: "pk-row" },
      h("button", { type: "button", class: "pk-main", disabled: !complete, onclick: act("keep") }, added && !changed ? "Added to workspace" : "Add to workspace"),
      h("button", { type: "button", disabled: !complete || (preview && preview.state === "asking"), onclick: act("preview") }, preview && preview.state === "asking" ? "Preview …" : "Preview"),
      preview && h("button", { type: "button", key: "hide", onclick: act("hide") }, "Hide preview"),
      shown.replaces && !added && h("span", { class: "pkb-missing", key: "replaces" }, `this replaces ${quoted(shown.replaces)}, which has the key ${shown.key}`),
    ),
    problem(shown.problem),
    added &&
      h(
        "div",
        { class: "pkb-next", key: "next" },
        h("div", { class: "pk-row" }, h("span", { class: changed ? "pk-faint" : "pk-good" }, changed ? `${quoted(added.name)} was added as it was before the last change.` : `${quoted(added.name)} is in the workspace. Go on with:`), shown.destinations.length > 1 && choice("Destination", to, shown.destinations.map((one) => [one, one]), (name) => {
          ui.local.to = name;
          ui.again();
        })),
        copyable(ui, `ws.plan(${quoted(added.key)}${to ? `, to=${quoted(to)}` : ""})`, "the plan's code", { key: "code" }),
        to && ui.local.nests && h("div", { class: "pk-row", key: "ask" }, h("button", { type: "button", disabled: asking, onclick: act("plan", { key: added.key, to }) }, asking ? "Plan …" : `Plan for ${to}`), h("span", { class: "pk-faint" }, "shows what would be sent; nothing is sent before you push")),
      ),
    plan && plan.state === "failed" && problem(plan.problem),
    plan && plan.state === "done" && h("div", { class: "pkb-nested", role: "group", "aria-label": "Plan", key: `plan ${plan.model}`, "data-plan": plan.model, html: "" }),
    preview && preview.state === "failed" && problem(preview.problem),
    preview && preview.state === "done" && h("div", { key: "preview", class: preview.python === shown.python ? "" : "pkb-stale", role: "group", "aria-label": "Preview" }, preview.python === shown.python ? "" : h("div", { class: "pk-notice" }, "This is the preview as it was before the last change."), h("div", { html: preview.html })),
  );
}

/** What only this view knows, after each word of the kernel: the last numbers, since when it counts, what is read out. */
function follow(shown, ui) {
  const local = ui.local;
  const count = shown.count;
  letGo(shown, ui);
  if (!local.greeted) {
    local.greeted = true;
    ui.send("look");
  }
  local.nests = nests;
  const busy = count.state === "waiting" || count.state === "counting";
  if (count.state === "done" && local.last !== count) {
    local.last = count;
    const whole = count.sizes[""];
    if (whole !== undefined) ui.say(`${many(whole)} ${WHO[shown.subject]}`);
  }
  if (count.state === "asks") ui.say(`Counting ${count.reads}`);
  local.stale = count.state !== "done";
  if (busy && !local.since) {
    local.since = Date.now();
    local.ticking = setInterval(ui.again, 1000);
  } else if (!busy && local.since) {
    local.since = null;
    clearInterval(local.ticking);
  }
  if (shown.focus && shown.focus.at !== local.moved) {
    local.moved = shown.focus.at;
    ui.focus(`[data-node="${shown.focus.id}"] :is([data-first], .pkb-add)`);
  }
}

/** Whether this front end can put one widget into another. JupyterLab and VS Code can. */
let nests = false;

/** The push bar is a widget of its own: its view is put where the plan is to be. */
async function nest(model, el) {
  const place = el.querySelector("[data-plan]");
  if (!place || place.filled || !nests) return;
  place.filled = true;
  const bar = await model.widget_manager.get_model(place.dataset.plan);
  const view = await model.widget_manager.create_view(bar, {});
  place.replaceChildren(view.el);
}

const builder = widget(
  (shown, ui) => {
    follow(shown, ui);
    const of = drawing(shown, ui);
    const keys = (event) => {
      const undo = (event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "z" && !/input|textarea/i.test(event.target.tagName);
      if (!undo) return;
      event.preventDefault();
      ui.send(event.shiftKey ? "redo" : "undo");
    };
    return h("div", { class: "pk-card pkb", role: "group", "aria-label": "Audience builder", onkeydown: keys }, header(of), tree(of), size(of), texts(of), actions(of));
  },
  {
    starts: (shown) => ({
      id: `b${Math.random().toString(36).slice(2)}`,
      held: {},
      said: 0,
      at: null,
      combo: null,
      more: {},
      tab: "python",
      last: null,
      since: null,
      moved: shown.focus ? shown.focus.at : 0,
    }),
  },
);

export default {
  render({ model, el }) {
    nests = !!(model.widget_manager && model.widget_manager.create_view);
    const end = builder.render({ model, el });
    const nesting = () => nest(model, el);
    model.on("change:shown", nesting);
    nesting();
    return () => {
      model.off("change:shown", nesting);
      end();
    };
  },
};
