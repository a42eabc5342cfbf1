"""From a cell to a file under review: writes definitions into ``personas.toml``, and nothing else of it changes."""

from personas_kit.saving.save import Saved, repository_of, save

__all__ = ["Saved", "repository_of", "save"]
