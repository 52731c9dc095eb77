"""Features of an app that change an answer: moderation, external data (contract dsl.md §2.3, §2.4); limits."""

import pytest

from app.services.generation.api_extensions import ExtensionsFile
from tests.support.extension_server import ExtensionServer
from tests.support.parts import built_anew
from tests.support.sse import answer_text
from tests.support.web_client import WebVisitor


def keywords(**parts):
    config = {
        "keywords": "Bad\n\nworse",
        **{f"{part}_config": {"enabled": True, "preset_response": text} for part, text in parts.items()},
    }
    return {"sensitive_word_avoidance": {"enabled": True, "type": "keywords", "config": config}}


def by_api(*parts):
    config = {"api_based_extension_id": "any", **{f"{part}_config": {"enabled": True} for part in parts}}
    return {"sensitive_word_avoidance": {"enabled": True, "type": "api", "config": config}}


@pytest.fixture
def extension(app, tmp_path, monkeypatch):
    with ExtensionServer() as server:
        file = tmp_path / "extensions.yml"
        file.write_text(f"default: {{endpoint: '{server.url}', api_key: $EXTENSION_KEY}}")
        monkeypatch.setitem(app.config, "API_EXTENSIONS_FILE", str(file))
        monkeypatch.setitem(app.config, "ENVIRONMENT", {"EXTENSION_KEY": "secret"})
        with built_anew(app, ExtensionsFile):
            yield server


def test_a_bad_question_gets_the_preset_answer_and_no_model_is_asked(client, model):
    visitor = WebVisitor.of_new_app(client, **keywords(inputs="Not here."))
    frames = visitor.ask("This is BAD!")
    assert [frame.event for frame in frames] == ["message", "message_end"]
    assert answer_text(frames) == visitor.history(frames[0].data["conversation_id"])[0]["answer"] == "Not here."
    assert model.requests == []


def test_a_bad_input_counts_like_the_question(client, model):
    form = [{"text-input": {"variable": "topic", "label": "Topic"}}]
    visitor = WebVisitor.of_new_app(client, user_input_form=form, **keywords(inputs="Not here."))
    assert answer_text(visitor.ask("Hi", inputs={"topic": "worse"})) == "Not here."


def test_a_good_question_goes_on(client, model):
    visitor = WebVisitor.of_new_app(client, **keywords(inputs="Not here."))
    model.script("Fine.")
    assert answer_text(visitor.ask("This is good!")) == "Fine."


def test_a_bad_answer_is_replaced_while_it_streams(client, model):
    visitor = WebVisitor.of_new_app(client, **keywords(outputs="Sorry."))
    model.script("It is b", "a", "d, and so on", delay=0.05)
    frames = visitor.ask()
    assert [frame.event for frame in frames][-2:] == ["message_replace", "message_end"]
    assert frames[-2].data["answer"] == visitor.history(frames[0].data["conversation_id"])[0]["answer"] == "Sorry."


def test_a_replaced_answer_is_whole_in_blocking_mode_too(client, model):
    visitor = WebVisitor.of_new_app(client, **keywords(outputs="Sorry."))
    model.script("worse")
    assert visitor.chat(response_mode="blocking").get_json()["answer"] == "Sorry."


def test_an_extension_answers_for_the_model(client, extension, model):
    visitor = WebVisitor.of_new_app(client, **by_api("inputs"))
    extension.reply = lambda question: {"flagged": True, "action": "direct_output", "preset_response": "No."}
    assert answer_text(visitor.ask("Hi")) == "No."
    assert extension.questions[0]["point"] == "app.moderation.input"
    assert extension.questions[0]["params"] == {"app_id": str(visitor.app.id), "inputs": {}, "query": "Hi"}
    assert extension.keys == ["Bearer secret"]


def test_an_extension_cleans_the_question(client, extension, model):
    visitor = WebVisitor.of_new_app(client, **by_api("inputs"))
    extension.reply = lambda question: {"flagged": True, "action": "overridden", "inputs": {}, "query": "H*"}
    visitor.ask("Hi")
    assert model.requests[-1].body["messages"][-1]["content"] == "H*"


def test_an_extension_replaces_the_answer(client, extension, model):
    visitor = WebVisitor.of_new_app(client, **by_api("outputs"))
    extension.reply = lambda question: {
        "flagged": True,
        "action": "overridden",
        "text": question["params"]["text"].upper(),
    }
    model.script("quiet")
    assert answer_text(visitor.ask()) == "QUIET"


def test_a_failing_extension_is_a_clear_error(client, extension):
    visitor = WebVisitor.of_new_app(client, **by_api("inputs"))
    extension.reply = lambda question: {"never": 1 / 0}
    (frame,) = visitor.ask()
    assert (frame.data["code"], frame.data["status"]) == ("invalid_param", 400)
    assert "extension" in frame.data["message"]


def test_external_data_fills_a_variable(client, extension, model):
    tool = {"enabled": True, "variable": "weather", "type": "api", "config": {"api_based_extension_id": "any"}}
    visitor = WebVisitor.of_new_app(client, external_data_tools=[tool], pre_prompt="The weather is {{weather}}.")
    extension.reply = lambda question: {"result": "rainy"}
    visitor.ask("Hi")
    assert model.requests[-1].body["messages"][0]["content"] == "The weather is rainy."
    assert extension.questions[0]["params"]["tool_variable"] == "weather"


def test_an_end_user_asks_so_often_in_a_minute(alice, app, monkeypatch):
    monkeypatch.setitem(app.config, "VISITOR_MINUTE_LIMIT", 2)
    answers = [alice.chat() for _ in range(3)]
    assert [answer.status_code for answer in answers][-1] == 429
    assert answers[-1].get_json()["code"] == "rate_limit_error"


def test_an_app_has_so_many_answers_at_once(alice, app, monkeypatch, redis_db):
    monkeypatch.setitem(app.config, "APP_ACTIVE_LIMIT", 1)
    redis_db.sadd(f"app:{alice.app.id}:active", "running")
    redis_db.zadd("frontdesk:leases", {"running": 10**15})
    refused = alice.chat()
    redis_db.zrem("frontdesk:leases", "running")
    assert (refused.status_code, refused.get_json()["code"]) == (429, "too_many_requests")
    assert alice.chat().status_code == 200
    assert alice.chat().status_code == 200


def test_a_refused_question_takes_no_place(alice, app, monkeypatch, redis_db):
    monkeypatch.setitem(app.config, "APP_ACTIVE_LIMIT", 1)
    assert alice.chat(conversation_id="00000000-0000-4000-8000-000000000000").status_code == 404
    assert redis_db.scard(f"app:{alice.app.id}:active") == 0


def test_a_run_that_takes_too_long_ends_with_a_clear_error(alice, app, model, monkeypatch):
    monkeypatch.setitem(app.config, "MAX_RUN_SECONDS", 0.3)
    frames = alice.ask("[[hang]]")
    assert [frame.event for frame in frames] == ["error"]
    assert "longer than" in frames[0].data["message"]
