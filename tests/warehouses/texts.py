"""What stands in documents where a number or a time is wanted."""

#: Texts in a document, and what they are as a number and as an instant; nothing where they are none.
TEXTS: list[tuple[str, float | None, str | None]] = [
    ("5", 5.0, None),
    ("-0.5", -0.5, None),
    ("1e5", 100_000.0, None),
    (".5", 0.5, None),
    ("1.7e308x", None, None),
    ("five", None, None),
    ("", None, None),
    ("2026-01-31", None, "2026-01-31 00:00"),
    ("2024-02-29", None, "2024-02-29 00:00"),
    ("2026-02-29", None, None),
    ("2026-13-01", None, None),
    ("2026-01-02T03:04:05", None, "2026-01-02 03:04"),
    ("2026-01-02 03:04:05+02:00", None, "2026-01-02 01:04"),
    ("2026-01-02T03:04:05Z", None, "2026-01-02 03:04"),
    ("2026-01-02T25:00:00", None, None),
]
