"""A draft: an audience as plain data that a browser edits, there and back without loss.

``meant(opened(definition))`` is equal to the definition, whatever it says: what cannot be clicked is kept as a rule
that is text of the query language. A draft is JSON, and stays the same through it. Its shape::

    draft     {"kind": "audience" | "account_audience", "name": str, "key": str,   key "": made from the name
               "where": group, "unless": group, "unless_user": group}              unless_user in account audiences only
    group     {"is": "all" | "any", "not": bool, "id": str, "parts": [node]}       one part: the part itself
    node      a group, or a rule:
              {"is": "event", "event": str, "where": group, "window": window | null, "measure": measure,
               "counted": "member" | "event" | "at_event", + comparison}
              {"is": "trait", "trait": str, "of": "subject" | "account", + comparison}
              {"is": "property", "property": str, "as": type | null, "parent": bool, + comparison}    inside an event
              {"is": "in_audience", "audience": str}
              {"is": "users", "quantifier": "any" | "all" | "none" | "count" | "share", "of": group, + comparison}
              {"is": "split", "name": str, "low": str, "high": str, "by": "subject" | "account", "holdout": bool}
              {"is": "text", "text": str}
    comparison  "op": str, "values": [value], "ignore_case": bool    of users looked at for a count or a share only
    measure   {"of": "count"} | {"of": "sum" | ..., "property": str, "as": type | null, "at_least": str}
    window    {"older": duration, "newer": duration | null, "parent": bool}
    value     {"type": "string" | "empty" | "number" | "boolean" | "date" | "value", "text": str}
              {"type": "duration"} + duration        what within_last and its like take
    duration  {"amount": str, "unit": "days" | "hours" | "seconds"}
    type      "number" | "string" | "boolean" | "date" | "list"

* Every node has ``id``, ``is`` and ``not``; an ``id`` is there once in a draft. The groups of the draft, ``where`` of
  an event and ``of`` of users are groups like all others. Empty may be ``unless``, ``unless_user``, the ``where`` of an
  event, and the users that are counted.
* Inside an event's ``where`` an event is one that follows it ("and then did"; ``not``: "and then did not"), its window
  usually with ``parent``: counted from the event around.
* What a person types is text until it is read: a half-typed number is a problem that is listed, and a browser changes
  no number. A ``string`` has characters, so that a field that is still empty is told apart from a comparison with the
  text that has none, which is ``empty``; ``boolean`` is ``true`` or ``false``; ``date`` is a day or an instant in ISO
  form; ``value`` is another value in the query language, such as ``trait('usual')``.
* Operators, units, reducers, and an empty node of every kind for each place are in ``menus.MENUS``. Values that an
  operator does not take are not looked at, so that a browser may keep them while a person tries operators.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from personas_kit.definitions.definition import Definition, Subject
from personas_kit.definitions.expressions import Condition
from personas_kit.definitions.lint import Warned, lint
from personas_kit.notebook.builder.menus import blank_group
from personas_kit.notebook.builder.opening import opened
from personas_kit.notebook.builder.python import python_of
from personas_kit.notebook.builder.reading import Problem, Understood, understood

__all__ = [
    "Problem",
    "Understood",
    "blank",
    "meant",
    "opened",
    "parts",
    "problems",
    "python",
    "text",
    "understood",
    "warned",
]

Draft = Mapping[str, Any]


def blank(subject: Subject) -> dict[str, Any]:
    """A draft in which nothing is said yet, of users or of accounts."""
    groups = {name: blank_group(is_, name) for name, is_ in (("where", "all"), ("unless", "any"))}
    if subject == "account":
        groups["unless_user"] = blank_group("any", "unless_user")
    return {"kind": "audience" if subject == "user" else "account_audience", "name": "", "key": "", **groups}


def meant(draft: Draft) -> Definition | None:
    """The definition that a draft stands for; nothing while it has problems."""
    return understood(draft).definition


def problems(draft: Draft) -> list[Problem]:
    """What is missing or cannot be, node by node, from left to right."""
    return list(understood(draft).problems)


def parts(draft: Draft) -> dict[str, Condition]:
    """By its id, every complete node that can be counted on its own: a condition on whom the audience is about."""
    return understood(draft).parts


def python(draft: Draft) -> str:
    """The Python text that makes an equal definition, imports included; empty while the draft has problems."""
    found = understood(draft)
    return "" if found.definition is None else python_of(found.definition, audiences=found.audiences)


def text(draft: Draft) -> str:
    """The condition in the query language; empty while the draft has problems."""
    found = understood(draft).definition
    return "" if found is None else str(found.expression)


def warned(draft: Draft) -> list[tuple[str, Warned]]:
    """What is likely not meant as it stands, each with the id of the node that it is about."""
    found = understood(draft)
    return [] if found.definition is None else [(found.about(each.part), each) for each in lint(found.definition)]
