"""Files in messages and inputs: mappings, rules, what the model sees, what history shows (contract endpoints.md)."""

import base64
import uuid

import pytest

from app.providers.fetch.guarded_http import GuardedHttp
from app.providers.fetch.public_addresses import AllowedAddresses
from tests.support.parts import put_part
from tests.support.people import refusal
from tests.support.raw_server import RawServer, say, say_and_close
from tests.support.uploads import PNG, path_of
from tests.support.web_client import WebVisitor

UPLOAD = {
    "enabled": True,
    "allowed_file_types": ["image"],
    "allowed_file_extensions": [],
    "number_limits": 2,
    "allowed_file_upload_methods": ["local_file", "remote_url"],
}
REMOTE = {"type": "image", "transfer_method": "remote_url", "url": "https://files.example/a.png", "upload_file_id": ""}


@pytest.fixture
def ann(client, app, model):
    """An end user of an app that takes images."""
    return WebVisitor.of_new_app(client, file_upload=UPLOAD)


def uploaded(visitor, content=PNG, name="a.png", mime_type="image/png"):
    return visitor.upload(content, name, mime_type).get_json()["id"]


def local(file_id, kind="image"):
    return {"type": kind, "transfer_method": "local_file", "upload_file_id": file_id, "url": ""}


def data_url(content, mime_type="image/png"):
    return f"data:{mime_type};base64,{base64.b64encode(content).decode()}"


def seen_images(model, call=-1):
    """What the model was given to look at, and the text beside it."""
    content = model.requests[call].body["messages"][-1]["content"]
    if isinstance(content, str):
        return content, []
    texts = [part["text"] for part in content if part["type"] == "text"]
    return "".join(texts), [part["image_url"] for part in content if part["type"] == "image_url"]


def refused(visitor, *files):
    answer = visitor.chat("Hi", files=list(files))
    assert refusal(answer) == (400, "invalid_param")
    return answer.get_json()["message"]


class TestTheModel:
    def test_sees_an_uploaded_image(self, ann, model):
        ann.ask("What is it?", files=[local(uploaded(ann))])
        assert seen_images(model) == ("What is it?", [{"url": data_url(PNG), "detail": "high"}])

    def test_sees_it_as_closely_as_the_app_says(self, client, app, model):
        image = {"enabled": True, "number_limits": 1, "detail": "low", "transfer_methods": ["local_file"]}
        visitor = WebVisitor.of_new_app(client, file_upload={"image": image})
        visitor.ask(files=[local(uploaded(visitor))])
        assert seen_images(model)[1][0]["detail"] == "low"

    def test_is_told_the_type_that_the_content_has(self, ann, model):
        content = b"\xff\xd8\xff\xe0" + b"\0" * 10
        ann.ask(files=[local(uploaded(ann, content, "a.png", "application/octet-stream"))])
        assert seen_images(model)[1][0]["url"] == data_url(content, "image/jpeg")

    def test_sees_a_remote_image_by_its_bytes(self, app, ann, model, monkeypatch):
        with RawServer(say(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(PNG) + PNG)) as server:
            put_part(monkeypatch, app, GuardedHttp(AllowedAddresses(["127.0.0.1"])))
            ann.ask(files=[REMOTE | {"url": f"http://127.0.0.1:{server.port}/a.png"}])
        assert seen_images(model)[1] == [{"url": data_url(PNG), "detail": "high"}]

    def test_a_remote_image_that_is_kept_is_read_here(self, ann, model):
        ann.ask(files=[REMOTE | {"upload_file_id": uploaded(ann)}])
        assert seen_images(model)[1] == [{"url": data_url(PNG), "detail": "high"}]

    def test_sees_the_last_image_of_the_thread_again(self, ann, model):
        first = ann.ask("What is it?", files=[local(uploaded(ann))])
        conversation_id = first[0].data["conversation_id"]
        ann.ask("And now?", conversation_id=conversation_id)
        ann.ask("And its colour?", conversation_id=conversation_id)
        assert seen_images(model) == ("And its colour?", [{"url": data_url(PNG), "detail": "high"}])

    def test_sees_no_image_of_another_branch(self, ann, model):
        first = ann.ask("What is it?", files=[local(uploaded(ann))])
        ann.ask("Anew", conversation_id=first[0].data["conversation_id"], parent_message_id=None)
        assert seen_images(model) == ("Anew", [])

    def test_sees_more_of_the_same_like_the_first_time(self, client, app, model):
        visitor = WebVisitor.of_new_app(client, mode="completion", file_upload=UPLOAD, more_like_this={"enabled": True})
        answer = visitor.post(
            "/completion-messages", {"inputs": {}, "query": "Hi", "files": [local(uploaded(visitor))]}
        ).get_json()
        again = visitor.get(f"/messages/{answer['message_id']}/more-like-this", response_mode="blocking")
        assert again.status_code == 200, again.get_data(as_text=True)
        assert seen_images(model, 0)[1] == seen_images(model, 1)[1] == [{"url": data_url(PNG), "detail": "high"}]

    def test_an_image_inside_our_network_is_not_fetched(self, ann, model):
        with RawServer(say(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")) as server:
            frames = ann.ask(files=[REMOTE | {"url": f"http://127.0.0.1:{server.port}/a.png"}])
            assert server.connections == 0
        assert (frames[-1].data["event"], frames[-1].data["code"]) == ("error", "invalid_param")
        assert model.requests == []

    def test_an_image_that_is_gone_ends_the_run_by_its_name(self, app, ann, monkeypatch):
        put_part(monkeypatch, app, GuardedHttp(AllowedAddresses(["127.0.0.1"])))
        with RawServer(say_and_close(b"HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n")) as server:
            frames = ann.ask(files=[REMOTE | {"url": f"http://127.0.0.1:{server.port}/a.png"}])
        assert frames[-1].data["message"] == "Run failed: the file a.png cannot be read."


class TestMappings:
    def test_without_the_feature_files_are_ignored(self, alice, model):
        frames = alice.ask(files=[{"nonsense": True}])
        assert frames[-1].data["event"] == "message_end"

    @pytest.mark.parametrize(
        ("mapping", "message"),
        [
            ({"type": "image"}, "transfer_method is required in file mapping"),
            ({"type": "image", "transfer_method": ""}, "transfer_method is required in file mapping"),
            ({"type": "image", "transfer_method": "local_file"}, "Invalid upload file id format"),
            (local("x"), "Invalid upload file id format"),
            (local(5), "Invalid upload file id format"),
            (local("0f4d2c7e-3f6b-4a57-9a0e-5d5f3c1b2a49"), "Invalid upload file"),
            (
                {
                    "type": "image",
                    "transfer_method": "tool_file",
                    "tool_file_id": "0f4d2c7e-3f6b-4a57-9a0e-5d5f3c1b2a49",
                },
                "Invalid upload file",
            ),
            (REMOTE | {"url": ""}, "Invalid file url"),
            (REMOTE | {"url": "ftp://a/b.png"}, "Invalid file url"),
            (REMOTE | {"url": "http://user:word@a/b.png"}, "Invalid file url"),
            (REMOTE | {"url": 5}, "Invalid file url"),
            (REMOTE | {"url": "https://a/b\0.png"}, "Invalid file url"),
            (REMOTE | {"type": "document", "url": "https://a/b.pdf"}, "File validation failed for file: b.pdf"),
            (
                REMOTE | {"type": "document"},
                "Detected file type does not match the specified type. Please verify the file.",
            ),
        ],
    )
    def test_a_mapping_that_does_not_fit(self, ann, mapping, message):
        assert refused(ann, mapping) == message

    @pytest.mark.parametrize(
        "mapping",
        [{"transfer_method": "post", "type": "image"}, {"transfer_method": "remote_url", "url": "https://a/b"}, {}],
    )
    def test_a_mapping_of_an_unknown_kind(self, ann, mapping):
        assert refused(ann, mapping)

    def test_too_many(self, ann):
        assert refused(ann, REMOTE, REMOTE, REMOTE) == "Number of files exceeds the maximum limit 2"

    def test_a_method_that_the_app_does_not_take(self, client, app, model):
        visitor = WebVisitor.of_new_app(client, file_upload=UPLOAD | {"allowed_file_upload_methods": ["local_file"]})
        assert refused(visitor, REMOTE) == "File validation failed for file: a.png"

    def test_a_file_of_another_end_user(self, client, ann):
        other = WebVisitor(client, ann.app)
        assert refused(ann, local(uploaded(other))) == "Invalid upload file"

    def test_a_file_of_the_same_name_in_another_app(self, ann, alice):
        assert refused(ann, local(uploaded(alice))) == "Invalid upload file"

    def test_a_refused_file_begins_no_conversation(self, ann):
        refused(ann, local(str(uuid.uuid4())))
        assert ann.get("/conversations").get_json()["data"] == []


class TestHistory:
    def test_shows_the_files_of_a_message(self, ann):
        file_id = uploaded(ann, PNG, "my picture.png")
        frames = ann.ask(files=[local(file_id), REMOTE])
        (message,) = ann.history(frames[0].data["conversation_id"])
        kept, remote = message["message_files"]
        assert uuid.UUID(kept.pop("id")) and ann.client.get(path_of(kept.pop("url"))).data == PNG
        assert kept == {
            "filename": "my picture.png",
            "type": "image",
            "mime_type": "image/png",
            "size": len(PNG),
            "transfer_method": "local_file",
            "belongs_to": "user",
            "upload_file_id": file_id,
        }
        assert (remote["url"], remote["filename"], remote["size"]) == (REMOTE["url"], "a.png", -1)
        assert (remote["transfer_method"], remote["upload_file_id"]) == ("remote_url", None)

    def test_shows_none_where_there_are_none(self, alice, model):
        frames = alice.ask()
        assert alice.history(frames[0].data["conversation_id"])[0]["message_files"] == []

    def test_renews_the_links_in_an_answer(self, ann, model):
        link = ann.upload(PNG, "a.png", "image/png").get_json()["source_url"]
        model.script(f"![a]({link})")
        frames = ann.ask()
        (message,) = ann.history(frames[0].data["conversation_id"])
        assert message["answer"] != f"![a]({link})"
        assert ann.client.get(path_of(message["answer"][5:-1])).data == PNG

    def test_leaves_the_link_to_a_stranger_s_file_as_it_is(self, client, app, model):
        visitor = WebVisitor.of_new_app(client, mode="completion")
        stranger = WebVisitor(client, visitor.app)
        link = stranger.upload(PNG, "a.png", "image/png").get_json()["source_url"]
        model.script(f"![a]({link})")
        answer = visitor.post("/completion-messages", {"inputs": {}, "query": "Hi"}).get_json()
        visitor.post("/saved-messages", {"message_id": answer["message_id"]})
        (saved,) = visitor.get("/saved-messages").get_json()["data"]
        assert saved["answer"] == f"![a]({link})"

    def test_saved_messages_show_theirs(self, client, app, model):
        visitor = WebVisitor.of_new_app(client, mode="completion", file_upload=UPLOAD)
        answer = visitor.post(
            "/completion-messages", {"inputs": {}, "query": "Hi", "files": [local(uploaded(visitor))]}
        ).get_json()
        visitor.post("/saved-messages", {"message_id": answer["message_id"]})
        (saved,) = visitor.get("/saved-messages").get_json()["data"]
        assert [file["filename"] for file in saved["message_files"]] == ["a.png"]


class TestInputs:
    FORM = [
        {"file": {"variable": "one", "label": "One", "allowed_file_types": ["document"]}},
        {"file-list": {"variable": "many", "label": "Many", "max_length": 2}},
    ]

    def test_are_file_objects_with_links_that_work(self, client, app, model):
        visitor = WebVisitor.of_new_app(client, user_input_form=self.FORM)
        one, many = visitor.upload(name="a.txt").get_json()["id"], visitor.upload(b"b", "b.bin").get_json()["id"]
        frames = visitor.ask(inputs={"one": local(one, "document"), "many": [local(many, "document"), REMOTE]})
        conversation_id = frames[0].data["conversation_id"]
        (conversation,) = visitor.get("/conversations").get_json()["data"]
        for inputs in (conversation["inputs"], visitor.history(conversation_id)[0]["inputs"]):
            shown = inputs["one"]
            assert (shown["dify_model_identity"], shown["related_id"], shown["extension"]) == (
                "__dify__file__",
                one,
                ".txt",
            )
            assert (shown["filename"], shown["type"], shown["size"], shown["transfer_method"]) == (
                "a.txt",
                "document",
                6,
                "local_file",
            )
            assert visitor.client.get(path_of(shown["url"])).data == b"hello\n"
            assert [item["related_id"] for item in inputs["many"]] == [many, None]
            assert inputs["many"][1]["url"] == REMOTE["url"]

    def test_may_be_sent_again_as_they_were_shown(self, client, app, model):
        visitor = WebVisitor.of_new_app(client, user_input_form=self.FORM)
        visitor.ask(inputs={"one": local(visitor.upload(name="a.txt").get_json()["id"], "document")})
        (first,) = visitor.get("/conversations").get_json()["data"]
        assert visitor.ask(inputs=first["inputs"])[-1].data["event"] == "message_end"

    def test_keep_to_the_fields_rules(self, client, app, model):
        visitor = WebVisitor.of_new_app(client, user_input_form=self.FORM)
        answer = visitor.chat(inputs={"one": local(uploaded(visitor))})
        assert (refusal(answer), answer.get_json()["message"]) == (
            (400, "invalid_param"),
            "File validation failed for file: a.png",
        )
        answer = visitor.chat(inputs={"many": [REMOTE] * 3})
        assert answer.get_json()["message"] == "many in input form must be less than 2 files"
