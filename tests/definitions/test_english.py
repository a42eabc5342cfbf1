"""Definitions as sentences: the whole corpus, kept as a file to be read; ``--update-golden`` writes it."""

from __future__ import annotations

from pathlib import Path

import pytest

from personas_kit import Audience, Trait, event, trait
from personas_kit.definitions.definition import Definition
from tests.corpus import DEFINITIONS

GOLDEN = Path(__file__).parents[1] / "golden" / "english.txt"


def test_the_sentences_of_the_corpus_are_what_they_were(request: pytest.FixtureRequest) -> None:
    text = "\n".join(f"{definition}\n    {definition.english()}\n" for _, definition in DEFINITIONS.values())
    if request.config.getoption("--update-golden"):
        GOLDEN.write_text(text, encoding="utf-8", newline="\n")
    assert GOLDEN.read_text(encoding="utf-8") == text


SENTENCES: list[tuple[Definition, str]] = [
    (
        Audience("A", event("Opened").count() == 1),
        "Users for whom this holds: they did 'Opened' exactly once.",
    ),
    (
        Audience("A", trait("plan").one_of("pro") & trait("city").none_of("Rome")),
        "Users for whom this holds: their 'plan' is 'pro' and their 'city' is not 'Rome'.",
    ),
    (
        Trait("T", event("Opened").max("timestamp")),
        "Of each user: the latest 'timestamp' of 'Opened'.",
    ),
    (
        Audience("A", (trait("a") == 1) | ((trait("b") == 2) & ((trait("c") == 3) | (trait("d") == 4)))),
        "Users for whom this holds: their 'a' is 1 or (their 'b' is 2 and (their 'c' is 3 or their 'd' is 4)).",
    ),
    (
        Audience("A", event("A").then(event("B").within(days=7)).count() == 1),
        "Users for whom this holds: they did 'A' (where followed by 'B' within 7 days of it) exactly once.",
    ),
]


@pytest.mark.parametrize(("definition", "sentence"), SENTENCES, ids=[str(each) for each, _ in SENTENCES])
def test_a_definition_is_a_sentence(definition: Definition, sentence: str) -> None:
    assert definition.english() == sentence
