"""The demo's accounts and users, which user belongs to which account when, and what identifies them."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from personas_kit.company import words
from personas_kit.company.chance import Chance, weighted

USERS = 8_000
ACCOUNTS = 900
DAY = 86_400
MOVED, IN_TWO, LONERS = 60, 50, 50  # of a thousand users: to another account, in two at once, in none
OLDEST, YOUNGEST = 1_400 * DAY, 40 * DAY  # the first and the last account, in seconds before the end


@dataclass(frozen=True, slots=True)
class People:
    """Who there is. Times are seconds since 1970 (Int64) until they are written.

    Attributes:
        accounts: ``account_id, name, kind, plan, industry, country, employees, created_at``.
        users: ``user_id, email, phone, first_name, last_name, country, role, title, marketing_consent, created_at``.
        memberships: ``user_id, account_id, valid_from, valid_to``; null is open.
        identifiers: ``user_id, id_type, id_value, first_seen_at``; type ``email`` or ``anonymous_id``.
    """

    accounts: pl.DataFrame
    users: pl.DataFrame
    memberships: pl.DataFrame
    identifiers: pl.DataFrame


def make_people(chance: Chance, end: int) -> People:
    """Everybody who signs up until ``end``, in seconds since 1970."""
    accounts = _accounts(chance, end)
    users = _users(chance, accounts, end)
    people = users.drop("_row", "_account", "_account_created")
    return People(
        accounts.drop("_row", "_weight"),
        people,
        _memberships(chance, users, accounts, end),
        _identifiers(chance, users),
    )


def rows(count: int) -> pl.DataFrame:
    """A frame of the numbers from 0, as ``_row``."""
    return pl.DataFrame({"_row": pl.int_range(count, dtype=pl.UInt64, eager=True)})


def by_weight(chance: Chance, stream: str, weights: pl.Series, index: pl.Series) -> pl.Series:
    """For each number of ``index`` a position in ``weights``, as likely as its weight (whole numbers)."""
    reach = weights.cum_sum()
    drawn = pl.select(chance.below(stream, int(reach[-1]), pl.lit(index))).to_series()
    return reach.search_sorted(drawn, side="right").cast(pl.Int64)


def _accounts(chance: Chance, end: int) -> pl.DataFrame:
    row = pl.col("_row")
    names = pl.DataFrame({"name": [f"{first} {last}" for first in words.COMPANY_FIRST for last in words.COMPANY_LAST]})
    shuffled = names.with_row_index().sort(chance.draw("account name", pl.col("index"))).head(ACCOUNTS)
    # A few large accounts and many small ones: 1/x of an even draw falls like the sizes of companies do.
    weight = 20_000 // (chance.below("account size", 1_000, row) + 10)
    return rows(ACCOUNTS).select(
        "_row",
        weight.alias("_weight"),
        ("a_" + (row + 1).cast(pl.String).str.zfill(4)).alias("account_id"),
        shuffled["name"],
        chance.pick("account kind", weighted(words.KINDS), row).alias("kind"),
        chance.pick("account plan", weighted(words.PLANS), row).alias("plan"),
        chance.pick("account industry", weighted(words.INDUSTRIES), row).alias("industry"),
        chance.pick("account country", weighted(words.COUNTRIES), row).alias("country"),
        (weight // 12 * (chance.below("employees", 9, row) + 2) + chance.below("employees more", 12, row) + 1)
        .alias("employees"),
        (end - YOUNGEST - chance.below("account created", OLDEST - YOUNGEST, row)).alias("created_at"),
    )  # fmt: skip


def _users(chance: Chance, accounts: pl.DataFrame, end: int) -> pl.DataFrame:
    row = pl.col("_row")
    own = by_weight(chance, "user account", accounts["_weight"], rows(USERS)["_row"])
    base = rows(USERS).with_columns(
        own.alias("_account"),
        accounts["created_at"].gather(own).alias("_account_created"),
        accounts["country"].gather(own).alias("_account_country"),
        chance.pick("first name", words.FIRST_NAMES, row).alias("first_name"),
        chance.pick("last name", words.LAST_NAMES, row).alias("last_name"),
    )
    abroad = chance.pick("user country", weighted(words.COUNTRIES), row)
    since = (pl.lit(end) - pl.col("_account_created")) * chance.below("user created", 10_000, row) // 10_000
    return base.with_columns(
        pl.when(chance.happens("abroad", 250, row)).then(abroad).otherwise("_account_country").alias("country"),
    ).select(
        "_row",
        "_account",
        "_account_created",
        ("u_" + (row + 1).cast(pl.String).str.zfill(5)).alias("user_id"),
        _email(chance).alias("email"),
        _phone(chance).alias("phone"),
        "first_name",
        "last_name",
        "country",
        chance.pick("role", weighted(words.ROLES), row).alias("role"),
        chance.pick("title", weighted(words.TITLES), row).alias("title"),
        chance.happens("consent", 880, row).alias("marketing_consent"),
        (pl.col("_account_created") + since + chance.below("user created more", 3_600, row)).alias("created_at"),
    )


def _email(chance: Chance) -> pl.Expr:
    """First.last and a number; missing for two of a hundred, in capitals for three."""
    row = pl.col("_row")
    number = (row // 3 + 10).cast(pl.String)
    name = pl.col("first_name").str.to_lowercase() + "." + pl.col("last_name").str.to_lowercase()
    domain = chance.pick("domain", weighted(words.DOMAINS), row)
    address = name + number + "@" + domain
    typed = pl.when(chance.happens("capitals", 30, row)).then(address.str.to_titlecase()).otherwise(address)
    return pl.when(~chance.happens("no email", 20, row)).then(typed)


def _phone(chance: Chance) -> pl.Expr:
    """E.164, in ranges kept for fiction; missing elsewhere and for four of ten."""
    row = pl.col("_row")
    area = chance.pick("area code", [str(code) for code in words.AREA_CODES], row)

    def digits(count: int) -> pl.Expr:
        return chance.below("phone", 10**count, row).cast(pl.String).str.zfill(count)

    number = (
        pl.when(pl.col("country").is_in(["US", "CA"])).then("+1" + area + "55501" + digits(2))
        .when(pl.col("country") == "GB").then("+447700900" + digits(3))
        .when(pl.col("country") == "FR").then("+3363998" + digits(4))
        .when(pl.col("country") == "DE").then("+493023125" + digits(3))
    )  # fmt: skip
    return pl.when(chance.happens("phone given", 600, row)).then(number)


def _memberships(chance: Chance, users: pl.DataFrame, accounts: pl.DataFrame, end: int) -> pl.DataFrame:
    """One account for most; some moved to another, some have two at once, and some have none."""
    row = pl.col("_row")
    other = by_weight(chance, "other account", accounts["_weight"], users["_row"])
    later = pl.col("created_at") + (pl.lit(end) - pl.col("created_at")) * chance.below("moved at", 1_000, row) // 1_000
    fate = chance.below("membership", 1_000, row)
    base = users.with_columns(
        later.alias("_later"),
        fate.alias("_fate"),
        pl.when(other == pl.col("_account")).then((other + 1) % ACCOUNTS).otherwise(other).alias("_other"),
    ).filter(pl.col("_fate") < 1_000 - LONERS)
    moved, in_two = pl.col("_fate") < MOVED, pl.col("_fate").is_between(MOVED, MOVED + IN_TWO - 1)
    first_account = base.select(
        "user_id",
        accounts["account_id"].gather(base["_account"]).alias("account_id"),
        pl.col("created_at").alias("valid_from"),
        pl.when(moved).then("_later").alias("valid_to"),
    )
    again = base.filter(moved | in_two)
    next_account = again.select(
        "user_id",
        accounts["account_id"].gather(again["_other"]).alias("account_id"),
        pl.col("_later").alias("valid_from"),
        pl.lit(None, pl.Int64).alias("valid_to"),
    )
    return pl.concat([first_account, next_account])


def _identifiers(chance: Chance, users: pl.DataFrame) -> pl.DataFrame:
    """The e-mail address, and one to three devices; a few devices are claimed by two users."""
    emails = users.filter(pl.col("email").is_not_null()).select(
        "user_id",
        pl.lit("email").alias("id_type"),
        pl.col("email").alias("id_value"),
        pl.col("created_at").alias("first_seen_at"),
    )
    devices = (
        users.with_columns(pl.int_ranges(device_count(chance, pl.col("_row"))).alias("_device"))
        .explode("_device")
        .select(
            "user_id",
            pl.lit("anonymous_id").alias("id_type"),
            device(chance, pl.col("_row"), pl.col("_device")).alias("id_value"),
            (pl.col("created_at") + pl.col("_device") * 40 * DAY).alias("first_seen_at"),
        )
    )
    shared = users.filter(chance.happens("shared device", 4, pl.col("_row"))).select(
        pl.lit(users["user_id"]).gather((pl.col("_row") + 1) % USERS).alias("user_id"),
        pl.lit("anonymous_id").alias("id_type"),
        device(chance, pl.col("_row"), pl.lit(0)).alias("id_value"),
        (pl.col("created_at") + 90 * DAY).alias("first_seen_at"),
    )
    return pl.concat([emails, devices, shared])


def device_count(chance: Chance, user: pl.Expr) -> pl.Expr:
    """How many devices the user with this row number has."""
    return chance.pick("devices", [1, 1, 1, 2, 2, 3], user)


def device(chance: Chance, user: pl.Expr, number: pl.Expr) -> pl.Expr:
    """The anonymous id of a user's device."""
    code = chance.below("device", 10**12, user.cast(pl.Int64) * 4 + number)
    return "an_" + code.cast(pl.String).str.zfill(12)
