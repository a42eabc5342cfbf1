"""A definition as a block of personas.toml is read back as the same definition."""

import tempfile
import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from personas_kit.config import load
from personas_kit.definitions import (
    AccountAudience,
    AccountTrait,
    Audience,
    SqlAudience,
    SqlTrait,
    Trait,
    any_user,
    event,
    trait,
)
from personas_kit.definitions.definition import Subject
from personas_kit.definitions.toml import BLOCKS
from personas_kit.errors import DefinitionError
from tests.definitions.strategies import combined, compared, simple, values

often = event("Signed In").within(days=30).count() >= 5
german = trait("country") == "DE"

names = st.text(min_size=1, max_size=12).filter(str.strip)
keys = st.from_regex(r"[A-Za-z_][A-Za-z0-9_]{0,12}", fullmatch=True)
conditions = combined(compared(values))
maybe = st.none() | combined(compared(simple))
scopes = st.sampled_from([{}, {"scope": "event"}, {"membership": "at_event"}])
sql = st.text(min_size=1, max_size=40).filter(str.strip)
subjects: st.SearchStrategy[Subject] = st.sampled_from(["user", "account"])


def made(kind, *parts, **more):
    """Builds a definition of a kind with a name, a key and what else it takes."""
    named = {name: value if isinstance(value, st.SearchStrategy) else st.just(value) for name, value in more.items()}
    return st.builds(kind, names, *parts, key=keys, **named)


definitions = st.one_of(
    made(Audience, conditions, unless=maybe),
    scopes.flatmap(lambda scope: made(AccountAudience, conditions, unless=maybe, unless_user=maybe, **scope)),
    made(Trait, values),
    scopes.flatmap(lambda scope: made(AccountTrait, values, **scope)),
    made(SqlAudience, sql, of=subjects, dialect=st.sampled_from(["", "duckdb", "snowflake"])),
    made(SqlTrait, sql, of=subjects, dialect=st.sampled_from(["", "postgres"])),
)


def read(text):
    """The definitions of a file with this text."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "personas.toml"
        file.write_bytes(f'[warehouse]\npath = "w.duckdb"\n\n{text}'.encode())
        return [scheduled.definition for scheduled in load(file).scheduled]


def same(one, other):
    return type(one) is type(other) and said(one) == said(other)


def said(definition):
    """Every field, expressions as their text: trees of the same text are read as the same tree."""
    fields = {name: getattr(definition, name) for name in definition.__dataclass_fields__ if hasattr(definition, name)}
    return {name: value if value is None else str(value) for name, value in fields.items()}


@given(definitions)
def test_any_definition_is_read_back_as_it_was(definition):
    (back,) = read(definition.to_toml())

    assert same(back, definition)
    assert back.fingerprint == definition.fingerprint


@given(st.lists(definitions, min_size=2, max_size=3, unique_by=lambda each: each.key))
def test_several_blocks_stand_below_each_other(several):
    back = {each.key: each for each in read("\n".join(each.to_toml() for each in several))}

    assert all(same(back[each.key], each) for each in several)


def test_the_text_is_what_a_person_would_write():
    lively = AccountAudience(
        "Lively", any_user(often), unless=trait("kind") == "test", unless_user=german, scope="event", key="lively_1"
    )

    assert lively.to_toml() == (
        "[[account_audience]]\n"
        'name        = "Lively"\n'
        'key         = "lively_1"\n'
        "where       = \"ANY event('Signed In').within(30 days).scope('event').count() >= 5\"\n"
        "unless      = \"trait('kind') = 'test'\"\n"
        "unless_user = \"trait('country') = 'DE'\"\n"
    )


def test_sql_keeps_its_lines_and_its_quotes():
    text = "SELECT \"user_id\"\n  FROM t\n WHERE x = 'a\\b'"

    block = SqlAudience("Listed", text, dialect="duckdb").to_toml()

    assert '"""\nSELECT "user_id"\n  FROM t\n' in block
    assert tomllib.loads(block)["sql_audience"][0]["sql"] == text


@pytest.mark.parametrize("sql", ['SELECT 1\n"', 'SELECT 1\n""""', "SELECT 1\r\n\\", "\n\n\n", "a\nb\x7f\t"])
def test_sql_that_could_end_its_own_quotes_is_read_back(sql):
    text = f"x{sql}"

    assert tomllib.loads(SqlTrait("T", text).to_toml())["sql_trait"][0]["sql"] == text


def test_every_block_is_one_that_the_file_knows():
    assert {next(iter(tomllib.loads(each.to_toml()))) for each in EXAMPLES} == set(BLOCKS)


EXAMPLES = (
    Audience("A", often),
    AccountAudience("B", any_user(often)),
    Trait("C", event("X").count()),
    AccountTrait("D", event("X").count()),
    SqlAudience("E", "SELECT user_id FROM t"),
    SqlTrait("F", "SELECT user_id, 1 AS value FROM t"),
)


def test_sql_inside_a_condition_is_refused_with_what_to_do():
    listed = SqlAudience("Listed", "SELECT user_id FROM t")
    mixed = Audience("Mixed", often & listed.expression)

    with pytest.raises(DefinitionError, match="cannot stand inside") as refused:
        mixed.to_toml()

    assert "in_audience" in refused.value.hint
    assert "Mixed" in refused.value.where
