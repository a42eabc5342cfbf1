"""The exit codes of ``personas``; the package's docstring says what they mean."""

DONE, ERROR, USAGE, GUARD, REJECTS, INTERRUPTED, ELSEWHERE = range(7)
