"""Settings: what may stand in them, and the block that a person pastes."""

import pytest

from personas_kit.destinations import find
from personas_kit.destinations.outcomes import Answer, retry_after
from personas_kit.errors import ConfigError
from personas_kit.testing.written import Canary


def test_digits_of_another_script_are_no_digits():
    values = {"api_key": "k", "secret_key": Canary(), "list_id": "\N{ARABIC-INDIC DIGIT ONE}"}

    with pytest.raises(ConfigError, match="'list_id' cannot be"):
        find("mailjet").configure("mail", values)


@pytest.mark.parametrize(
    ("slug", "said"),
    [
        ("marketo-v2", 'to = [{ destination = "marketo_v2", ids = { email = "email" } }]'),
        ("google-analytics", 'to = [{ destination = "google_analytics", ids = { client_id = "client_id" } }]'),
        ("vitally", 'to = [{ destination = "vitally", ids = { user_id = "user_id", account_id = "account_id" } }]'),
        ("mailjet", 'to = [{ destination = "mailjet", list = "<id>", ids = { email = "email" } }]'),
    ],
)
def test_the_block_to_paste_shows_by_which_identifiers_users_are_known(slug, said):
    assert f"# in a definition: {said}" in find(slug).paste().splitlines()


def test_the_block_to_paste_says_nothing_of_identifiers_where_the_users_id_is_enough():
    assert "in a definition" not in find("amplitude").paste()


def test_a_choice_that_may_be_left_out_is_shown_by_what_it_may_be():
    assert '# customer_consent = "true"' in find("facebook-custom-audiences").paste()


@pytest.mark.parametrize("zone", ["+99999999999999999999", "-2400", "+9999"])
def test_a_date_of_a_zone_that_there_is_not_says_nothing(zone):
    answer = Answer(429, {"Retry-After": f"Fri, 27 Nov 2026 08:00:00 {zone}", "Date": "Fri, 27 Nov 2026 07:00:00 GMT"})

    assert retry_after(answer) is None or retry_after(answer) >= 0
