"""PURE: frames of members and values, and what changed between two of them. No I/O."""

from personas_kit.membership.changes import membership_changes, value_changes
from personas_kit.membership.expansion import combine_values, expand_to_users, list_members
from personas_kit.membership.keys import KeyProblems, key_problems
from personas_kit.membership.values import as_json

__all__ = [
    "KeyProblems",
    "as_json",
    "combine_values",
    "expand_to_users",
    "key_problems",
    "list_members",
    "membership_changes",
    "value_changes",
]
