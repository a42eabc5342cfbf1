// The push bar. It draws the step that the kernel says; what is typed and ticked is known here only until it is sent.
//
// Names that a test or a screen reader finds things by:
//   buttons   "Dry run", "Push 1,130 changes", "Cancel", "Stop", "Push the rest", "Retry what failed", "Plan again"
//   fields    "Type <key> to push", "Why is that right? (kept in the history)", a box for each guard by its name
//   group     "Push of <name>"; progress bars by destination and call: "analytics identify"
// Enter in the field pushes, Escape cancels.

const changes = (number) => `${many(number)} change${number === 1 ? "" : "s"}`;
const act = (label, onclick, props = {}) => h("button", { type: "button", key: label, onclick, ...props }, label);

/** Do what a person asked for; the focus follows to the next step, in this view only. */
const go = (ui, name, rest) => {
  ui.local.mine = true;
  ui.send(name, rest);
};

const pushLabel = (shown) => `Push ${changes(shown.left)}`;
const mayPush = (shown) => !shown.guards.some((guard) => guard.final);

function idle(shown, ui) {
  const busy = shown.step === "trying" || shown.step === "planning";
  const words = { trying: "Going through the plan; nothing is sent …", planning: "Planning again; nothing is sent …" };
  const final = shown.guards.filter((guard) => guard.final).map((guard) => guard.name);
  const stands = shown.guards.length && !final.length ? `${shown.guards.map((guard) => guard.name).join(", ")} would have to be overridden. ` : "";
  return [
    shown.dry && h("div", { key: "dry" }, h("b", null, "Dry run: nothing was sent"), h("div", { html: shown.dry })),
    h(
      "div",
      { class: "pk-row", key: "idle" },
      h("span", { class: "pk-grow" }, words[shown.step] || (final.length ? `Nothing can be sent before this is corrected: ${final.join(", ")}` : `${stands}Nothing has been sent.`)),
      problemAgain(shown, ui),
      act("Dry run", () => go(ui, "dry_run"), { disabled: busy }),
      act(pushLabel(shown), () => go(ui, "ask"), { class: "pk-main pk-ask", key: "ask", disabled: busy || !mayPush(shown) }),
    ),
  ];
}

const problemAgain = (shown, ui) => !!shown.problem && shown.step !== "planning" && act("Plan again", () => go(ui, "plan_again"));

function confirm(shown, ui) {
  const local = ui.local;
  const typed = (local.typed || "").trim();
  const ready = (typed === shown.key || typed === shown.title) && shown.guards.every((guard) => local.ticked[guard.name]);
  const push = () => go(ui, "push", { typed: local.typed || "", override: shown.guards.map((guard) => guard.name).filter((name) => local.ticked[name]), why: local.why || "" });
  const cancel = () => go(ui, "cancel");
  const keys = (event) => {
    if (event.key === "Escape") cancel();
    if (event.key === "Enter" && event.target.localName === "input" && event.target.type === "text") {
      event.preventDefault();
      if (ready) push();
    }
  };
  const field = (name, label, props = {}) =>
    h(
      "label",
      { class: "pk-field", key: name },
      h("span", null, label),
      h("input", {
        type: "text",
        class: `pk-${name}`,
        value: local[name] || "",
        autocomplete: "off",
        spellcheck: "false",
        oninput: (event) => {
          local[name] = event.target.value;
          ui.again();
        },
        ...props,
      }),
    );
  const tick = (guard) =>
    h(
      "label",
      { class: "pk-tick", key: guard.name },
      h("input", {
        type: "checkbox",
        "aria-label": guard.name,
        checked: !!local.ticked[guard.name],
        onchange: (event) => {
          local.ticked = { ...local.ticked, [guard.name]: event.target.checked };
          ui.again();
        },
      }),
      h("span", null, h("b", null, guard.name), h("div", null, guard.saw[0]), guard.saw.length > 1 && h("div", { class: "pk-faint" }, `and ${guard.saw.length - 1} more, as above`)),
    );
  return h(
    "div",
    { key: "confirm", class: "pk-step pk-confirm", onkeydown: keys },
    h("div", null, h("b", null, changes(shown.left)), ` → ${shown.to.join(", ")}`),
    shown.guards.length > 0 &&
      h("fieldset", { key: "guards" }, h("legend", null, "Guards stop this push. Tick each one that you have looked at and override:"), shown.guards.map(tick), field("why", "Why is that right? (kept in the history)")),
    field("typed", `Type ${shown.key} to push`),
    h(
      "div",
      { class: "pk-row", key: "row" },
      h("span", { class: "pk-grow" }),
      act("Cancel", cancel),
      act(pushLabel(shown), push, { class: `pk-main${shown.guards.length ? " pk-danger" : ""}`, key: "push", disabled: !ready }),
    ),
  );
}

function running(shown, ui) {
  const done = shown.calls.reduce((sum, call) => sum + call.done, 0);
  const total = shown.calls.reduce((sum, call) => sum + call.total, 0);
  const share = total ? Math.floor((100 * done) / total) : 100;
  const line = (call) =>
    h(
      "div",
      { class: "pk-call", key: call.where },
      h("span", null, call.where),
      h("progress", { "aria-label": call.where, max: Math.max(call.total, 1), value: call.total ? call.done : 1 }),
      h("span", null, `${many(call.done)} of ${many(call.total)}`),
      (call.rejected || call.unknown) > 0 && h("span", { class: "pk-faint" }, [call.rejected && `${many(call.rejected)} rejected`, call.unknown && `${many(call.unknown)} unknown`].filter(Boolean).join(", ")),
    );
  return h(
    "div",
    { key: "running", class: "pk-step" },
    shown.calls.map(line),
    h(
      "div",
      { class: "pk-row" },
      h("span", { class: "pk-grow" }, h("b", null, `${many(done)} of ${many(total)} (${share}%)`), shown.stopping ? " stopping after what is under way …" : shown.remaining ? ` ${shown.remaining}` : ""),
      act("Stop", () => go(ui, "stop"), { class: "pk-stop", disabled: shown.stopping }),
    ),
  );
}

function done(shown, ui) {
  const title = shown.complete ? "Pushed" : shown.goes_on ? "Stopped" : "Pushed, not all of it was acknowledged";
  const busy = shown.step === "planning";
  return h(
    "div",
    { key: "done", class: "pk-step" },
    h("div", { class: "pk-outcome", tabindex: "-1", key: "outcome", role: "group", "aria-label": `${title}. ${shown.said}` }, h("b", null, title)),
    shown.result ? h("div", { html: shown.result, key: "result" }) : h("div", { key: "said" }, shown.said),
    shown.advice.map((said) => h("div", { class: "pk-faint", key: said }, said)),
    (busy || !shown.complete || !!shown.problem) &&
      h(
        "div",
        { class: "pk-row", key: "row" },
        h("span", { class: "pk-grow" }, busy && "Planning again; nothing is sent …"),
        problemAgain(shown, ui),
        shown.goes_on && act("Push the rest", () => go(ui, "ask"), { class: "pk-main pk-ask", key: "ask" }),
        !shown.goes_on && !shown.complete && !shown.problem && act("Retry what failed", () => go(ui, "plan_again"), { disabled: busy }),
      ),
  );
}

const FOCUS = { confirm: ".pk-confirm input", running: ".pk-stop", done: ".pk-outcome", idle: ".pk-ask" };

/** What is read out, and where the focus goes, when the step is another one. */
function stepped(shown, ui) {
  const local = ui.local;
  const asked = local.step === "confirm" && shown.step === "confirm";
  if (local.step === shown.step || asked) return;
  if (shown.step === "running") ui.say(`Pushing ${changes(shown.left)}`);
  if (shown.step === "done" && local.step !== "confirm") ui.say(shown.said);
  if (shown.step === "idle" && local.step === "trying") ui.say("Dry run done, nothing was sent");
  if (shown.step === "confirm") Object.assign(local, { typed: "", why: "", ticked: {} });
  if (local.mine && FOCUS[shown.step] && local.step !== "trying") ui.focus(FOCUS[shown.step]);
  if (shown.step === "done" || shown.step === "idle") local.mine = false;
  local.step = shown.step;
}

export default widget(
  (shown, ui) => {
    stepped(shown, ui);
    const pushed = shown.said && shown.step !== "confirm" && shown.step !== "running";
    const step = shown.step === "confirm" ? confirm : shown.step === "running" ? running : pushed ? done : idle;
    return [
      shown.before && h("div", { class: "pk-before", key: "before", html: shown.before }),
      shown.card && h("div", { class: "pk-plan", key: "plan", html: shown.card }),
      h("div", { class: shown.card ? "pk-bar pk-below" : "pk-bar", key: "bar", role: "group", "aria-label": `Push of ${shown.title}` }, problem(shown.problem), step(shown, ui)),
    ];
  },
  {
    starts: (shown) => ({ step: shown.step, ticked: {} }),
  },
);
