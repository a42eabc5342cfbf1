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
