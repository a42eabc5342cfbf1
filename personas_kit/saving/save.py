"""Puts definitions into the files of a workspace: all of them or none, and only what can be loaded."""

from __future__ import annotations

import contextlib
import os
import shlex
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from personas_kit.config import Scheduled, files_of, load
from personas_kit.definitions import Definition
from personas_kit.definitions.expressions import TraitRef, walk
from personas_kit.definitions.uses import roots_of
from personas_kit.display import Displayed
from personas_kit.errors import ConfigError, DefinitionError, PersonasError
from personas_kit.saving.blocks import keys_in, with_definition

Wrote = Literal["added", "changed", "unchanged"]


@dataclass(frozen=True, slots=True)
class SavedBlock:
    """One definition: its key, what was done, in which file, and the block as ``to_toml`` gives it."""

    key: str
    wrote: Wrote
    file: Path
    text: str


@dataclass(frozen=True, slots=True, repr=False)
class Saved(Displayed):
    """What ``ws.save`` wrote, and where."""

    blocks: tuple[SavedBlock, ...]

    @property
    def files(self) -> list[Path]:
        """The files that were written."""
        return list(dict.fromkeys(block.file for block in self.blocks if block.wrote != "unchanged"))

    @property
    def review(self) -> list[str]:
        """What to type to look at the change, and to propose it; empty where git does not watch the file."""
        root = repository_of(self.files[0]) if self.files else None
        if root is None:
            return []
        names = " ".join(shlex.quote(os.path.relpath(file, root)) for file in self.files)
        keys = ", ".join(block.key for block in self.blocks if block.wrote != "unchanged")
        git = f"git -C {shlex.quote(str(root))}"
        return [
            f"{git} diff -- {names}",
            f"{git} add -- {names} && {git} commit -m {shlex.quote(f'Define {keys}')} -- {names}",
        ]

    def __repr__(self) -> str:
        """One line: what was done where, and how to look at it."""
        files = dict.fromkeys(block.file for block in self.blocks)
        done = [
            f"{file}: {', '.join(f'{block.key} {block.wrote}' for block in self.blocks if block.file == file)}"
            for file in files
        ]
        return "; ".join(done) + (f". Review: {self.review[0]}" if self.review else "")


def save(path: Path, definitions: Sequence[Definition], known: Mapping[str, Definition]) -> Saved:
    """Write definitions into ``personas.toml`` or what it includes.

    A definition goes where its key stands already; a new one goes to ``personas.toml``, or into the only file that
    holds definitions. The files are loaded with the change before they are put in place.

    Args:
        path: the ``personas.toml``.
        definitions: to be written.
        known: by key those of the workspace, to tell a name that is missing in the files from a trait of the source.

    Raises:
        ConfigError: the files cannot be loaded, with the change or without it, or cannot be written.
        DefinitionError: it refers to a definition that is not saved, is of another kind than what is there, or has a
            part that only Python can say.
    """
    before = {scheduled.definition.key: scheduled for scheduled in load(path).scheduled}
    _check_keys(definitions, before)
    old = {file.resolve(): _read(file) for file in files_of(path)}
    new, blocks = dict(old), []
    for definition in definitions:
        file = _place(path.resolve(), new, definition.key)
        wrote = _wrote(before, definition)
        if wrote != "unchanged":
            try:
                new[file] = with_definition(new[file], definition)
            except PersonasError as problem:
                raise problem.at(f"{file.name}: {definition.key}") from None
        blocks.append(SavedBlock(definition.key, wrote, file, definition.to_toml()))
    changed = {file: text for file, text in new.items() if text != old[file]}
    after = {each.definition.key: each.definition for each in load(path, instead=changed).scheduled}
    for definition in definitions:
        _check_read(definition, after)
        _check_references(definition, after, known)
    _put(changed, old)
    return Saved(tuple(blocks))


def _wrote(before: Mapping[str, Scheduled], definition: Definition) -> Wrote:
    """What there is to write; SQL that stands in a file of its own stays there."""
    there = before.get(definition.key)
    if there is None:
        return "added"
    return "unchanged" if _equal(there.definition, definition) else "changed"


def _equal(one: Definition, other: Definition) -> bool:
    return type(one) is type(other) and one.to_toml() == other.to_toml()


def _place(path: Path, texts: Mapping[Path, str], key: str) -> Path:
    """The file that a definition belongs in."""
    holding = {file: keys_in(text) for file, text in texts.items()}
    for file, keys in holding.items():
        if key in keys:
            return file
    used = [file for file, keys in holding.items() if keys]
    return used[0] if len(used) == 1 else path


def _check_keys(definitions: Sequence[Definition], before: Mapping[str, Scheduled]) -> None:
    if not definitions:
        raise DefinitionError("there is nothing to save", hint="name a definition: ws.save(buyers)")
    seen = dict[str, str]()
    for definition in definitions:
        there = before.get(definition.key)
        if definition.key in seen:
            raise DefinitionError(
                f"two definitions have the key {definition.key!r}: {seen[definition.key]!r} and {definition.name!r}",
                hint="give one of them another key",
            )
        seen[definition.key] = definition.name
        if there is None:
            continue
        if there.definition.kind != definition.kind:
            raise DefinitionError(
                f"the key {definition.key!r} belongs to the {there.definition.kind} {there.definition.name!r}",
                where=definition.name,
                hint="give this one another key",
            )


def _check_read(definition: Definition, after: Mapping[str, Definition]) -> None:
    """What the file says now is what was to be said."""
    if not _equal(definition, after[definition.key]):
        raise DefinitionError(
            "the file would say something else than this definition",
            where=repr(definition.name),
            hint="if its SQL stands in a file of its own, change it there",
        )


def _check_references(definition: Definition, after: Mapping[str, Definition], known: Mapping[str, Definition]) -> None:
    """Whoever reads the file has to find what the definition refers to."""
    named = [node.key for root, _ in roots_of(definition) for node in walk(root) if isinstance(node, TraitRef)]
    missing = [key for key in dict.fromkeys(named) if key in known and key not in after]
    if missing:
        raise DefinitionError(
            f"it refers to {', '.join(map(repr, missing))}, which {'is' if len(missing) == 1 else 'are'} not saved",
            where=repr(definition.name),
            hint=f"save them together, as in ws.save({', '.join([*missing, definition.key])})",
        )


def _read(file: Path) -> str:
    """The text of a file that was loaded, its ends of lines as they are."""
    try:
        return file.read_bytes().decode("utf-8")
    except OSError as problem:
        raise ConfigError(f"the file cannot be read: {problem.strerror}", where=str(file)) from None


def _put(texts: Mapping[Path, str], expected: Mapping[Path, str]) -> None:
    """Write all of the files, or none of them; and only if nobody has changed one meanwhile."""
    with contextlib.ExitStack() as written:
        made = {file: written.enter_context(_beside(file, text)) for file, text in texts.items()}
        for file in made:
            if _read(file) != expected[file]:
                raise ConfigError("the file was changed meanwhile, and is left as it is", where=str(file))
        for file, new in made.items():
            try:
                new.replace(file)
            except OSError as problem:
                raise _unwritten(file, problem) from None  # others may be written: this is as near as files get


@contextlib.contextmanager
def _beside(file: Path, text: str) -> Iterator[Path]:
    """The text in a new file in the same folder, which is gone afterwards unless it took the other's place."""
    with contextlib.ExitStack() as cleared:
        try:
            handle = cleared.enter_context(
                tempfile.NamedTemporaryFile(dir=file.parent, prefix=f".{file.name}.", suffix=".new", delete=False)
            )
            made = Path(handle.name)
            cleared.callback(made.unlink, missing_ok=True)
            handle.write(text.encode("utf-8"))
            handle.flush()
            os.fsync(handle.fileno())
            made.chmod(file.stat().st_mode & 0o7777)
        except OSError as problem:
            raise _unwritten(file, problem, hint="nothing was written") from None
        yield made


def _unwritten(file: Path, problem: OSError, hint: str = "") -> ConfigError:
    return ConfigError(f"the file cannot be written: {problem.strerror}", where=str(file), hint=hint)


def repository_of(file: Path) -> Path | None:
    """The folder of the git repository that a file lies in; None where there is none."""
    return next((folder for folder in file.parents if (folder / ".git").exists()), None)
