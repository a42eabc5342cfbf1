"""A plan where somebody sits: its card with the push bar. The widget is imported once there is somebody."""

from __future__ import annotations

import sys

from personas_kit.activation.plan import Plan
from personas_kit.display import displays
from personas_kit.notebook.live import attended


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
