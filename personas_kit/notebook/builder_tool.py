"""``ws.builder()``: where the builder is opened from. The widget itself is imported once somebody wants it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from personas_kit.definitions import Definition
from personas_kit.definitions.definition import Subject
from personas_kit.display import opens
from personas_kit.errors import DefinitionError
from personas_kit.notebook.builder.draft import blank, opened
from personas_kit.notebook.live import check_usable
from personas_kit.reading import Reader
from personas_kit.workspace import Workspace

if TYPE_CHECKING:
    from personas_kit.notebook.widgets.builder import Builder


@opens("builder")
def open_builder(workspace: Workspace, reader: Reader, definition: Definition | None, subject: Subject) -> Builder:
    """The builder, empty or with an audience in it.

    Raises:
        PersonasError: widgets are not installed.
        DefinitionError: it is a trait, or SQL: there is nothing in it to click; or the subject is another word.
    """
    check_usable("the builder")
    from personas_kit.notebook.widgets.builder import Builder  # noqa: PLC0415  (it needs anywidget)

    if subject not in {"user", "account"}:
        raise DefinitionError(f"an audience is of users or of accounts, not of {subject!r}", hint='subject="user"')
    audiences = {key for key, known in workspace.definitions.items() if known.is_audience}
    draft = blank(subject) if definition is None else opened(definition, audiences)
    return Builder(workspace, reader, definition, draft)
