"""What goes to a destination and what it takes to send one piece of work: requests, and exchanges of several.

An exchange does no I/O. It is a generator that yields requests, is sent their answers, and returns what became of the
work, as httpx's authentication flows do. Whoever runs it may run it again from its start: each step has to bear that.
"""

from __future__ import annotations

import json
from collections.abc import Generator, Mapping
from dataclasses import dataclass, field

from personas_kit.destinations.outcomes import Answer, Outcome


@dataclass(frozen=True, slots=True)
class Request:
    """One request, without any secret. Its repr shows no content: it is about people.

    Attributes:
        lines: ``[start, stop)`` of the batch that it carries.
        packed: it may leave as gzip; here it is as it was made.
    """

    method: str
    url: str = field(repr=False)
    headers: Mapping[str, str]
    content: bytes = field(repr=False, default=b"")
    lines: tuple[int, int] = (0, 0)
    packed: bool = False

    def body(self) -> object:
        """Its JSON, as data."""
        return json.loads(self.content)


@dataclass(frozen=True, slots=True)
class Pause:
    """Wait so many seconds before the next step; the answer to it says nothing."""

    seconds: float


Exchange = Generator[Request | Pause, Answer, Outcome]
"""The requests of one piece of work, and what became of it."""

Polling = Generator[Request, Answer, Outcome | None]
"""The questions about accepted work, and what became of it: ``accepted`` again, and it goes on under another handle;
None, and that is not known yet."""


def named(answer: Answer, *path: str | int) -> str:
    """What an answer calls something, as text.

    Raises:
        Unanswered: it does not.
    """
    found = answer.at(*path)
    if not answer.is_success or not isinstance(found, str | int) or isinstance(found, bool) or found == "":
        raise Unanswered(answer)
    return str(found)


class Unanswered(Exception):
    """A question that was answered neither with yes nor with no.

    Args:
        answer: what was said instead.
    """

    def __init__(self, answer: Answer) -> None:
        super().__init__(f"status {answer.status}")
        self.answer = answer
