"""Files for a form (contract human-input.md §6.1, §8)."""

import io
import re

import pytest

from tests.support.people import Answerer, age_form, answerer_of, asking, execute, form_of, refusal, rest
from tests.support.web_client import WebVisitor

FILE = {
    "type": "file",
    "output_variable_name": "comment",
    "allowed_file_types": ["document"],
    "allowed_file_extensions": [],
    "allowed_file_upload_methods": ["local_file", "remote_url"],
}


@pytest.fixture
def filer(client):
    """An end user of a workflow that asks for a document."""
    return WebVisitor(client, asking(inputs=[FILE]))


def mapping(upload_id, kind="document", **more):
    return {"type": kind, "transfer_method": "local_file", "upload_file_id": upload_id} | more


def test_an_upload_token_is_good_until_the_form_ends(filer):
    frames = filer.run()
    answer = answerer_of(filer, frames).upload_token()
    body = answer.get_json()
    assert (answer.status_code, body["expires_at"]) == (200, form_of(frames)["expiration_time"])
    assert re.fullmatch(r"hitl_upload_[A-Za-z0-9_-]{43}", body["upload_token"])


def test_an_uploaded_file_goes_into_the_answer(filer):
    frames = filer.run()
    person = answerer_of(filer, frames)
    answer = person.upload({"file": (io.BytesIO(b"hello"), "note.txt", "text/plain")})
    assert answer.status_code == 201
    body = answer.get_json()
    assert (body["name"], body["size"], body["extension"], body["mime_type"]) == ("note.txt", 5, "txt", "text/plain")
    assert person.submit(comment=mapping(body["id"])).status_code == 200
    outputs = rest(filer, frames)[-1].data["data"]["outputs"]
    assert (outputs["comment"]["filename"], outputs["comment"]["related_id"]) == ("note.txt", body["id"])
    assert execute("SELECT form_id::text FROM human_input_files WHERE upload_file_id = :id", id=body["id"]) == [
        (form_of(frames)["form_id"],)
    ]


def test_the_scheme_is_taken_in_any_case_and_tokens_stay_good(filer):
    person = answerer_of(filer, filer.run())
    tokens = [person.upload_token().get_json()["upload_token"] for _ in range(2)]
    for token in tokens:
        assert person.upload({"file": (io.BytesIO(b"x"), "a.txt")}, token, "bearer").status_code == 201


@pytest.mark.parametrize(
    ("scheme", "token", "status"),
    [
        ("", "x", 401),
        ("Bearer", "", 401),
        ("Bearer", "two parts", 401),
        ("Basic", "hitl_upload_x", 400),
        ("Bearer", "other_x", 400),
        ("Bearer", "hitl_upload_" + "x" * 43, 403),
    ],
)
def test_other_tokens_upload_nothing(client, scheme, token, status):
    answer = Answerer(client, "").upload({"file": (io.BytesIO(b"x"), "a.txt")}, token, scheme)
    assert refusal(answer) == (status, "invalid_upload_token")


@pytest.mark.parametrize(
    ("form", "status", "code"),
    [
        ({}, 400, "no_file_uploaded"),
        ({"file": [(io.BytesIO(b"x"), "a.txt"), (io.BytesIO(b"x"), "b.txt")]}, 400, "too_many_files"),
        ({"url": "nonsense"}, 400, "invalid_param"),
        ({"url": "http://127.0.0.1:1/a.txt"}, 400, "remote_file_upload_error"),
    ],
)
def test_what_is_no_file_is_refused(filer, form, status, code):
    assert refusal(answerer_of(filer, filer.run()).upload(form)) == (status, code)


def test_nothing_is_uploaded_for_a_form_that_was_answered(filer):
    person = answerer_of(filer, filer.run())
    token = person.upload_token().get_json()["upload_token"]
    upload_id = person.upload({"file": (io.BytesIO(b"x"), "a.txt")}, token).get_json()["id"]
    person.submit(comment=mapping(upload_id))
    assert refusal(person.upload({"file": (io.BytesIO(b"x"), "a.txt")}, token)) == (412, "human_input_form_submitted")


def test_nothing_is_uploaded_for_a_form_that_ran_out(filer):
    frames = filer.run()
    person = answerer_of(filer, frames)
    token = person.upload_token().get_json()["upload_token"]
    age_form(form_of(frames)["form_id"], 37 * 3600)
    assert refusal(person.upload({"file": (io.BytesIO(b"x"), "a.txt")}, token)) == (412, "human_input_form_expired")


def test_files_are_those_of_the_runs_end_user(filer, client):
    person = answerer_of(filer, filer.run())
    other = WebVisitor(client, filer.app).upload().get_json()["id"]
    own = filer.upload().get_json()["id"]
    assert refusal(person.submit(comment=mapping(other))) == (400, "invalid_form_data")
    assert person.submit(comment=mapping(own)).status_code == 200


@pytest.mark.parametrize(
    "value",
    [
        "text",
        None,
        {},
        [],
        {"type": "document"},
        mapping("nonsense"),
        mapping("0198f0a0-0000-7000-8000-000000000001"),
        {"type": "document", "transfer_method": "tool_file", "upload_file_id": "x"},
        {"type": "document", "transfer_method": "remote_url"},
        {"type": "image", "transfer_method": "remote_url", "url": "https://example.com/a.png"},
    ],
)
def test_what_is_no_file_of_the_form_is_refused(filer, value):
    answer = answerer_of(filer, filer.run()).submit(comment=value)
    assert refusal(answer) == (400, "invalid_form_data")
    assert answer.get_json()["message"].startswith("Invalid value for file input 'comment': ")


@pytest.mark.parametrize("key", ["url", "remote_url"])
def test_a_file_of_another_server_is_taken_by_its_address(filer, key):
    frames = filer.run()
    value = {"type": "document", "transfer_method": "remote_url", key: "https://example.com/a.pdf"}
    assert answerer_of(filer, frames).submit(comment=value).status_code == 200
    assert rest(filer, frames)[-1].data["data"]["outputs"]["comment"]["filename"] == "a.pdf"


def test_a_list_of_files_has_a_limit(client):
    visitor = WebVisitor(
        client, asking(inputs=[FILE | {"type": "file-list", "number_limits": 2}], content="{{#$output.comment#}}")
    )
    frames = visitor.run()
    person = answerer_of(visitor, frames)
    assert form_of(frames)["inputs"][0]["number_limits"] == 2
    assert person.read().get_json()["inputs"][0]["number_limits"] == 2
    files = [
        {"type": "document", "transfer_method": "remote_url", "url": f"https://example.com/{name}.pdf"}
        for name in "abc"
    ]
    assert (
        person.submit(comment=files).get_json()["message"]
        == "Invalid value for file list input 'comment': at most 2 files are allowed"
    )
    assert person.submit(comment=files[:2]).status_code == 200
    went_on = rest(visitor, frames)
    assert went_on[1].data["data"]["rendered_content"] == "[2 files]"
    assert [file["filename"] for file in went_on[-1].data["data"]["outputs"]["comment"]] == ["a.pdf", "b.pdf"]


def test_only_a_digest_of_an_upload_token_is_kept(filer):
    token = answerer_of(filer, filer.run()).upload_token().get_json()["upload_token"]
    kept = execute("SELECT token_hash FROM human_input_upload_tokens")
    assert all(token not in row[0] for row in kept)
