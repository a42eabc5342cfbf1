"""Runs the code of a page as a reader would: block after block, in one namespace, in a folder of its own."""

from __future__ import annotations

import ast
import contextlib
import io
import re
import shlex
from typing import Any

from personas_kit.cli import main
from tests.docs.pages import Block

#: A block that is not for running says why in its first line, where its reader sees it.
UNRUN = re.compile(r"# not run: \S")
CALL = re.compile(r"(?:^|\s|bin/)(personas [a-z-][^#\n]*)")


def said_by(block: Block, namespace: dict[str, Any]) -> str:
    """What is printed, and the last expression as a console shows it."""
    tree = ast.parse(block.text, filename=str(block))
    *_, last = tree.body
    shown = ast.Expression(tree.body.pop().value) if isinstance(last, ast.Expr) else None
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(compile(tree, str(block), "exec"), namespace)  # noqa: S102  (the page is the project's own)
        for test in (node.name for node in tree.body if isinstance(node, ast.FunctionDef) and node.name[:5] == "test_"):
            namespace[test]()
        result = eval(compile(shown, str(block), "eval"), namespace) if shown else None  # noqa: S307  (as above)
    return printed.getvalue() + ("" if result is None else f"{result!r}\n")


def said_in_terminal(block: Block) -> str:
    """What the commands of a block print; ``personas`` runs in this process."""
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        for command in commands(block):
            with contextlib.suppress(SystemExit):
                main(shlex.split(command)[1:])
    return printed.getvalue()


def commands(block: Block) -> list[str]:
    """The lines that call ``personas``, without what follows a ``#`` and without what stands before the call."""
    lines = re.sub(r"\\\n\s*", " ", block.text).splitlines()
    said = [line.partition(" #")[0] for line in lines if not line.startswith("#")]
    found = [CALL.search(line) for line in said]
    return [each[1].strip() for each in found if each]
