"""How a result is shown: one line of text everywhere, and HTML where a front end wants it.

The HTML is made by ``personas_kit.notebook``, which nothing below may import; so it registers its renderers here.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

_renderers: dict[str, Callable[[Any], str]] = {}


def renders(name: str) -> Callable[[Callable[[Any], str]], Callable[[Any], str]]:
    """Register a function that makes the HTML of the results of a class, by the class's name."""

    def register(render: Callable[[Any], str]) -> Callable[[Any], str]:
        _renderers[name] = render
        return render

    return register


class Displayed:
    """A result with a card. The text form is ``repr``, with the same numbers."""

    __slots__ = ()

    def _repr_html_(self) -> str | None:
        """The card, or None where no renderer is loaded."""
        render = _renderers.get(type(self).__name__)
        return render(self) if render else None

    def _repr_mimebundle_(self, **_: object) -> dict[str, str]:
        """The text line, and the card if there is one."""
        html = self._repr_html_()
        return {"text/plain": repr(self)} | ({"text/html": html} if html else {})
