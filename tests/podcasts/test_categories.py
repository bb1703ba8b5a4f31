"""The lists that directories check a feed against."""

import unicodedata

import pytest
from django.core.exceptions import ValidationError

from podcasts.categories import CATEGORIES, all_keys, category_choices, validate_category
from podcasts.languages import LANGUAGES, language_choices, validate_language


def test_apple_has_nineteen_categories() -> None:
    assert len(CATEGORIES) == 19
    assert sum(map(len, CATEGORIES.values())) == 91
    assert {main for main, subs in CATEGORIES.items() if not subs} == {
        "Government",
        "History",
        "Technology",
        "True Crime",
    }


@pytest.mark.parametrize(
    "key",
    [
        "Arts",
        "Arts/Fashion & Beauty",
        "Business/Non-Profit",
        "Comedy/Stand-Up",
        "Education/How To",
        "Education/Self-Improvement",
        "Kids & Family/Pets & Animals",
        "Society & Culture/Places & Travel",
        "TV & Film/TV Reviews",
        "True Crime",
    ],
)
def test_a_category_in_apple_s_spelling_is_taken(key: str) -> None:
    validate_category(key)


@pytest.mark.parametrize(
    "key", ["", "arts", "Arts/", "Arts/Careers", "Books", "Comedy/Stand Up", "Health &amp; Fitness"]
)
def test_any_other_spelling_is_refused(key: str) -> None:
    with pytest.raises(ValidationError, match="from the list"):
        validate_category(key)


def test_the_form_offers_every_category_once() -> None:
    offered = [key for _, group in category_choices() for key, _ in group]

    assert len(offered) == len(set(offered)) == 110
    assert set(offered) == all_keys()
    assert max(map(len, offered)) <= 100, "the column's width"


def test_every_language_has_a_code_that_a_feed_may_carry() -> None:
    for code in LANGUAGES:
        validate_language(code)
    assert {"en", "en-us", "de", "pt-br", "zh-tw"} <= LANGUAGES.keys()
    assert max(map(len, LANGUAGES)) <= 10, "the column's width"


def test_languages_stand_in_the_order_of_their_names() -> None:
    names = [
        unicodedata.normalize("NFKD", name).encode("ascii", "ignore") for name in LANGUAGES.values()
    ]

    assert names == sorted(names)


@pytest.mark.parametrize("code", ["", "english", "EN-us", "de_DE", "e", "en-", "<b>"])
def test_what_is_no_language_code_is_refused(code: str) -> None:
    with pytest.raises(ValidationError, match="from the list"):
        validate_language(code)


def test_an_imported_show_keeps_a_rare_language() -> None:
    assert ("tlh", "tlh") in language_choices(present="tlh")
    assert language_choices(present="en") == language_choices()
