"""A plan where somebody sits: its card with the push bar. The widget is imported once there is somebody."""

from __future__ import annotations

import sys

from personas_kit.activation.plan import Plan
from personas_kit.display import displays, opens
from personas_kit.notebook.live import attended
from personas_kit.notebook.plan_card import plan_card


@displays("Plan")
def show_push_bar(plan: Plan) -> bool:
    """Display a plan with its push bar. The output is kept hold of: once it was pushed, it holds the result.

    Returns:
        Whether it did: not where nobody could click, and not where there is nothing to send.
    """
    if "IPython" not in sys.modules or not plan.changes.height or not attended():
        return False
    from personas_kit.notebook.widgets.push_bar import PushBar  # noqa: PLC0415  (it needs anywidget)

    PushBar(plan).display()
    return True


@opens("push bar")
def open_push_bar(plan: Plan) -> object:
    """What marimo shows of a plan: the widget, which brings the card along; the card alone where nobody could click."""
    if not plan.changes.height or not attended():
        return _Card(plan_card(plan))
    from personas_kit.notebook.widgets.push_bar import PushBar  # noqa: PLC0415  (it needs anywidget)

    return PushBar(plan)


class _Card:
    """HTML that is shown as it is."""

    def __init__(self, html: str) -> None:
        self._html = html

    def _repr_html_(self) -> str:
        return self._html
