"""The command line ``personas``: the same workspace as in a notebook, for terminals and schedules.

Exit codes: 0 everything is acknowledged; 1 an error; 2 wrong usage; 3 a guard blocks; 4 finished, but some changes were
refused; 5 interrupted or something is unknown: run again; 6 another run has some of the syncs.

With ``--json`` standard output is one JSON document; everything for people goes to standard error.
"""

from personas_kit.cli.entry import main

__all__ = ["main"]
