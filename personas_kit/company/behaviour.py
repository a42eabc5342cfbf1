"""What the demo's users do in a year: more each month, less at weekends and at night, few users much, many little."""

from __future__ import annotations

import datetime as dt

import polars as pl

from personas_kit.company import words
from personas_kit.company.chance import Chance, weighted
from personas_kit.company.people import DAY, USERS, People, by_weight, device, device_count, rows

DAYS = 365
STRANGERS = 2_000
_WEEKDAYS = (100, 104, 103, 100, 88, 52, 50)  # Monday first
_HOURS = (1, 1, 1, 1, 1, 2, 4, 9, 16, 20, 21, 19, 14, 18, 21, 20, 18, 14, 9, 6, 5, 4, 3, 2)  # of the user's own day
_COLUMNS = (
    "message_id",
    "event",
    "timestamp",
    "user_id",
    "anonymous_id",
    "group_id",
    "page",
    "feature",
    "product",
    "plan",
    "quantity",
    "revenue",
)


def make_events(chance: Chance, people: People, count: int, end: int) -> pl.DataFrame:
    """About ``count`` events in the year before ``end``, sorted by time; ``timestamp`` in seconds since 1970.

    Some page views have an anonymous id only, some of nobody known. One event in a thousand was delivered twice.
    """
    habits = _daily(chance, people, count, end)
    milestones = _milestones(chance, people, end - DAYS * DAY)
    events = pl.concat([habits, milestones], how="diagonal").filter(pl.col("timestamp") < end)
    numbered = events.with_row_index("_row").with_columns(
        ("m_" + pl.col("_row").cast(pl.String).str.zfill(7)).alias("message_id"),
    )
    again = numbered.filter(chance.happens("delivered twice", 1, pl.col("_row")))
    return pl.concat([numbered, again]).sort("timestamp", "message_id").select(_COLUMNS)


def _daily(chance: Chance, people: People, count: int, end: int) -> pl.DataFrame:
    """What users do day by day."""
    row, begin = pl.col("_row"), end - DAYS * DAY
    reach = _days(begin).cum_sum()
    users = _habits(chance, people, reach, begin)
    chosen = by_weight(chance, "event user", users["_weight"], rows(count)["_row"])
    base = rows(count).hstack(users[chosen])
    day = reach.search_sorted(_drawn_day(chance, base, reach), side="right").cast(pl.Int64)
    hours = pl.Series([hour for hour, weight in enumerate(_HOURS) for _ in range(weight)])
    hour = hours.gather(base.select(chance.below("hour", len(hours), row)).to_series()) - base["_from_utc"]
    drawn = begin + day * DAY + hour * 3_600
    at = pl.lit(drawn) + chance.below("second", 3_600, row)
    early, soon = at <= pl.col("_created"), pl.col("_created") + 60 + chance.below("soon", 7_200, row)
    kind = chance.pick("event", weighted(words.EVENTS), row)
    timed = base.with_columns(
        pl.when(early).then(soon).otherwise(at).alias("timestamp"),
        pl.when((kind == "Order Completed") & (pl.col("_role") == "member")).then(pl.lit("Page Viewed")).otherwise(kind)
        .alias("event"),
    )  # fmt: skip
    return timed.with_columns(_order(chance)).select("event", "timestamp", *_who(chance), *_properties(chance))


def _days(begin: int) -> pl.Series:
    """How much happens on each day of the year."""
    first = dt.datetime.fromtimestamp(begin, dt.UTC).weekday()
    return pl.Series([(800 + 2 * day) * _WEEKDAYS[(first + day) % 7] for day in range(DAYS)])


def _habits(chance: Chance, people: People, reach: pl.Series, begin: int) -> pl.DataFrame:
    """One line per user: how much they do, from when on, where, and for which account."""
    row = pl.col("_row")
    accounts = people.memberships.group_by("user_id", maintain_order=True).agg(
        pl.col("account_id").first().alias("_account"),
        pl.col("valid_to").first().alias("_left"),
        pl.col("account_id").get(1, null_on_oob=True).alias("_next_account"),
        pl.col("valid_from").get(1, null_on_oob=True).alias("_joined"),
    )
    users = rows(USERS).hstack(people.users).join(accounts, on="user_id", how="left", maintain_order="left")
    day = ((users["created_at"] - begin) // DAY).clip(0, DAYS - 1)
    before = pl.Series([0, *reach.to_list()]).gather(day)
    share = (reach[-1] - before) // (reach[-1] // 1_000)
    return users.select(
        row.alias("_user"),
        "user_id",
        (60_000 // (chance.below("activity", 1_000, row) + 8) * share).alias("_weight"),
        before.alias("_before"),
        pl.col("created_at").alias("_created"),
        pl.col("role").alias("_role"),
        pl.col("country").replace_strict(words.HOURS_FROM_UTC, return_dtype=pl.Int64).alias("_from_utc"),
        "_account",
        "_left",
        "_next_account",
        "_joined",
        device_count(chance, row).alias("_devices"),
    )


def _drawn_day(chance: Chance, base: pl.DataFrame, reach: pl.Series) -> pl.Series:
    """Where on the year's reach each event falls, after its user signed up."""
    left = pl.lit(int(reach[-1])) - pl.col("_before")
    return base.select(pl.col("_before") + chance.below("day", left, pl.col("_row"))).to_series()


def _who(chance: Chance) -> list[pl.Expr]:
    """Who did it, on which device, for which account. Page views may be anonymous, and a few are of strangers."""
    row, viewed = pl.col("_row"), pl.col("event") == "Page Viewed"
    stranger = viewed & chance.happens("stranger", 60, row)
    anonymous = viewed & chance.happens("anonymous", 350, row)
    unknown = "an_x" + chance.below("which stranger", STRANGERS, row).cast(pl.String).str.zfill(8)
    own = device(chance, pl.col("_user"), chance.below("which device", pl.col("_devices"), row))
    elsewhere = (pl.col("_joined") <= pl.col("timestamp")) & (pl.col("_left").is_not_null() | (row % 2 == 0))
    account = pl.when(elsewhere).then("_next_account").otherwise("_account")
    return [
        pl.when(~(stranger | anonymous)).then("user_id").alias("user_id"),
        pl.when(stranger).then(unknown).otherwise(own).alias("anonymous_id"),
        pl.when(~(stranger | anonymous) & chance.happens("account named", 850, row)).then(account).alias("group_id"),
    ]


def _order(chance: Chance) -> list[pl.Expr]:
    ordered, row = pl.col("event") == "Order Completed", pl.col("_row")
    return [
        pl.when(ordered).then(chance.pick("product", list(words.PRODUCTS), row)).alias("product"),
        pl.when(ordered).then(chance.pick("quantity", [1, 1, 1, 1, 2, 2, 3, 5, 10], row)).alias("quantity"),
    ]


def _properties(chance: Chance) -> list[pl.Expr]:
    row = pl.col("_row")
    cents = pl.col("product").replace_strict(words.PRODUCTS, return_dtype=pl.Int64) * pl.col("quantity")
    pages, features = weighted(words.PAGES), weighted(words.FEATURES)
    return [
        pl.when(pl.col("event") == "Page Viewed").then(chance.pick("page", pages, row)).alias("page"),
        pl.when(pl.col("event") == "Feature Used").then(chance.pick("feature", features, row)).alias("feature"),
        pl.col("product"),
        pl.col("quantity"),
        (cents.cast(pl.Decimal(12, 2)) / pl.lit(100).cast(pl.Decimal(12, 2))).cast(pl.Decimal(12, 2)).alias("revenue"),
    ]


def _milestones(chance: Chance, people: People, begin: int) -> pl.DataFrame:
    """What happens once: page views before signing up, signing up, an account's trial, and for some its end."""
    row, first_device = pl.col("_row"), device(chance, pl.col("_row"), pl.lit(0)).alias("anonymous_id")
    users = rows(USERS).hstack(people.users.select("user_id", "created_at"))
    signed_up = users.filter(pl.col("created_at") >= begin + DAY).select(
        pl.lit("Signed Up").alias("event"),
        pl.col("created_at").alias("timestamp"),
        "user_id",
        first_device,
        "_row",
    )
    looked = signed_up.select(
        pl.lit("Page Viewed").alias("event"),
        (pl.col("timestamp") - 60 - chance.below("looked before", 80_000, row)).alias("timestamp"),
        "anonymous_id",
        pl.lit("/pricing").alias("page"),
    )
    return pl.concat([signed_up.drop("_row"), looked, _trials(chance, people, begin)], how="diagonal")


def _trials(chance: Chance, people: People, begin: int) -> pl.DataFrame:
    """For some accounts the first user starts a trial; for a few, tried or not, the same user cancels later."""
    first = (
        people.memberships.sort("valid_from", "user_id")
        .group_by("account_id", maintain_order=True)
        .first()
        .join(people.accounts.select("account_id", "plan"), on="account_id", how="left", maintain_order="left")
        .rename({"account_id": "group_id"})
        .with_row_index("_row")
        .filter(pl.col("valid_from") >= begin)
    )
    row = pl.col("_row")

    def did(event: str, at: pl.Expr, per_thousand: int) -> pl.DataFrame:
        of_account = (pl.col("group_id"), pl.col("plan"))
        happened = first.filter(chance.happens(event, per_thousand, row)).with_columns(at.alias("timestamp"))
        still_there = pl.col("valid_to").is_null() | (pl.col("timestamp") < pl.col("valid_to"))
        return happened.filter(still_there).select(pl.lit(event).alias("event"), "timestamp", "user_id", *of_account)

    later = pl.col("valid_from") + 14 * DAY + chance.below("cancelled after", 200 * DAY, row)
    started = did("Trial Started", pl.col("valid_from") + 300, 600)
    return pl.concat([started, did("Subscription Cancelled", later, 120)])
