"""The pages' words: every language has every text, with the same values in it."""

import json
import pathlib
import re

import pytest

STATIC = pathlib.Path(__file__).parents[3] / "app" / "pages" / "visitor" / "static"
# The forms that Intl.PluralRules names for whole numbers.
PLURALS = {
    "en": {"one", "other"},
    "de": {"one", "other"},
    "fr": {"one", "other"},
    "es": {"one", "other"},
    "pt": {"one", "other"},
    "ja": {"other"},
    "ko": {"other"},
    "zh-Hans": {"other"},
    "zh-Hant": {"other"},
    "ar": {"one", "two", "few", "many", "other"},
}
# So many texts may read as in English: "Details", "Page {number}", "JSON".
SHARED = 24


def texts_of(language: str) -> dict[str, str | dict[str, str]]:
    """The texts of a language's module, which is JSON but for its frame, plural names and last commas."""
    code = (STATIC / "texts" / f"{language}.js").read_text()
    body = code[code.index("{", code.index("export default")) : code.rindex("}") + 1]
    body = re.sub(r"^(\s*|.*\{ |.*\", )(one|two|few|many|other): ", r'\1"\2": ', body, flags=re.MULTILINE)
    while (quoted := re.sub(r'(", )(one|two|few|many|other): "', r'\1"\2": "', body)) != body:
        body = quoted
    return dict(json.loads(re.sub(r",(\s*\})", r"\1", body)))


def values_in(text: str | dict[str, str]) -> set[str]:
    return set(re.findall(r"\{(\w+)\}", text if isinstance(text, str) else text["other"]))


def modules() -> str:
    code = [path.read_text() for path in STATIC.rglob("*.js") if path.parent.name != "texts"]
    return "\n".join(code)


@pytest.mark.parametrize("language", PLURALS)
def test_every_language_has_every_text(language):
    assert set(texts_of(language)) == set(texts_of("en"))


@pytest.mark.parametrize("language", PLURALS)
def test_every_text_names_the_same_values(language):
    english = texts_of("en")
    assert {key for key, text in texts_of(language).items() if values_in(text) != values_in(english[key])} == set()


@pytest.mark.parametrize("language", PLURALS)
def test_a_counted_text_has_the_forms_of_its_language(language):
    english = texts_of("en")
    for key, text in texts_of(language).items():
        assert isinstance(text, dict) == isinstance(english[key], dict), key
        assert isinstance(text, str) or set(text) == PLURALS[language], key


@pytest.mark.parametrize("language", sorted(set(PLURALS) - {"en"}))
def test_texts_are_translated(language):
    english = texts_of("en")
    assert len([key for key, text in texts_of(language).items() if text == english[key]]) <= SHARED


def test_a_page_asks_for_texts_that_there_are():
    asked = set(re.findall(r"""\bt\(\s*"([^"]+)\"""", modules()))
    assert asked - set(texts_of("en")) == set()


def test_every_text_is_asked_for():
    code = modules()
    made = [re.escape(part).replace(r"\$\{\}", ".+") for part in re.findall(r"`([a-z]+\.[^`]*)`", empty_holes(code))]
    unused = [
        key
        for key in texts_of("en")
        if f'"{key}"' not in code and not any(re.fullmatch(pattern, key) for pattern in made)
    ]
    assert unused == []


def empty_holes(code: str) -> str:
    return re.sub(r"\$\{[^{}]*\}", "${}", code)
