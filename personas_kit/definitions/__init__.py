"""PURE: what a person means. Expressions, audiences and traits, and the query language in and out. Knows no SQL."""

from personas_kit.definitions.definition import AccountAudience, AccountTrait, Audience, Definition, Trait
from personas_kit.definitions.expressions import (
    account_trait,
    all_users,
    any_user,
    event,
    in_audience,
    no_user,
    prop,
    trait,
)
from personas_kit.definitions.language import parse

__all__ = [
    "AccountAudience",
    "AccountTrait",
    "Audience",
    "Definition",
    "Trait",
    "account_trait",
    "all_users",
    "any_user",
    "event",
    "in_audience",
    "no_user",
    "parse",
    "prop",
    "trait",
]
