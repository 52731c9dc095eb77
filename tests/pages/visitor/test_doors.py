"""The doors: sign-in by password and mailed code, forgotten passwords, access, sessions that end in the middle."""

from playwright.sync_api import Page, expect

from tests.support.browser import PHONE
from tests.support.visitor import wait_until

PASSWORD = "a new password 1"
ANSWER = " ".join(f"tok{number}" for number in range(80))


def code_for(mail_server, email: str, mails: int) -> str:
    wait_until(lambda: len(mail_server.to(email)) >= mails, 20, "the mail")
    return str(mail_server.code(email))


def sign_in_by_code(page: Page, mail_server, email: str) -> None:
    known = len(mail_server.to(email))
    page.get_by_role("button", name="Sign in by a code in an email").click()
    page.get_by_label("Email").fill(email)
    page.get_by_role("button", name="Send a code").click()
    page.get_by_label("Code from the email").fill(code_for(mail_server, email, known + 1))
    page.get_by_role("button", name="Continue").click()


def test_a_forgotten_password_is_set_anew_and_opens_the_app(visits, mail_server, email):
    page = visits.open("/completion/closed")
    page.get_by_role("link", name="Forgot your password?").click()
    page.get_by_label("Email").fill(email)
    page.get_by_role("button", name="Send a code").click()
    code = code_for(mail_server, email, 1)
    page.get_by_label("Code from the email").fill("000000" if code != "000000" else "111111")
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_text("The code is wrong.")).to_be_visible()
    page.get_by_label("Code from the email").fill(code)
    page.get_by_role("button", name="Continue").click()
    page.get_by_label("New password", exact=True).fill(PASSWORD)
    page.get_by_label("New password again").fill(PASSWORD)
    page.get_by_role("button", name="Set the password").click()
    page.get_by_role("link", name="Sign in").click()
    page.get_by_label("Email").fill(email)
    page.get_by_label("Password").fill("wrong password 1")
    page.get_by_role("button", name="Sign in", exact=True).click()
    expect(page.get_by_text("Email or password is wrong.")).to_be_visible()
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()
    expect(page.get_by_label("Topic")).to_be_visible()
    assert page.url.endswith("/completion/closed")


def test_a_mailed_code_opens_the_app_it_came_from_until_the_visitor_signs_out(visits, mail_server, email):
    page = visits.open("/completion/closed?topic=Cats", viewport=PHONE)
    sign_in_by_code(page, mail_server, email)
    expect(page.get_by_label("Topic")).to_have_value("Cats")
    page.get_by_role("button", name="Settings").click()
    page.get_by_role("menuitem", name="Sign out").click()
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()


def test_a_sign_in_does_not_lead_to_another_site(visits, mail_server, email):
    page = visits.open("/webapp-signin?redirect_url=https://evil.example/completion/closed")
    sign_in_by_code(page, mail_server, email)
    expect(page.get_by_role("heading", name="You are signed in")).to_be_visible()


def test_who_may_not_open_an_app_is_told_so(visits, mail_server, email):
    page = visits.open("/completion/private")
    sign_in_by_code(page, mail_server, email)
    expect(page.get_by_role("heading", name="You may not open this app")).to_be_visible()


def test_a_session_that_ended_while_typing_loses_nothing(visits, mail_server, email):
    context = visits.context(viewport=PHONE)
    page = visits.open("/completion/closed", context)
    sign_in_by_code(page, mail_server, email)
    page.get_by_label("Topic").fill("[[chunks:80]]")
    page.get_by_label("Wishes").fill("Half a sent")
    page.evaluate("for (const key of Object.keys(localStorage)) localStorage.setItem(key, 'ended')")
    page.get_by_role("button", name="Run", exact=True).click()
    expect(page.get_by_role("dialog", name="Please sign in again")).to_be_visible()
    sign_in_by_code(page, mail_server, email)
    expect(page.locator(".run[data-status=succeeded] .run-result")).to_have_text(ANSWER)
    expect(page.get_by_label("Wishes")).to_have_value("Half a sent")


def test_an_answer_goes_on_after_its_session_ended(cut_visits, cut, mail_server, email):
    page = cut_visits.open("/completion/closed", viewport=PHONE)
    sign_in_by_code(page, mail_server, email)
    page.get_by_label("Topic").fill("[[chunks:80]][[delay:40]]")
    page.get_by_role("button", name="Run", exact=True).click()
    expect(page.locator(".run-result")).to_contain_text("tok3")
    page.evaluate("for (const key of Object.keys(localStorage)) localStorage.setItem(key, 'ended')")
    cut.cut()
    expect(page.get_by_text("Connection lost.")).to_be_visible()
    page.get_by_label("Wishes").fill("Half a sent")
    cut.heal()
    sign_in_by_code(page, mail_server, email)
    expect(page.locator(".run[data-status=succeeded] .run-result")).to_have_text(ANSWER)
    expect(page.get_by_label("Wishes")).to_have_value("Half a sent")
