"""The words of the query language, and what to write instead of words that are not, or not yet, among them."""

from __future__ import annotations

from personas_kit.definitions.expressions import Operator

SYMBOLS: dict[str, Operator] = {
    "=": "=", "==": "=", "!=": "!=", "<>": "!=", "<": "<", "<=": "<=", ">": ">", ">=": ">=",
}  # fmt: skip
AS_SYMBOLS: dict[str, Operator] = {
    "equals": "=", "differs": "!=", "greater_than": ">", "at_least": ">=", "less_than": "<", "at_most": "<=",
}  # fmt: skip
TESTS: dict[str, Operator] = {"exists": "exists", "absent": "absent"}
OF_ONE = ("omits", "starts_with", "ends_with")
OF_MANY = ("contains", "one_of", "none_of")
WITHOUT_CASE = ("equals", "differs", *OF_ONE, *OF_MANY)
DATES = {"before_date": "before", "after_date": "after", "before": "before", "after": "after"}
RELATIVE: dict[str, Operator] = {
    "within_last": "within_last", "within_next": "within_next",
    "before_last": "before_last", "after_next": "after_next",
}  # fmt: skip
COMPARISONS = (*AS_SYMBOLS, *TESTS, *OF_ONE, *OF_MANY, *DATES, *RELATIVE)

FILTERS = ("where", "within", "between", "then", "not_then", "scope", "membership")
REDUCERS = ("count", "sum", "avg", "min", "max", "first", "last", "mode", "most_frequent", "unique")
OF_EVENTS = (*FILTERS, *REDUCERS)
OF_USERS = ("where", "count", "share", "sum", "avg", "min", "max", "mode", "most_frequent", "unique")

PROPERTIES = ("property", "prop")
VALUES = ("event", "trait", "account_trait", "users", *PROPERTIES)
STARTS = (*VALUES, "top", "split", "holdout")
TYPES = {"array": "list"}
UNITS = {"second": 1, "seconds": 1, "hour": 3_600, "hours": 3_600, "day": 86_400, "days": 86_400}

LATER = {
    "context": "put what you need among the event's properties: property('...')",
    "sources": "leave it out: all sources of the warehouse count",
    "entity": "use trait() and account_trait()",
    "expires_after": "use within(...)",
}
"""What Segment knows and the warehouse has in another way, and what to write instead."""

INSTEAD = {
    "in_audience": "write trait('key') = true",
    "any_user": "write ANY (...)",
    "all_users": "write ALL (...)",
    "no_user": "write NOT ANY (...)",
    "none": "write NOT ANY (...)",
    "and": "AND stands between two conditions",
    "or": "OR stands between two conditions",
    "true": "the constant stands on the right: trait('key') = true",
    "false": "the constant stands on the right: trait('key') = false",
    "literal": "the constant stands on the right: trait('key') = 100",
}
"""At the start of a comparison, in lower case."""

MISSING = ("null", "none", "nil", "undefined", "nan")
"""At the place of a constant, in lower case."""
