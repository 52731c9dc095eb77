"""Forms that go out by mail (contract human-input.md §3)."""

import datetime
import re
from typing import Any

import pytest

from app.models.identifiers import now
from app.services.generation import form_mails
from app.tasks import expire_forms, mail_form
from tests.support.factories import make_graph_app
from tests.support.logins import make_account
from tests.support.mail_server import body
from tests.support.people import Answerer, execute, forms_of, refusal, rest
from tests.support.web_client import WebVisitor
from tests.support.workflow.forms import human
from tests.support.workflow.graphs import end, graph, start


def mail(*items: dict[str, Any], **config: Any) -> dict[str, Any]:
    recipients = {"whole_workspace": False, "items": list(items)}
    plain = {
        "recipients": recipients,
        "subject": "On {{#start.topic#}}",
        "body": "Look at {{#start.topic#}} <b>here</b>:\n{{#url#}}",
    }
    return {"id": "1", "type": "email", "enabled": True, "config": plain | config}


def external(address: str) -> dict[str, Any]:
    return {"type": "external", "email": address}


@pytest.fixture
def asked(client, mailbox, app, monkeypatch):
    """Run a workflow whose form goes out by these mails; gives the visitor and its frames."""
    monkeypatch.setitem(app.config, "WEB_APP_URL", "https://pages.example.com")

    def ask(*methods, topic="cats"):
        definition = graph(
            start(topic="text-input"),
            human("ask", delivery_methods=list(methods)),
            end(a=["ask", "__action_id"]),
            "start > ask:go > end",
        )
        visitor = WebVisitor(client, make_graph_app(definition))
        return visitor, visitor.run(topic=topic)

    return ask


def token_in(message):
    found = re.search(r"https://pages\.example\.com/form/([A-Za-z0-9]{22})\b", body(message, "plain"))
    assert found
    return found[1]


def test_each_recipient_gets_a_link_of_its_own(asked, mailbox, client):
    visitor, frames = asked(mail(external("a@example.com"), external("b@example.com"), external("a@example.com")))
    assert sorted(message["To"] for message in mailbox.received) == ["a@example.com", "b@example.com"]
    tokens = [token_in(message) for message in mailbox.received]
    assert len(set(tokens)) == 2
    assert Answerer(client, tokens[0]).read().status_code == 200
    assert Answerer(client, tokens[1]).submit().status_code == 200
    assert refusal(Answerer(client, tokens[0]).submit()) == (412, "human_input_form_submitted")
    assert rest(visitor, frames)[-1].data["data"]["outputs"] == {"a": "go"}


def test_a_mail_says_what_its_author_wrote(asked, mailbox):
    asked(mail(external("a@example.com")))
    (message,) = mailbox.received
    assert message["Subject"] == "On cats"
    assert body(message, "plain").startswith("Look at cats <b>here</b>:\nhttps://pages.example.com/form/")
    assert "Look at cats &lt;b&gt;here&lt;/b&gt;:<br>" in body(message, "html")
    assert f'<a href="https://pages.example.com/form/{token_in(message)}">' in body(message, "html")


def test_a_subject_is_one_line(asked, mailbox):
    asked(mail(external("a@example.com")), topic="x\r\nBcc: all@example.com")
    (message,) = mailbox.received
    assert (message["Subject"], message["Bcc"]) == ("On x Bcc: all@example.com", None)


def test_members_are_accounts_of_ours(asked, mailbox):
    email = make_account()
    (row,) = execute("SELECT id::text FROM accounts WHERE email = :email", email=email)
    asked(mail({"type": "member", "user_id": row[0]}, {"type": "member", "reference_id": "somebody-elsewhere"}))
    assert [message["To"] for message in mailbox.received] == [email]


def test_the_whole_workspace_is_every_account(asked, mailbox):
    emails = {make_account(), make_account()}
    asked(mail(recipients={"whole_workspace": True, "items": []}))
    assert emails <= {message["To"] for message in mailbox.received}


def test_what_is_no_address_gets_no_mail(asked, mailbox):
    asked(mail(external("nonsense"), external("a@example.com\r\nBcc: b@example.com"), external("a@example.com")))
    assert [message["To"] for message in mailbox.received] == ["a@example.com"]


def test_without_pages_the_mail_says_so(asked, mailbox, app, monkeypatch):
    monkeypatch.setitem(app.config, "WEB_APP_URL", "")
    definition = graph(
        start(topic="text-input"),
        human("ask", delivery_methods=[mail(external("a@example.com"))]),
        end(),
        "start > ask:go > end",
    )
    WebVisitor(asked(mail())[0].client, make_graph_app(definition)).run(topic="x")
    assert "WEB_APP_URL" in body(mailbox.received[-1], "plain")


def test_a_form_by_mail_alone_is_not_for_the_page(asked):
    (form,) = forms_of(asked(mail(external("a@example.com")))[1])
    assert (form["display_in_ui"], form["form_token"]) == (False, None)


def test_a_mail_that_failed_goes_out_with_the_clock(asked, mailbox):
    mailbox.refuse = True
    asked(mail(external("late@example.com")))
    assert mailbox.refused == 1
    mailbox.refuse = False
    expire_forms()
    assert mailbox.received == []
    earlier = "created_at = created_at - interval '2 min', tried_at = tried_at - interval '2 min'"
    execute(f"UPDATE human_input_recipients SET {earlier} WHERE email = :email", email="late@example.com")
    expire_forms()
    assert [message["To"] for message in mailbox.received] == ["late@example.com"]


def test_a_mail_goes_out_once(asked, mailbox):
    asked(mail(external("once@example.com")))
    (row,) = execute("SELECT token FROM human_input_recipients WHERE email = 'once@example.com'")
    mail_form(row[0])
    assert len(mailbox.received) == 1
    assert row[0] not in form_mails.unmailed(now() + datetime.timedelta(days=1))


def test_nobody_is_mailed_a_form_that_is_closed(asked, mailbox, client):
    mailbox.refuse = True
    asked(mail(external("closed@example.com")))
    mailbox.refuse = False
    (row,) = execute("SELECT token FROM human_input_recipients WHERE email = 'closed@example.com'")
    Answerer(client, row[0]).submit()
    execute("UPDATE human_input_recipients SET tried_at = NULL WHERE token = :token", token=row[0])
    mail_form(row[0])
    assert mailbox.received == []
