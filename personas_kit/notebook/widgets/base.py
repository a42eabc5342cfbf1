"""The shape of every widget: the kernel says what is shown, the browser says what a person did, and nothing else.

``shown`` is one dict of plain data that the kernel writes as a whole; the browser draws it. What a person does comes
back as ``{"do": name, ...}`` and calls the method that is marked with ``action``. A mistake is shown where it was made,
in words. Nothing that a front end saves in a notebook may be personal or a secret: whoever fills ``shown`` masks it.

What a script in the browser is made of stands in files beside this one: ``kit.js`` and ``kit.css`` for all, one of each
for a widget. They are joined here, so that there is no build, no import by address, and nothing to download.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import ClassVar, TypeVar

import anywidget
import traitlets

from personas_kit.errors import PersonasError

VIEW = "application/vnd.jupyter.widget-view+json"
_Method = TypeVar("_Method", bound=Callable[..., None])
_MARK = "_is_an_action"


def action(method: _Method) -> _Method:
    """Mark a method that the browser may call by its name; what came with the message are its arguments."""
    setattr(method, _MARK, True)
    return method


class Widget(anywidget.AnyWidget):
    """A widget of the kit.

    Attributes:
        name: of its files beside this one: ``<name>.js`` and, where it has one, ``<name>.css``.
        shown: what is to be seen; replaced as a whole, never changed in place.
    """

    name: ClassVar[str]
    shown = traitlets.Dict().tag(sync=True)

    def __init__(self, **shown: object) -> None:
        self._esm = _joined("kit.js", f"{self.name}.js")
        self._css = _joined("kit.css", f"{self.name}.css")
        super().__init__()
        self.on_msg(self._heard)
        self.show(**shown)

    def show(self, **news: object) -> None:
        """Show this as well, instead of what had these names."""
        self.shown = {**self.shown, **news}

    def bundle(self) -> dict[str, object]:
        """What a front end needs to show it, beside the static card."""
        found = super()._repr_mimebundle_()
        data: Mapping[str, object] = found[0] if isinstance(found, tuple) else found or {}
        return {VIEW: data[VIEW]} if VIEW in data else {}

    def line(self) -> str:
        """What stands for it where there are no widgets."""
        return f"{self.name}: open this notebook with a kernel to use it"

    def card(self) -> str:
        """The static card for the saved notebook; empty if there is none."""
        return ""

    def _repr_mimebundle_(self, **_: object) -> dict[str, object]:  # type: ignore[override]
        card = self.card()
        return {"text/plain": self.line()} | ({"text/html": card} if card else {}) | self.bundle()

    def __repr__(self) -> str:
        """The line."""
        return self.line()

    def _heard(self, _: object, content: object, __: object) -> None:
        """A message of the browser. Whatever it is, only actions are called, and a mistake is told, not raised."""
        said = dict(content) if isinstance(content, dict) else {}
        method = getattr(self, str(said.pop("do", "")), None)
        if method is None or not getattr(method, _MARK, False):
            return
        try:
            method(**said)
        except PersonasError as problem:
            self.show(problem=problem.to_dict())


@functools.cache
def _joined(*names: str) -> str:
    """The texts of files beside this one, one after the other; one that is not there is empty."""
    folder = Path(__file__).parent
    paths = [folder / name for name in names]
    return "\n".join(path.read_text(encoding="utf-8") for path in paths if path.exists())
