"""The estimate of how much of a conversation fits into the context."""

import pytest

from app.providers.models.chat_types import ModelMessage
from app.providers.models.context_window import estimate_tokens, message_tokens, newest_that_fit, prompt_room


@pytest.mark.parametrize(
    ("options", "room"),
    [
        ({}, 750),
        ({"max_tokens": 100}, 900),
        ({"max_tokens": 5_000}, 750),
        ({"max_tokens": 0}, 750),
        ({"max_tokens": "many"}, 750),
    ],
)
def test_the_answer_has_its_room_but_never_more_than_a_quarter(options: dict[str, object], room: int) -> None:
    assert prompt_room(options, 1_000) == room


@pytest.mark.parametrize(("room", "taken"), [(0, 0), (9, 0), (10, 1), (29, 1), (30, 2), (1_000, 3)])
def test_the_newest_turns_win(room: int, taken: int) -> None:
    assert newest_that_fit([40, 20, 10], room) == taken


def test_a_message_counts_with_its_images() -> None:
    message = ModelMessage(
        "user", [{"type": "text", "text": "Look"}, {"type": "image_url", "image_url": {"url": "data:…"}}]
    )
    assert message_tokens(ModelMessage("user", "Look")) == estimate_tokens("Look")
    assert message_tokens(message) == estimate_tokens("Look") + 1_000


def test_a_text_of_any_characters_is_counted() -> None:
    assert estimate_tokens("größe 🙂 \ud800") > 4
