"""What the file may say of a definition beside its condition."""

import pytest

from personas_kit import parse
from personas_kit.config import load
from personas_kit.errors import PersonasError

FILE = """
[warehouse]
path = "w.duckdb"

[[audience]]
name = "Buyers"
where = "event('Order').count() >= 1"
unless = "trait('suppressed') = true"

[[account_audience]]
name = "Lively"
where = "ANY event('Order').count() >= 5"
unless_user = "trait('suppressed') = true"
scope = "event"

[[account_trait]]
name = "Orders"
value = "event('Order').count()"
membership = "at_event"
"""


def test_the_file_says_all_that_python_does(tmp_path):
    (tmp_path / "personas.toml").write_text(FILE)

    buyers, lively, orders = (scheduled.definition for scheduled in load(tmp_path / "personas.toml").scheduled)

    assert str(buyers.expression) == "event('Order').count() >= 1 AND NOT trait('suppressed') = true"
    assert str(lively.where) == "ANY event('Order').scope('event').count() >= 5"
    assert str(lively.unless_user) == str(parse("trait('suppressed') = true"))
    assert str(orders.value) == "event('Order').membership('at_event').count()"


@pytest.mark.parametrize(
    ("said", "instead", "says"),
    [
        ("unless = \"trait('suppressed') = true\"", "unless = \"trait('suppressed')\"", "must end in a condition"),
        ("unless = \"trait('suppressed') = true\"", 'unless = "trait("', "Buyers"),
        ('scope = "event"', 'scope = "team"', "means nothing"),
        ('scope = "event"', 'scop = "event"', "did you mean 'scope'"),
    ],
)
def test_what_it_cannot_mean_is_refused_with_its_place(tmp_path, said, instead, says):
    (tmp_path / "personas.toml").write_text(FILE.replace(said, instead))

    with pytest.raises(PersonasError) as refused:
        load(tmp_path / "personas.toml")

    assert says in str(refused.value)
    assert "personas.toml" in str(refused.value)


SQL = """
include = ["audiences/*.toml"]

[warehouse]
path = "w.duckdb"

[[sql_audience]]
name = "Listed"
sql = "SELECT user_id FROM users"
every = "1h"
"""
MORE = """
[[sql_trait]]
name = "Score"
key = "score"
file = "../sql/score.sql"
of = "account"
dialect = "snowflake"
"""


def written(folder, more=MORE, sql="SELECT account_id, 1 AS value FROM accounts"):
    (folder / "personas.toml").write_text(SQL)
    for name in ("audiences", "sql"):
        (folder / name).mkdir()
    (folder / "audiences" / "more.toml").write_text(more)
    (folder / "sql" / "score.sql").write_text(sql)
    return folder / "personas.toml"


def test_sql_of_ones_own_stands_in_the_file_or_in_one_beside_it(tmp_path):
    listed, score = load(written(tmp_path)).scheduled

    assert (listed.definition.kind, listed.definition.sql, listed.cadence.every) == (
        "audience",
        "SELECT user_id FROM users",
        3600,
    )
    assert (score.definition.kind, score.definition.key) == ("account_trait", "score")
    assert score.definition.sql == "SELECT account_id, 1 AS value FROM accounts"
    assert score.definition.dialect == "snowflake"


@pytest.mark.parametrize(
    ("said", "instead", "says"),
    [
        ('file = "../sql/score.sql"', 'file = "../sql/scores.sql"', "cannot be read"),
        ('file = "../sql/score.sql"', "", "either the SQL or its file"),
        ('file = "../sql/score.sql"', 'file = "../sql/score.sql"\nsql = "SELECT 1"', "either the SQL or its file"),
        ('of = "account"', 'of = "team"', "'user' or 'account'"),
        ('file = "../sql/score.sql"', 'sql = " "', "there is no SQL"),
        ('of = "account"', 'off = "account"', "did you mean 'of'"),
    ],
)
def test_sql_that_is_not_there_is_refused_with_its_place(tmp_path, said, instead, says):
    file = written(tmp_path, MORE.replace(said, instead))

    with pytest.raises(PersonasError) as refused:
        load(file)

    assert says in str(refused.value)
    assert "more.toml" in str(refused.value)
