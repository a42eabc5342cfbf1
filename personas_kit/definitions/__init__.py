"""PURE: what a person means. Expressions, audiences and traits, and the query language in and out. Knows no SQL."""

from personas_kit.definitions.definition import (
    AccountAudience,
    AccountTrait,
    Audience,
    Definition,
    SqlAudience,
    SqlTrait,
    Trait,
)
from personas_kit.definitions.language import parse
from personas_kit.definitions.storage import from_dict
from personas_kit.definitions.vocabulary import (
    account_trait,
    all_users,
    any_user,
    event,
    holdout,
    in_audience,
    no_user,
    prop,
    split,
    top,
    trait,
    users,
)

__all__ = [
    "AccountAudience",
    "AccountTrait",
    "Audience",
    "Definition",
    "SqlAudience",
    "SqlTrait",
    "Trait",
    "account_trait",
    "all_users",
    "any_user",
    "event",
    "from_dict",
    "holdout",
    "in_audience",
    "no_user",
    "parse",
    "prop",
    "split",
    "top",
    "trait",
    "users",
]
