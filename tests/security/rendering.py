"""Errors as notebooks and collectors of errors show them: with what every frame holds."""

import sys
import traceback

from IPython.core.ultratb import VerboseTB


def rendered(action):
    """What is shown when it raises: the plain text, the traceback with locals, and IPython's verbose one."""
    try:
        action()
    except BaseException as problem:  # noqa: BLE001  (interrupts, too)
        kind, value, trace = sys.exc_info()
        plain = traceback.TracebackException.from_exception(problem, capture_locals=True)
        verbose = VerboseTB(theme_name="nocolor", include_vars=True)
        return "\n".join(
            [repr(problem), str(problem), *plain.format(chain=True), verbose.text(kind, value, trace), _chain(problem)]
        )
    raise AssertionError("it did not raise")


def _chain(problem):
    """Whatever hangs on an error, shown or not."""
    chained = [problem.__cause__, problem.__context__]
    return repr([each for each in chained if each is not None]) + repr(vars(problem))
