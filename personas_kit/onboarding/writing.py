"""A first ``personas.toml``: what was found, with the evidence beside it, and one audience to begin with."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import fields
from typing import Any

from personas_kit.compiler.settings import EventSettings
from personas_kit.definitions import Audience, event
from personas_kit.definitions.toml import text
from personas_kit.onboarding.proposal import Proposal

_BARE = re.compile(r"[A-Za-z0-9_-]+")
FIRST = "Active last 30 days"


def first_file(warehouse: Mapping[str, object], proposal: Proposal) -> str:
    """The text of the file.

    Args:
        warehouse: what ``[warehouse]`` says.
        proposal: the source.
    """
    sections = [
        "# What is right and what is not: personas check",
        "[warehouse]\n" + "\n".join(f"{name} = {value_text(value)}" for name, value in warehouse.items()),
        _source(proposal),
        _EXAMPLE_DESTINATION,
        _first_audience(proposal.event) if proposal.event else _NO_AUDIENCE,
    ]
    return "\n\n".join(sections) + "\n"


def first_audience(event_name: str) -> Audience:
    """The audience that the file begins with: who did the most frequent thing lately."""
    return Audience(FIRST, event(event_name).within(days=30).count() >= 1)


def _source(proposal: Proposal) -> str:
    settings, evidence = proposal.settings, {each.part: each for each in proposal.evidence}
    lines = [f"[source]  # {proposal.layout.name} layout; traits are the other columns of users and accounts"]
    lines += [f"# to do: {note}" for note in (*proposal.layout.notes, proposal.problem) if note]
    for part in ("users", "accounts", "memberships", "identities", "events"):
        said = getattr(settings, part)
        if part in evidence:
            lines.append(f"# {part}: {evidence[part].found}")
            lines += [f"#   {problem}" for problem in evidence[part].problems]
        if said is not None and (said.table or getattr(said, "tables", None)):
            lines.append(f"{part} = {inline(_said(said))}")
    events = settings.events
    if events is not None and events.tables:
        lines[-1:] = ["", "[source.events]", *_entries(_said(events)), "", *_own_tables(events)]
    return "\n".join(lines)


def _said(settings: Any) -> dict[str, object]:  # noqa: ANN401 - one of the settings of a part
    """What the settings say, defaults left out."""
    own = {of.name: (getattr(settings, of.name), of.default) for of in fields(settings) if of.name != "tables"}
    return {name: value for name, (value, default) in own.items() if value not in ("", default)}


def _own_tables(events: EventSettings) -> Iterator[str]:
    yield "[source.events.tables]  # events whose properties are the columns of their own table; new ones go here"
    yield from _entries(events.tables)


def _entries(values: Mapping[str, object]) -> Iterator[str]:
    for name, value in values.items():
        yield f"{key_text(name)} = {value_text(value)}"


def inline(values: Mapping[str, object]) -> str:
    """A table of TOML on one line."""
    return "{ " + ", ".join(_entries(values)) + " }"


def key_text(name: str) -> str:
    """A key of TOML, quoted where it must be."""
    return name if _BARE.fullmatch(name) else value_text(name)


def value_text(value: object) -> str:
    """A text or a table of texts in TOML."""
    return inline(value) if isinstance(value, Mapping) else text(str(value))


def _first_audience(event_name: str) -> str:
    where = str(first_audience(event_name).where)
    return (
        f"[[audience]]\nname  = {value_text(FIRST)}\nwhere = {value_text(where)}\n"
        '# every = "1h"\n# to    = [{ destination = "analytics" }]'
    )


_EXAMPLE_DESTINATION = """\
# [destinations.analytics]                     # personas destinations lists the types
# type = "segment"
# write_key = { env = "SEGMENT_WRITE_KEY" }"""
_NO_AUDIENCE = '# [[audience]]\n# name  = "..."\n# where = "event(\'...\').within(30 days).count() >= 1"'
