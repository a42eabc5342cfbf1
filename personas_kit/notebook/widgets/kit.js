// What every widget of the kit is drawn with. A view is a function from what the kernel shows to a tree of `h`; the tree
// is held against the page and only what differs is touched, so that focus, selection and scrolling stay where they are.

/** An element: `h("button", {class: "main", onclick: act, key: "push"}, "Push", child)`; false and null are left out. */
const h = (tag, props, ...children) => ({
  tag,
  props: props || {},
  children: children.flat(Infinity).filter((child) => child !== false && child !== null && child !== undefined),
});

const isText = (node) => typeof node !== "object";

/** Make the children of an element those of a list; keyed ones are found again wherever they went. */
function patch(parent, wanted) {
  const keyed = new Map();
  for (const child of parent.childNodes) if (child.key !== undefined) keyed.set(child.key, child);
  wanted.forEach((node, at) => {
    const here = parent.childNodes[at];
    const key = isText(node) ? undefined : node.props.key;
    const old = key !== undefined ? keyed.get(key) : here && here.key === undefined ? here : undefined;
    const found = old && same(old, node) ? old : made(node);
    if (found !== here) {
      const focused = found.contains(document.activeElement) ? document.activeElement : null;
      parent.insertBefore(found, here || null);
      if (focused) focused.focus();
    }
    update(found, node);
  });
  while (parent.childNodes.length > wanted.length) parent.lastChild.remove();
}

const same = (dom, node) =>
  isText(node) ? dom.nodeType === Node.TEXT_NODE : dom.nodeType === Node.ELEMENT_NODE && dom.localName === node.tag;

const made = (node) => (isText(node) ? document.createTextNode(node) : document.createElement(node.tag));

function update(dom, node) {
  if (isText(node)) {
    if (dom.data !== String(node)) dom.data = String(node);
    return;
  }
  const before = dom.props || {};
  dom.props = node.props;
  dom.key = node.props.key;
  for (const name of Object.keys(before)) if (!(name in node.props)) put(dom, name, null);
  if (!("html" in node.props)) patch(dom, node.children); // before the properties: a select has no value before it has options
  for (const [name, value] of Object.entries(node.props)) if (before[name] !== value || name === "value") put(dom, name, value);
}

function put(dom, name, value) {
  if (name === "key") return;
  if (name === "html") dom.replaceChildren(card(value));
  else if (name.startsWith("on")) dom[name] = value;
  else if (name === "value") {
    // what somebody is typing stays; the kernel's word counts once it says something else than before
    const typing = dom === document.activeElement && dom.localName !== "select" && dom.given === value;
    dom.given = value;
    if (!typing && dom.value !== String(value ?? "")) dom.value = value ?? "";
  } else if (name === "checked" || name === "disabled" || name === "open" || name === "indeterminate") dom[name] = !!value;
  else if (value === null || value === undefined || value === false) dom.removeAttribute(name);
  else dom.setAttribute(name, value === true ? "" : value);
}

const TAGS = new Set("b br code details div em hr i img li mark ol p pre small span strong summary table tbody td th thead tr ul".split(" "));
const ATTRIBUTES = new Set("alt class colspan open role style title".split(" "));

/**
 * A static card as it stands in the page. Its texts are escaped where it is made; nothing that could run or fetch gets
 * through here, even if one was not. What a template holds is inert.
 */
function card(text) {
  const made = document.createElement("template");
  made.innerHTML = text;
  for (const each of made.content.querySelectorAll("*")) {
    if (!TAGS.has(each.localName)) each.remove();
    for (const { name, value } of [...each.attributes]) {
      const fine = ATTRIBUTES.has(name) || name.startsWith("aria-") || (name === "src" && value.startsWith("data:image/"));
      if (!fine || (name === "style" && /url\(/i.test(value))) each.removeAttribute(name);
    }
  }
  return made.content;
}

/**
 * A widget from its view: `export default widget((shown, ui) => h(...))`.
 *
 * `ui.send(name, rest)` calls an action of the kernel. `ui.local` is what only this view knows (what is unfolded, what is
 * being typed); after changing it, `ui.again()`. `ui.say(words)` is read out by a screen reader. `ui.focus(selector)`
 * moves the focus once the tree is drawn.
 */
const widget = (view, { starts = () => ({}) } = {}) => ({
  render({ model, el }) {
    const root = document.createElement("div");
    const voice = document.createElement("div");
    root.className = "pk";
    voice.className = "pk-voice";
    voice.setAttribute("role", "status");
    voice.setAttribute("aria-live", "polite");
    el.replaceChildren(root, voice);
    let wish = null;
    const ui = {
      local: starts(model.get("shown")),
      send: (name, rest) => model.send({ do: name, ...rest }),
      say: (words) => {
        if (voice.textContent !== words) voice.textContent = words;
      },
      focus: (selector) => {
        wish = selector;
      },
      again: () => draw(),
    };
    const draw = () => {
      patch(root, [view(model.get("shown"), ui)].flat());
      const found = wish && root.querySelector(wish);
      if (found) {
        found.focus();
        wish = null;
      }
    };
    // a key that is typed here is not a shortcut of the notebook
    const mine = (event) => event.stopPropagation();
    for (const kind of ["keydown", "keypress", "keyup", "copy", "cut", "paste"]) el.addEventListener(kind, mine);
    model.on("change:shown", draw);
    draw();
    return () => model.off("change:shown", draw);
  },
});

/** A mistake in words: what, and what to do. */
const problem = (found) =>
  !!found &&
  h("div", { class: "pk-notice pk-bad", role: "alert", key: "problem" }, h("b", null, found.what), found.where ? ` (${found.where})` : "", found.hint ? h("div", { class: "pk-faint" }, found.hint) : "");

/** Copied, and then `done`; where a page may not copy (not over https), it is selected, so that the keyboard can. */
function copy(ui, text, near, done = () => {}) {
  const chosen = () => {
    const range = document.createRange();
    range.selectNodeContents(near);
    getSelection().removeAllRanges();
    getSelection().addRange(range);
    ui.say("Selected: copy it with the keyboard");
  };
  const copied = () => {
    ui.say("Copied");
    done();
  };
  if (navigator.clipboard && navigator.clipboard.writeText) navigator.clipboard.writeText(text).then(copied, chosen);
  else chosen();
}

const many = (number) => Number(number).toLocaleString("en-US");
