"""The explorer: what there is in a workspace, to be searched and looked at; ``ws.explore()`` opens one.

The browser says which section is open and which entry is chosen; only then is the warehouse asked, beside the kernel's
own thread. Search happens in the browser, among the names that are known.
"""

from __future__ import annotations

import threading
from typing import ClassVar

from personas_kit.errors import PersonasError
from personas_kit.notebook.catalogue_card import exploration_card, exploration_line
from personas_kit.notebook.exploring import SECTIONS, Exploration, Plain
from personas_kit.notebook.looking import Lookups
from personas_kit.notebook.widgets.base import Widget, action


class Explorer(Widget):
    """Events, traits, definitions and syncs of a workspace."""

    name: ClassVar[str] = "explorer"

    def __init__(self, exploration: Exploration) -> None:
        self._exploration = exploration
        self._chosen: tuple[str, str, str] = ("", "", "")
        self._showing = threading.RLock()
        self._lookups = Lookups(self._again)
        super().__init__(**self._known(), problem=None)

    # --- what a person does ------------------------------------------------------------------------------------------

    @action
    def look(self, section: str = "", **_: object) -> None:
        """A section is open: its names are looked up, unless they are known."""
        if section in SECTIONS and not self._exploration.known(section):
            self._lookups.ask({section: lambda: self._exploration.look(section)})

    @action
    def choose(self, section: str = "", name: str = "", of: str = "", **_: object) -> None:
        """An entry is chosen, and of an event maybe a property: what is not known of it is looked up."""
        self._exploration.detail(section, name, of)
        self._chosen = (section, name, of)
        self.show(problem=None)
        self._lookups.ask(self._exploration.questions(section, name, of))

    @action
    def anyway(self, name: str = "", **_: object) -> None:
        """What was left out because it reads much, or has failed, is looked up."""
        self._lookups.anyway(name)

    @action
    def stop(self, **_: object) -> None:
        """What is being looked up is ended, in the warehouse too."""
        self._lookups.stop()

    # --- for Python --------------------------------------------------------------------------------------------------

    def wait(self) -> None:
        """Until everything that was asked for is there."""
        self._lookups.wait()

    def line(self) -> str:
        """One line, of what is known."""
        return exploration_line(self._exploration)

    def card(self) -> str:
        """The static card, of what is known."""
        return exploration_card(self._exploration)

    def close(self) -> None:
        """Ask nothing more."""
        self._lookups.stop()
        super().close()

    # --- inside ------------------------------------------------------------------------------------------------------

    def _again(self) -> None:
        """Show what is known now; from any thread."""
        with self._showing:
            self.show(**self._known())

    def _known(self) -> Plain:
        known = self._exploration
        sections = [
            {"id": section, "label": label, "known": known.known(section), **_listed(known, section)}
            for section, label in SECTIONS.items()
        ]
        return {"sections": sections, "detail": self._detail(), "chosen": [*self._chosen], **self._lookups.shown}

    def _detail(self) -> Plain | None:
        try:
            return self._exploration.detail(*self._chosen) if self._chosen[0] else None
        except PersonasError as problem:  # it was there when it was chosen, and is not any more
            return {"kind": "", "name": self._chosen[1], "facts": [], "snippet": "", "gone": problem.to_dict()}


def _listed(known: Exploration, section: str) -> Plain:
    return {"total": known.total(section), "entries": known.entries(section)}
