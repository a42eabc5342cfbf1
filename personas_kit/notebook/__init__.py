"""TOP: how results look in a notebook. May import everything; nothing imports it but the package itself.

The HTML is static and survives the sanitizer of an untrusted notebook: inline styles only, no ``<style>``, no inline
``<svg>``, no script, no ``var(...)``; colours that read on light and on dark ground. Everything that a person or a
warehouse wrote is escaped in one function, ``html.text``.
"""

from personas_kit.notebook import (
    builder_tool,
    catalogue_card,
    completion,
    explanation_card,
    explorer_tool,
    insight_cards,
    overlap_card,
    plan_card,
    preview_card,
    previews_card,
    profile_card,
    progress,
    push_tool,
    report_card,
    saved_card,
    status_card,
)

__all__ = [
    "builder_tool",
    "catalogue_card",
    "completion",
    "explanation_card",
    "explorer_tool",
    "insight_cards",
    "overlap_card",
    "plan_card",
    "preview_card",
    "previews_card",
    "profile_card",
    "progress",
    "push_tool",
    "report_card",
    "saved_card",
    "status_card",
]
