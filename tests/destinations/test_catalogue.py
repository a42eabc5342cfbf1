"""The catalogue: its rows, its names, and the page made of it. ``--update-golden`` writes docs/destinations.md anew."""

from collections import Counter
from pathlib import Path

import polars as pl
import pytest

from personas_kit.destinations import DESTINATIONS
from personas_kit.destinations.catalogue import CATALOGUE, ENTRIES, Entry, find_entry, frame, markdown
from personas_kit.destinations.showing import described, listed, native
from personas_kit.errors import UnknownName

PAGE = Path(__file__).parents[2] / "docs" / "destinations.md"
EVENTS = [entry for entry in ENTRIES if entry.kind == "event"]
LISTS = [entry for entry in ENTRIES if entry.kind == "list"]
ids = [f"{entry.slug}-{entry.kind}" for entry in ENTRIES]
#: Destinations of one vendor, which a gateway reaches by one key: renamed, or an event destination and a list.
TOGETHER = [{"hasoffers", "tune"}]
#: Modules that are a second way to a vendor: the catalogue knows the first.
SECOND = {"amplitude-cohorts"}


def test_the_page_is_what_the_catalogue_says(request):
    text = markdown(native(DESTINATIONS))
    if request.config.getoption("--update-golden"):
        PAGE.write_text(text, encoding="utf-8", newline="\n")
    assert PAGE.read_text(encoding="utf-8") == text, "pytest tests/destinations/test_catalogue.py --update-golden"


@pytest.mark.parametrize("page", ["README.md", "CHANGELOG.md"])
def test_the_first_pages_have_the_number_of_modules(page):
    text = (PAGE.parents[1] / page).read_text(encoding="utf-8")
    own = sum(entry.way({*DESTINATIONS}) == "native" for entry in ENTRIES)

    assert f" {own} of them" in text


def test_there_are_177_rows_of_two_kinds_by_slug():
    assert (len(EVENTS), len(LISTS), len(ENTRIES)) == (174, 3, 177)
    assert [(entry.slug, entry.kind) for entry in ENTRIES] == sorted({(entry.slug, entry.kind) for entry in ENTRIES})


def test_the_numbers_are_those_that_were_counted():
    assert Counter(entry.status for entry in EVENTS) == {"live": 92, "renamed": 31, "retired": 30, "unknown": 21}
    assert Counter(entry.fields_first for entry in EVENTS) == {"yes": 29, "no": 63, "unknown": 82}
    assert sum("identify" not in entry.calls for entry in EVENTS) == 25


@pytest.mark.parametrize("entry", ENTRIES, ids=ids)
def test_a_row_says_what_its_status_needs(entry):
    assert entry.kind in {"event", "list"}
    assert set(entry.calls) <= {"identify", "track", "group", "list"}
    assert entry.name
    assert entry.needs
    assert bool(entry.today) == (entry.status == "renamed")
    assert bool(entry.why) == (entry.status == "retired")
    assert entry.why == "" or entry.why.endswith(".")
    assert all(entry.segment)
    assert entry.instead in CATALOGUE or " " in entry.instead or not entry.instead
    assert entry.instead != entry.slug


def test_lists_are_lists_with_an_interval_and_a_module_of_their_own_name():
    assert {entry.slug: (entry.module, entry.minimum_interval) for entry in LISTS} == {
        "adwords-remarketing-lists": ("google-customer-match", 6 * 3_600),
        "marketo-static-lists": ("marketo-static-lists", 3_600),
        "personas-facebook-ads": ("facebook-custom-audiences", 3_600),
    }
    assert all("list" in entry.calls for entry in LISTS)
    assert not any(entry.minimum_interval for entry in EVENTS)


def test_what_a_module_takes_as_a_list_the_catalogue_calls_a_list():
    lists = {slug for slug, made in DESTINATIONS.items() if "list" in made.calls}
    found = {slug: find_entry(slug) for slug in lists - SECOND}

    assert [slug for slug, entry in found.items() if "list" not in entry.calls] == []


def test_a_module_takes_the_list_as_rarely_as_the_catalogue_says():
    found = {entry.module: entry.minimum_interval for entry in LISTS if entry.module in DESTINATIONS}

    assert {slug: DESTINATIONS[slug].minimum_interval for slug in found} == found


@pytest.mark.parametrize("gateway", ["segment", "rudderstack"])
def test_a_key_of_a_gateway_is_of_one_vendor(gateway):
    slugs: dict[str, set[str]] = {}
    for entry in ENTRIES:
        keys = getattr(entry, gateway)
        for key in [keys] if isinstance(keys, str) else keys:
            slugs.setdefault(key, set()).add(entry.slug)
    slugs.pop("", None)

    assert [found for found in slugs.values() if len(found) > 1 and found not in TOGETHER] == []


def test_doubt_is_said_by_one_column_and_not_by_marks():
    for entry in ENTRIES:
        text = f"{entry.name} {entry.today} {entry.needs} {entry.limits} {entry.why} {entry.instead}"
        assert not {*"~?|\n"} & {*text}


# -------------------------------------------------------------------------------------------------------------- names


@pytest.mark.parametrize(
    ("name", "slug"),
    [
        ("braze", "braze"),
        ("Appboy", "braze"),
        ("APPBOY", "braze"),
        ("Braze", "braze"),
        ("webhook", "webhooks"),
        ("Webhooks", "webhooks"),
        ("Customer.io", "customer.io"),
        ("Ortto", "autopilothq"),
        ("TUNE", "tune"),
        ("HasOffers", "hasoffers"),
        ("Google AdWords Remarketing Lists (Customer Match)", "adwords-remarketing-lists"),
        ("google-customer-match", "adwords-remarketing-lists"),
        ("Meta Custom Audiences", "personas-facebook-ads"),
        ("AWS Lambda", "amazon-lambda"),
        ("Cloud Run functions", "google-cloud-function"),
        ("personas-facebook-custom-audiences", "personas-facebook-ads"),
        ("sailthru-v2", "sailthru"),
        ("optimizely-full-stack", "optimizelyx"),
        ("criteo-app-web-events", "criteo"),
    ],
)
def test_a_destination_is_found_by_each_of_its_names(name, slug):
    assert find_entry(name) is CATALOGUE[slug]


@pytest.mark.parametrize(
    "name",
    ["personas-facebook-ads", "facebook-custom-audiences", "PERSONAS - Facebook Ads", "adwords-remarketing-lists"],
)
def test_of_a_list_and_an_event_destination_the_list_is_found(name):
    assert find_entry(name).kind == "list"


@pytest.mark.parametrize(
    ("text", "slug"),
    [
        ("meta", "personas-facebook-ads"),
        ("meta", "facebook-app-events"),
        ("sap engagement", "emarsys"),
        ("Cloud Run", "google-cloud-function"),
        ("ortto", "autopilothq"),
        ("zeta", "sailthru"),
        ("Account Engagement", "pardot"),
    ],
)
def test_a_search_finds_a_destination_by_its_name_of_today(text, slug):
    assert slug in listed(DESTINATIONS, text)["slug"].to_list()


@pytest.mark.parametrize("slug", ["castle", "wishpond"])
def test_what_takes_no_call_of_a_server_has_no_gateway_to_paste(slug):
    said = described(DESTINATIONS, slug)

    assert CATALOGUE[slug].gateways == ()
    assert ": no call\n" in said
    assert "through a gateway" not in said
    assert "browsers only" in said


@pytest.mark.parametrize("entry", ENTRIES, ids=ids)
def test_a_name_of_today_leads_to_its_destination(entry):
    assert all(find_entry(name).slug in {entry.slug, entry.instead} for name in entry.names)


@pytest.mark.parametrize("entry", ENTRIES, ids=ids)
def test_every_slug_module_and_name_leads_to_its_destination(entry):
    assert find_entry(entry.slug).slug == entry.slug
    assert find_entry(entry.module).slug == entry.slug
    assert find_entry(entry.name.upper()).slug == entry.slug


def test_a_name_that_is_not_there_comes_with_the_nearest():
    with pytest.raises(UnknownName) as caught:
        find_entry("Hubspto")

    assert caught.value.near[0].lower() == "hubspot"


def test_every_module_but_the_gateways_is_in_the_catalogue():
    known = {*DESTINATIONS} - {"segment", "rudderstack"} - SECOND
    assert [slug for slug in known if find_entry(slug).module != slug] == []


@pytest.mark.parametrize("slug", sorted(SECOND))
def test_a_second_way_to_a_vendor_is_a_module_and_no_row(slug):
    assert slug in DESTINATIONS
    with pytest.raises(UnknownName):
        find_entry(slug)


# -------------------------------------------------------------------------------------------------------------- table


def test_the_way_is_the_module_if_there_is_one():
    def way(slug: str, native: set[str], kind: str = "event") -> str:
        (entry,) = [entry for entry in ENTRIES if (entry.slug, entry.kind) == (slug, kind)]
        return entry.way(native)

    assert way("webhooks", {"webhook"}) == "native"
    assert way("webhooks", {"amplitude"}) == "gateway"
    assert way("google-analytics", set()) == "not any more"
    assert way("google-analytics", {"google-analytics"}) == "native"
    assert way("adwords-remarketing-lists", {"google-customer-match"}, "list") == "native"
    assert way("adwords-remarketing-lists", {"google-customer-match"}) == "gateway"


def test_the_table_has_a_line_for_each_row():
    table = frame({"webhook": ["track"]})

    assert table.columns == [
        *(
            "slug",
            "name",
            "today",
            "status",
            "calls",
            "kind",
            "way",
            "needs",
            "fields_first",
            "minimum_interval",
            "limits",
        ),
        *("segment", "rudderstack", "confirmed", "why", "instead"),
    ]
    assert table.height == len(ENTRIES)
    assert table.row(by_predicate=pl.col("slug") == "braze", named=True) == {
        "slug": "braze",
        "name": "Braze",
        "today": "",
        "status": "live",
        "calls": "identify track group",
        "kind": "event",
        "way": "gateway",
        "needs": CATALOGUE["braze"].needs,
        "fields_first": "no",
        "minimum_interval": 0,
        "limits": CATALOGUE["braze"].limits,
        "segment": "Appboy|Braze",
        "rudderstack": "Braze",
        "confirmed": True,
        "why": "",
        "instead": "",
    }


def test_the_page_moves_what_a_module_brings_back():
    without, with_it = markdown({}), markdown({"google-analytics": ["track"]})

    assert "Google Analytics (`google-analytics`)" in without.split("## Not any more")[1]
    assert "Google Analytics (`google-analytics`)" in with_it.split("## Unknown")[0]


@pytest.mark.parametrize(
    ("slug", "required"),
    [
        ("hubspot", ("email",)), ("callingly", ("phone",)), ("mailchimp", ("email",)), ("upcall", ("phone",)),
        ("braze", ()), ("klaviyo", ()), ("intercom", ()), ("amplitude", ()), ("criteo", ()), ("zendesk", ()),
    ],
)  # fmt: skip
def test_an_identifier_is_required_only_where_the_users_id_is_not_enough(slug, required):
    assert next(entry for entry in ENTRIES if entry.slug == slug and entry.kind == "event").required_ids == required


def test_an_entry_cannot_be_changed():
    assert isinstance(CATALOGUE["braze"], Entry)
    with pytest.raises(AttributeError):
        CATALOGUE["braze"].status = "retired"  # type: ignore[misc]
