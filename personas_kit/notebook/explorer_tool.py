"""``ws.explore()``: where the explorer is opened from. The widget itself is imported where somebody can use it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from personas_kit.display import Displayed, opens, renders
from personas_kit.notebook.catalogue_card import exploration_card, exploration_line
from personas_kit.notebook.exploring import SECTIONS, Exploration
from personas_kit.notebook.live import attended
from personas_kit.workspace import Workspace

if TYPE_CHECKING:
    from personas_kit.notebook.widgets.explorer import Explorer


@dataclass(frozen=True, repr=False)
class Explored(Displayed):
    """What there is, for a reader who cannot click: the static card, with every section looked up."""

    exploration: Exploration

    def __repr__(self) -> str:
        """One line."""
        return exploration_line(self.exploration)


@renders("Explored")
def explored_card(explored: Explored) -> str:
    """The HTML of what there is."""
    return exploration_card(explored.exploration)


@opens("explorer")
def open_explorer(workspace: Workspace) -> Explorer | Explored:
    """The explorer where somebody sits at it, else its static card.

    Raises:
        WarehouseError: where nobody can click, everything is looked up at once, and the warehouse refuses.
    """
    exploration = Exploration(workspace)
    if not attended():
        for section in SECTIONS:
            exploration.look(section)
        return Explored(exploration)
    from personas_kit.notebook.widgets.explorer import Explorer  # noqa: PLC0415  (it needs anywidget)

    return Explorer(exploration)
