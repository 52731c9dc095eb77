import pytest

from app.providers.models.masking import LONGEST, masked


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Incorrect API key provided: sk-proj-abc***xyz.", "Incorrect API key provided: ***"),
        ("Authorization: Bearer abcdef123456 is wrong", "*** is wrong"),
        ('{"api_key": "abcd1234"}', '{"***"}'),
        ("use gsk_abcdefgh or AIzaSyA1234567890 or eyJhbGciOiJIUzI1.x.y", "use *** or *** or ***"),
        ("key 0123456789abcdef0123456789abcdef expired", "key *** expired"),
        ("http://user:pass@host/v1 is away", "http://***host/v1 is away"),
        ("model meta-llama-3.1-8b-instruct-q4 is not loaded", "model meta-llama-3.1-8b-instruct-q4 is not loaded"),
        ("two\nlines\x1b[31m", "two lines?[31m"),
        ("x" * 5_000, "x" * LONGEST + "…"),
    ],
)
def test_keys_are_masked_and_the_rest_stays(text: str, shown: str) -> None:
    assert masked(text) == shown


def test_secrets_that_are_known_are_masked_wherever_they_stand() -> None:
    assert masked("wrong: opensesame!", ["opensesame", ""]) == "wrong: ***!"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Invalid: 'My name is Anna, I am ill'", "Invalid: '***'"),
        ("Invalid: 'My name is An…", "Invalid: '***…"),
        ("My model is new", "My model is new"),
    ],
)
def test_what_was_said_is_masked_where_a_server_repeats_it(text: str, shown: str) -> None:
    assert masked(text, said="My name  is Anna,\nI am ill") == shown
