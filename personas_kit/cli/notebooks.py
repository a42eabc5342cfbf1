"""A notebook on a schedule: executed without anybody there, kept whatever happens, and its end as an exit code."""

from __future__ import annotations

import ast
import datetime as dt
import importlib
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import click

from personas_kit.cli.codes import DONE, ELSEWHERE, ERROR, GUARD, INTERRUPTED, REJECTS
from personas_kit.cli.terminal import complain, people
from personas_kit.display import working
from personas_kit.errors import (
    ConfigError,
    PersonasError,
    PlanBlocked,
    RunElsewhere,
    RunRejected,
    RunUnfinished,
    nearest,
)

#: What a notebook may end in -> the exit code; everything else is an error.
_CODES: Mapping[str, int] = {
    PlanBlocked.__name__: GUARD,
    RunElsewhere.__name__: ELSEWHERE,
    RunRejected.__name__: REJECTS,
    RunUnfinished.__name__: INTERRUPTED,
    KeyboardInterrupt.__name__: INTERRUPTED,
}


def of_lab(module: str) -> ModuleType:
    """A module of the extra ``lab``.

    Raises:
        PersonasError: it is not installed.
    """
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as missing:
        name = (missing.name or module).partition(".")[0]
        raise PersonasError(f"{name} is not installed", hint='pip install "personas-kit[lab]"') from None


def run_notebook(notebook: Path, given: Mapping[str, object], output: Path | None, folder: Path) -> int:
    """Execute a notebook, as far as it gets, and leave it with its outputs.

    Args:
        notebook: the file; it is not changed.
        given: parameters, in the place of those of its cell with the tag ``parameters``.
        output: the executed notebook; by default beside the notebook, with the time in its name.
        folder: where it runs, so that it finds the ``personas.toml`` of this folder or above it.

    Returns:
        The exit code: what its last error says, see ``RunReport.check``; or that of ``sys.exit``.

    Raises:
        ConfigError: it is no notebook, or cannot be written.
        click.UsageError: it has no such parameter.
    """
    papermill = of_lab("papermill")
    _check_parameters(read_notebook(notebook), given)
    made = output or notebook.with_name(f"{notebook.stem}-{dt.datetime.now(dt.UTC):%Y%m%dT%H%M%SZ}.ipynb")
    if made.resolve() == notebook.resolve():
        raise click.UsageError("the executed notebook needs a name of its own: the notebook itself stays as it is")
    if not folder.is_dir():
        raise ConfigError("there is no such folder", where=str(folder))
    people.print(f"running {notebook} in {folder.resolve()}")
    try:
        with working(notebook.name):
            papermill.execute_notebook(
                str(notebook),
                str(made),
                parameters=dict(given),
                cwd=str(folder),
                kernel_name="python3",  # this Python, whatever kernel the notebook was written with
                language="python",
                progress_bar=False,
                stdout_file=None if people.is_terminal else sys.stderr,  # what it prints is the log of a schedule
            )
    except papermill.PapermillExecutionError as failed:
        complain(f"cell {failed.exec_count}: {failed.ename}: {failed.evalue}")
        code = _code(failed.ename, failed.evalue)
    except of_lab("nbclient").exceptions.DeadKernelError:
        complain("the kernel died: there may be too little memory. Run again: it goes on")
        code = INTERRUPTED
    except OSError as problem:
        raise ConfigError(f"the notebook cannot be written: {problem.strerror or problem}", where=str(made)) from None
    else:
        code = DONE
    people.print(f"{made}: exit code {code}")
    people.print(f"as a page: personas export {made} {made.with_suffix('.html')}")
    return code


def read_notebook(notebook: Path) -> Any:  # noqa: ANN401  (the extra may be missing)
    """A notebook in today's form.

    Raises:
        ConfigError: it is none, or cannot be read.
    """
    nbformat = of_lab("nbformat")
    try:
        return nbformat.read(notebook, as_version=4)
    except OSError as problem:
        raise ConfigError(f"the notebook cannot be read: {problem.strerror}", where=str(notebook)) from None
    except (ValueError, AttributeError, KeyError, TypeError, nbformat.ValidationError):
        raise ConfigError("this is not a notebook", where=str(notebook)) from None


def read_parameters(_: click.Context, __: click.Parameter, said: Sequence[str]) -> dict[str, object]:
    """``name=value``, several times; a value is what Python makes of it, else a text."""
    found: dict[str, object] = {}
    for each in said:
        name, equals, value = each.partition("=")
        if not equals or not name.strip().isidentifier():
            raise click.BadParameter(f"{each!r} is not name=value")
        found[name.strip()] = _literal(value)
    return found


def _literal(text: str) -> object:
    try:
        return ast.literal_eval(text.strip())
    except (ValueError, SyntaxError, RecursionError, MemoryError):
        return {"true": True, "false": False}.get(text, text)


def _check_parameters(notebook: Any, given: Mapping[str, object]) -> None:  # noqa: ANN401  (as above)
    """A parameter with a misspelt name would be left out without a word, and the notebook would do something else."""
    cells = [cell.source for cell in notebook.cells if "parameters" in cell.metadata.get("tags", ())]
    known = [name for source in cells for name in _assigned(source)]
    for name in given:
        if name not in known:
            near = nearest(name, known)
            more = (
                f"did you mean {near[0]}?"
                if near
                else f"it has {', '.join(known) or 'no cell with the tag parameters'}"
            )
            raise click.UsageError(f"the notebook has no parameter {name!r}: {more}")


def _assigned(source: str) -> list[str]:
    """The names that a cell gives a value; none if it is not plain Python."""
    try:
        statements = ast.parse(source).body
    except SyntaxError:
        return []
    targets = [each.targets if isinstance(each, ast.Assign) else [getattr(each, "target", None)] for each in statements]
    return [target.id for several in targets for target in several if isinstance(target, ast.Name)]


def _code(error: str, said: str) -> int:
    """The exit code that an error of a notebook stands for."""
    if error == SystemExit.__name__:
        return int(said) if said.isdecimal() and int(said) <= ELSEWHERE else ERROR
    return _CODES.get(error, ERROR)
