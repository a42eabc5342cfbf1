"""What a warehouse gave becomes what a call wants."""

import polars as pl
import pytest

from personas_kit.activation.wanted import Members, wanted_by
from personas_kit.errors import DestinationError
from tests.activation.test_history import SEGMENT

USERS = ["ann", "bob", "cid"]


def wanted(emails, ids):
    return wanted_by("identify", Members(pl.DataFrame({"user_id": USERS, "email": emails})), SEGMENT, ids)


def test_an_identifier_is_a_text_without_spaces_around_it_and_an_empty_one_is_none():
    all_ = wanted([" ann@example.com ", "  ", None], {"email": "email", "own": "user_id"})
    found = all_.named(all_.members)

    assert found["id_email"].to_list() == ["ann@example.com", None, None]
    assert found["id_own"].to_list() == USERS


@pytest.mark.parametrize("several", [["a@example.com", "b@example.com"], {"work": "a@example.com"}])
def test_a_column_of_lists_or_documents_is_no_identifier(several):
    with pytest.raises(DestinationError, match="the column 'email' holds lists or documents") as raised:
        wanted([several, None, None], {"email": "email"})

    assert "example.com" not in str(raised.value)


def test_a_column_that_an_identifier_is_read_from_does_not_go_along_as_another_one():
    users = pl.DataFrame({"user_id": USERS, "id_card": ["a@example.com", None, None], "id_phone": ["1", None, None]})
    ids = {"email": "id_card", "phone": "id_phone"}
    all_ = wanted_by("identify", Members(users), SEGMENT, ids)
    found = all_.named(all_.members)

    assert set(found.columns) == {"member", "user_id", "id_email", "id_phone"}
    assert found.select("id_email", "id_phone").rows() == [("a@example.com", "1"), (None, None), (None, None)]


@pytest.mark.parametrize("column", ["member", "id_card", "of_card", "of_email", "user_id"])
def test_an_identifier_is_read_from_a_column_of_any_name(column):
    emails = ["a@example.com", None, "c@example.com"] if column != "user_id" else USERS
    users = pl.DataFrame({"user_id": USERS, "card": ["1", "2", None]}).with_columns(pl.Series(column, emails))
    all_ = wanted_by("identify", Members(users), SEGMENT, {"card": "card", "email": column})
    found = all_.named(all_.members)

    assert found.select("member", "id_card", "id_email").rows() == [*zip(USERS, ["1", "2", None], emails, strict=True)]


SAID = {
    "texts": ([" ann@example.com ", "  ", None], "email"),
    "lists": ([["a", " b "], [], None], {"column": "email", "take": "last"}),
    "texts of lists": (['["a", " b "]', "[]", "c"], {"column": "email", "take": "first"}),
    "numbers": ([1, 2, None], "email"),
}


@pytest.mark.parametrize("kind", SAID)
@pytest.mark.parametrize("some", [[], ["bob"], ["cid", "ann"], USERS])
def test_identifiers_of_those_who_change_are_those_that_everybody_would_have(kind, some):
    emails, said = SAID[kind]
    all_ = wanted(emails, {"email": said, "own": "user_id"})
    chosen = pl.col("member").is_in(some)

    assert "id_email" not in all_.members.columns  # nobody is given identifiers that are not sent
    assert all_.named(all_.members.filter(chosen)).equals(all_.named(all_.members).filter(chosen))
