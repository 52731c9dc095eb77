"""The stock front-end's order of calls, and that what was streamed is what is stored."""

from typing import Any

import pytest
import requests

from tests.support.sse import find_problem, numbered_text
from tests.support.stack import Stack
from tests.support.visitor import Visitor


def test_order_of_calls_of_the_stock_front_end(stack: Stack) -> None:
    api = stack.base_url + "/api"
    assert requests.get(f"{api}/system-features", timeout=10).status_code == 200
    assert requests.get(f"{api}/webapp/access-mode", params={"appCode": "chat"}, timeout=10).json() == {
        "accessMode": "public"
    }
    before = requests.get(f"{api}/login/status", params={"app_code": "chat"}, timeout=10).json()
    visitor = Visitor(stack.base_url, "chat")
    after = visitor.json("GET", "/login/status", params={"app_code": "chat"})
    read = {path: visitor.call("GET", path).status_code for path in ("/site", "/parameters", "/meta")}
    empty = visitor.json("GET", "/conversations", params={"limit": 100, "pinned": "false"})
    stream = visitor.chat("Hello there").wait_for_end()
    conversation = stream.frames[0].data["conversation_id"]
    named = visitor.json("POST", f"/conversations/{conversation}/name", json={"auto_generate": True})
    messages = visitor.json("GET", "/messages", params={"conversation_id": conversation, "limit": 20, "last_id": ""})
    listed = visitor.json("GET", "/conversations", params={"limit": 100, "pinned": "false"})
    ratings = [rate(visitor, stream.frames[0].data, rating) for rating in ("like", None)]
    pinned = [pin(visitor, conversation, action) for action in ("pin", "unpin")]
    deleted = visitor.call("DELETE", f"/conversations/{conversation}").status_code
    gone = visitor.call("GET", "/messages", params={"conversation_id": conversation}).status_code

    assert before == {"logged_in": True, "app_logged_in": False}
    assert after["app_logged_in"] is True
    assert read == {"/site": 200, "/parameters": 200, "/meta": 200}
    assert empty["data"] == []
    assert stream.events[-1] == "message_end" and set(stream.events[:-1]) == {"message"}
    assert named["name"]
    assert [message["answer"] for message in messages["data"]] == [stream.text]
    assert [entry["id"] for entry in listed["data"]] == [conversation]
    assert ratings == [{"rating": "like"}, None]
    assert pinned == [[conversation], []]
    assert (deleted, gone) == (204, 404)


def rate(visitor: Visitor, frame: dict[str, Any], rating: str | None) -> Any:
    """What the history shows after a rating."""
    visitor.json("POST", f"/messages/{frame['message_id']}/feedbacks", json={"rating": rating, "content": None})
    return visitor.messages(frame["conversation_id"])[0]["feedback"]


def pin(visitor: Visitor, conversation: str, action: str) -> list[str]:
    """The pinned conversations after pinning or unpinning."""
    visitor.json("PATCH", f"/conversations/{conversation}/{action}")
    return [
        entry["id"] for entry in visitor.json("GET", "/conversations", params={"limit": 100, "pinned": "true"})["data"]
    ]


@pytest.mark.parametrize(
    "query", ["hi", "[[chunks:1]]", "[[say:Grüße an Öttö 👋]]", "[[chunks:400]][[delay:1]]", "[[delay:0]]"]
)
def test_streamed_answer_is_the_stored_one(visitor: Visitor, query: str) -> None:
    stream = visitor.chat(query).wait_for_end()

    assert find_problem(stream.frames) is None
    assert stream.text
    assert visitor.stored_answer(stream.frames[0]) == stream.text


def test_conversation_goes_on_with_its_history(visitor: Visitor) -> None:
    first = visitor.chat("[[say:one]]").wait_for_end().frames[0]
    body = {"parent_message_id": first.data["message_id"]}
    second = visitor.chat("[[echo]] more", first.data["conversation_id"], **body).wait_for_end()

    assert '"[[say:one]]"' in second.text and '"one"' in second.text
    assert len(visitor.messages(first.data["conversation_id"])) == 2


def test_first_words_come_before_the_answer_is_whole(visitor: Visitor) -> None:
    stream = visitor.chat("[[chunks:50]][[delay:20]]").wait_for_end()

    assert stream.text == numbered_text(50)
    assert stream.times[-1] - stream.times[0] > 0.6
