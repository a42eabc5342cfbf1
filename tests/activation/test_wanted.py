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
    found = wanted([" ann@example.com ", "  ", None], {"email": "email", "own": "user_id"}).members

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
    found = wanted_by("identify", Members(users), SEGMENT, ids).members

    assert set(found.columns) == {"member", "user_id", "id_email", "id_phone"}
