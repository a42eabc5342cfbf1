"""The builder: an audience is composed by clicking, counted as it grows, and always the text that it stands for.

The kernel has the draft. The browser says what a person did to it, by the methods that are marked as actions, and draws
what comes back: the draft, what is missing in it, the texts, the counts, and what can be chosen. Counts, look-ups and
the preview are asked beside the kernel's own thread, which stays free.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar

from personas_kit.definitions import AccountAudience, Audience, Definition
from personas_kit.definitions.definition import Subject, default_key
from personas_kit.errors import DefinitionError, PersonasError
from personas_kit.notebook import html
from personas_kit.notebook.builder import draft as drafts
from personas_kit.notebook.builder import edits
from personas_kit.notebook.builder.counting import WHOLE, Counter
from personas_kit.notebook.builder.menus import MENUS, REDUCERS, blank_node
from personas_kit.notebook.builder.offers import Offers
from personas_kit.notebook.builder.python import python_of
from personas_kit.notebook.widgets.base import Widget, action
from personas_kit.notebook.widgets.push_bar import PushBar
from personas_kit.reading import Reader
from personas_kit.warehouses.interrupts import NobodyWaitsError, Watch, watched
from personas_kit.workspace import Workspace

Plain = dict[str, Any]

FEW = 6
"""So many problems are listed in an error."""
STEPS = 200
"""So many changes can be taken back."""
_OF_KIND = frozenset({"trait", "of", "property", "parent", "as", "event", "op", "measure", "quantifier"})
"""What a rule's operators and values depend on."""
_UNNAMED = "Audience"
"""What an audience is called while it is counted and has no name yet."""


class Builder(Widget):
    """Composes an audience of a workspace; ``ws.builder()`` opens one.

    Args:
        workspace: whose events, traits and audiences are offered.
        reader: asks its warehouse.
        definition: the audience that is opened; None if it begins empty.
        draft: the same as a draft.
    """

    name: ClassVar[str] = "builder"

    def __init__(self, workspace: Workspace, reader: Reader, definition: Definition | None, draft: Plain) -> None:
        self._workspace = workspace
        self._given = definition
        self._draft = draft
        self._first = self._draft
        self._before: list[Plain] = []
        self._after: list[Plain] = []
        self._last: tuple[object, ...] = ()
        self._focused = 0
        self._showing = threading.RLock()
        self._looked = False
        self._watching = {name: Watch(lambda _, __: None) for name in ("preview", "plan")}
        self._threads: dict[str, threading.Thread] = {}
        self._bars: list[PushBar] = []
        self._counter = Counter(reader, lambda state: self.show(count=dict(state)))
        self._offers = Offers(workspace, self._show_offers)
        super().__init__(
            menus=MENUS,
            offers=self._offers.shown,
            count={"state": "waiting"},
            destinations=[*workspace.config.destinations],
            subject=self._subject,
            **self._said(),
        )

    # --- for Python --------------------------------------------------------------------------------------------------

    @property
    def definition(self) -> Definition:
        """The audience as it is now. One that was opened and is unchanged is the very same.

        Raises:
            DefinitionError: something is missing; with what.
        """
        if self._given is not None and self._draft == self._first:
            return self._given
        found = drafts.understood(self._draft)
        if found.definition is not None:
            return found.definition
        missing = [problem.what for problem in found.problems]
        more = f"; and {len(missing) - FEW} more" if len(missing) > FEW else ""
        raise DefinitionError(
            "the audience is not complete yet",
            where=self._draft["name"] or "the builder",
            hint="; ".join(dict.fromkeys(missing[:FEW])) + more,
        )

    @property
    def python(self) -> str:
        """The Python text that makes an equal audience. Raises as ``definition`` does."""
        return python_of(self.definition, audiences=drafts.understood(self._draft).audiences)

    @property
    def text(self) -> str:
        """The condition in the query language. Raises as ``definition`` does."""
        return str(self.definition.expression)

    def add(self) -> Definition:
        """Register the audience in the workspace, as ``ws.add`` does, and return it.

        Raises:
            DefinitionError: something is missing, or the key belongs to something of another kind.
        """
        definition = self.definition
        self._workspace.add(definition)
        added = {"key": definition.key, "name": definition.name, "python": self.shown["python"]}
        self.show(added=added, problem=None)
        self._show_offers()
        return definition

    def line(self) -> str:
        """One line: what it is called, and what it says."""
        found = drafts.understood(self._draft)
        said = str(found.definition.expression) if found.definition else "not complete yet"
        return f"builder of {self._draft['name'] or 'an audience'!r}: {said}"

    def card(self) -> str:
        """For the saved notebook: what the audience says, and how to open it again."""
        found = drafts.understood(self._draft).definition
        head = html.title(self._draft["name"] or "A new audience", self._draft["kind"].replace("_", " "), "builder")
        how = f'<span style="{html.FAINT}">Run the cell with a kernel to go on composing.</span>'
        if found is None:
            return html.card(head, how)
        return html.card(head + f"<div>{html.text(found.english())}</div>", html.code(str(found.expression)), how)

    def wait(self) -> None:
        """Until everything that was asked for has been answered: counts, look-ups, a preview, a plan."""
        self._offers.wait()
        self._counter.wait()
        for thread in self._threads.values():
            thread.join()

    def close(self) -> None:
        """Ask nothing more, and go from the page."""
        self._counter.stop()
        self._offers.stop()
        for watch in self._watching.values():
            watch.end()
        for bar in self._bars:
            bar.close()
        super().close()

    def show(self, **news: object) -> None:
        """Show this as well; from any thread."""
        with self._showing:
            super().show(**news)

    # --- what a person does ------------------------------------------------------------------------------------------

    @action
    def look(self) -> None:
        """It is on a page: only now the warehouse is asked."""
        if not self._looked:
            self._looked = True
            self._offers.begin()
            for event in _events(self._draft):
                self._offers.properties_of(event)
            self._count()

    @action
    def put(self, id: str, path: Sequence[str | int], value: object, heard: int = 0) -> None:  # noqa: A002
        """Something else at a place of a rule; or, without an id, of the draft: its name or its key."""
        changed = self._fitted(edits.put(self._draft, id, path, value), id, path)
        self._change(changed, same=(id, *path), heard=heard)

    @action
    def say(self, id: str, at: int, value: Plain, heard: int = 0) -> None:  # noqa: A002
        """A value of a rule; without any text there is none."""
        if value.get("type") not in ("duration", "empty") and value.get("text") == "":
            self._change(edits.without_value(self._draft, id, at), same=(id, at), heard=heard)
        else:
            self._change(edits.put(self._draft, id, ["values", at], value), same=(id, at), heard=heard)

    @action
    def insert(self, group: str, kind: str, place: str) -> None:
        """A new rule of a kind at the end of a group."""
        if not any(kind == known["is"] for known in MENUS["places"].get(place, ())):
            return
        node = blank_node(kind, place)
        if "values" in node and kind in {"trait", "property"}:
            node["values"] = []
        if kind in edits.GROUPS:
            node["parts"] = [blank_node("event", place)]
        changed, new = edits.added(self._draft, group, node)
        self._change(changed, focus=new)

    @action
    def remove(self, id: str) -> None:  # noqa: A002
        """A rule, or a group with all that is in it."""
        changed, near = edits.removed(self._draft, id)
        self._change(changed, focus=near)

    @action
    def twice(self, id: str) -> None:  # noqa: A002
        """A rule once more, below itself."""
        changed, new = edits.copied(self._draft, id)
        self._change(changed, focus=new)

    @action
    def move(self, id: str, by: int) -> None:  # noqa: A002
        """A rule up (-1) or down (1)."""
        self._change(edits.moved(self._draft, id, 1 if by > 0 else -1))

    @action
    def group(self, id: str) -> None:  # noqa: A002
        """A rule in a group of its own."""
        changed, new = edits.grouped(self._draft, id)
        self._change(changed, focus=new)

    @action
    def undo(self) -> None:
        """As it was before the last change."""
        if self._before:
            self._after.append(self._draft)
            self._become(self._before.pop())

    @action
    def redo(self) -> None:
        """The change that was taken back."""
        if self._after:
            self._before.append(self._draft)
            self._become(self._after.pop())

    @action
    def count(self) -> None:
        """Count now, whatever it reads: the person has seen how much."""
        self._counter.ask_now(self._audiences(), self._subject)

    @action
    def offer(self, about: Mapping[str, str]) -> None:
        """Look up what can be chosen here: the values of a trait or property, or the properties of an event."""
        if set(about) == {"event"}:
            self._offers.properties_of(about["event"])
        else:
            self._offers.values_of(about)
        self._show_offers()

    @action
    def anyway(self, name: str) -> None:
        """Look up what was left out because it reads much: the person has seen how much."""
        self._offers.anyway(name)
        self._show_offers()

    @action
    def keep(self) -> None:
        """``Add to workspace``."""
        self.add()

    @action
    def preview(self) -> None:
        """The preview's card, below."""
        definition = self.definition

        def look() -> Plain:
            card = self._workspace.preview(definition)._repr_html_() or ""
            return {"html": card, "python": drafts.python(self._draft)}

        self._beside("preview", look)

    @action
    def hide(self) -> None:
        """No preview any more."""
        self._watching["preview"].end()
        self.show(preview=None)

    @action
    def plan(self, key: str, to: str) -> None:
        """What would be sent of an audience that was added, below, with the bar that pushes it. Nothing is sent."""

        def look() -> Plain:
            bar = PushBar(self._workspace.plan(key, to=to))
            self._bars.append(bar)
            return {"model": bar.model_id, "key": key, "to": to}

        self._beside("plan", look)

    # --- inside ------------------------------------------------------------------------------------------------------

    @property
    def _subject(self) -> Subject:
        return "user" if self._draft["kind"] == Audience.kind else "account"

    def _change(self, draft: Plain, *, focus: str = "", same: tuple[object, ...] = (), heard: int = 0) -> None:
        """A step that can be taken back; typing on in one place is one step."""
        if draft != self._draft:
            if not same or same != self._last:
                self._before = [*self._before[-STEPS:], self._draft]
            self._after = []
            self._last = same
        self._become(draft, focus=focus, heard=heard)

    def _become(self, draft: Plain, *, focus: str = "", heard: int = 0) -> None:
        meant_before = self._audiences()
        self._draft = draft
        self._focused += bool(focus)
        self.show(
            **self._said(),
            problem=None,
            heard=max(heard, int(self.shown.get("heard", 0))),
            **({"focus": {"id": focus, "at": self._focused}} if focus else {}),
        )
        if _texts(self._audiences()) != _texts(meant_before):
            self._count()

    def _said(self) -> Plain:
        """The draft, and all that follows from it alone."""
        found = drafts.understood(self._draft)
        definition = found.definition
        key = self._draft["key"] or (default_key(self._draft["name"]) if self._draft["name"].strip() else "")
        known = self._workspace.definitions.get(key)
        replaces = known is not None and (self._given is None or key != self._given.key)
        return {
            "draft": self._draft,
            "missing": [problem.to_dict() for problem in found.problems],
            "key": definition.key if definition else key,
            "replaces": known.name if known is not None and replaces else "",
            "python": drafts.python(self._draft),
            "text": str(definition.expression) if definition else "",
            "english": definition.english() if definition else "",
            "warned": [{"id": id_, **each.to_dict()} for id_, each in drafts.warned(self._draft)],
            "undo": bool(self._before),
            "redo": bool(self._after),
        }

    def _show_offers(self) -> None:
        """What is known by now; looked at and shown in one go, so that no thread shows what was known before."""
        with self._showing:
            self.show(offers=self._offers.shown)

    def _count(self) -> None:
        if self._looked:
            self._counter.ask(self._audiences(), self._subject)

    def _audiences(self) -> dict[str, Definition]:
        """What can be counted: every complete rule by its id, and the whole. A name is not needed for that."""
        named = self._draft if self._draft["name"].strip() else {**self._draft, "name": _UNNAMED}
        found = drafts.understood(named)
        make = Audience if self._subject == "user" else AccountAudience
        parts: dict[str, Definition] = {
            id_: make(f"part {id_}", part, key=f"part_{at}") for at, (id_, part) in enumerate(found.parts.items())
        }
        return parts | ({WHOLE: found.definition} if found.definition is not None else {})

    def _fitted(self, draft: Plain, id_: str, path: Sequence[str | int]) -> Plain:
        """The rule with an operator and values that fit what was chosen in it."""
        found = edits.find(draft, id_)
        if found is None or not path or path[0] not in _OF_KIND:
            return draft
        node = found.node
        if node["is"] == "event" and node["event"]:
            self._offers.properties_of(node["event"])
        if node["is"] == "event" and "property" not in node["measure"] and node["measure"]["of"] != "count":
            measure = {"property": "", "as": None, "at_least": "2", **node["measure"]}
            draft = edits.put(draft, id_, ["measure"], measure)
        kind = self._kind(edits.find(draft, id_) or found)
        return draft if kind is None else edits.fitted(draft, id_, kind, newly=path[0] != "op")

    def _kind(self, found: edits.Found) -> str | None:
        """Of which type the value is that a rule compares; None for rules that compare nothing."""
        node = found.node
        match node["is"]:
            case "trait":
                whose = node["of"] if node["of"] == "account" else _whose(found, self._subject)
                return self._offers.kind_of_trait(node["trait"], whose)
            case "property":
                events = [each["event"] for each in found.above if each["is"] == "event"]
                of = events[-2 if node["parent"] and len(events) > 1 else -1] if events else ""
                return node["as"] or self._offers.kind_of_property(of, node["property"])
            case "event":
                measure = node["measure"]
                own = REDUCERS[measure["of"]][1] if measure["of"] in REDUCERS else ""
                return own or measure.get("as") or self._offers.kind_of_property(node["event"], measure["property"])
            case "users":
                return "number"
            case _:
                return None

    def _beside(self, name: str, look: Callable[[], Plain]) -> None:
        """Shown under a name once it is there; what was asked for under that name before is not waited for."""
        self._watching[name].end()
        watch = self._watching[name] = Watch(lambda _, __: None)

        def work() -> None:
            try:
                with watched(watch):
                    news = {"state": "done", **look()}
            except NobodyWaitsError:
                return
            except PersonasError as problem:
                news = {"state": "failed", "problem": problem.to_dict()}
            except BaseException:
                self.show(**{name: {"state": "failed", "problem": {"what": "it broke off", "where": "", "hint": ""}}})
                raise
            if self._watching[name] is watch:
                self.show(**{name: news})

        self.show(**{name: {"state": "asking"}}, problem=None)
        self._threads[name] = threading.Thread(target=work, name=name, daemon=True)
        self._threads[name].start()


def _whose(found: edits.Found, subject: Subject) -> str:
    """Whose a trait is that is the subject's own, where it stands."""
    return "user" if any(each["is"] in {"users", "event"} for each in found.above) else subject


def _events(draft: Mapping[str, Any]) -> list[str]:
    """The names of the events that a draft speaks of."""
    return list(dict.fromkeys(found.node["event"] for found in edits.walk(draft) if found.node.get("event")))


def _texts(audiences: Mapping[str, Definition]) -> dict[str, str]:
    return {id_: str(audience.expression) for id_, audience in audiences.items()}
