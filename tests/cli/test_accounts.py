"""The operator's commands for accounts, access modes and members."""

import json
import secrets

import pytest
from sqlalchemy import select

from app.extensions import db
from app.models import Account
from app.services.auth import passwords
from app.services.definitions import published_apps
from tests.support.factories import make_app

PASSWORD = "correct horse 1"


@pytest.fixture
def run(app):
    """Run a command line with this text as standard input: its exit code and all that it printed."""

    def run_line(*line, given=f"{PASSWORD}\n"):
        result = app.test_cli_runner().invoke(args=[str(word) for word in line], input=given)
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
        return result.exit_code, result.output

    return run_line


@pytest.fixture
def email(run):
    """An account's address."""
    address = new_email()
    assert run("accounts", "create", address)[0] == 0
    return address


def new_email():
    return f"ann-{secrets.token_hex(6)}@example.com"


def hash_of(email):
    return db.session.scalars(select(Account.password_hash).where(Account.email == email)).one()


def test_create_hashes_the_password_and_never_shows_it(run):
    address = new_email()
    exit_code, output = run("accounts", "create", address.upper())
    assert (exit_code, output) == (0, f"{address}: created\n")
    assert hash_of(address).startswith("$argon2id$") and PASSWORD not in hash_of(address)
    assert passwords.verify(PASSWORD, hash_of(address))


@pytest.mark.parametrize(
    ("address", "password"),
    [("no-address", PASSWORD), ("", PASSWORD), ("a@b.example", "short1"), ("a@b.example", "only letters")],
)
def test_invalid_accounts_are_refused_in_one_line(run, address, password):
    exit_code, output = run("accounts", "create", address, given=f"{password}\n")
    assert exit_code == 1 and output.count("\n") == 1 and password not in output


def test_an_address_has_one_account(run, email):
    assert run("accounts", "create", email.title()) == (1, f"Error: There is an account {email!r} already.\n")


def test_an_account_may_be_without_a_password(run):
    address = new_email()
    run("accounts", "create", address, "--no-password")
    assert hash_of(address) is None


def test_list_shows_all_but_passwords(run, email):
    run("accounts", "ban", email)
    (line,) = [account for account in json.loads(run("accounts", "list", "--json")[1]) if account["email"] == email]
    assert (line["banned"], line["has_password"]) == (True, True) and line.keys() == {
        "email",
        "banned",
        "has_password",
        "created_at",
    }
    assert email in run("accounts", "list")[1]


def test_a_ban_can_be_taken_back(run, email):
    assert run("accounts", "ban", email)[1] == f"{email}: banned\n"
    assert run("accounts", "unban", email)[1] == f"{email}: active\n"


def test_a_password_can_be_replaced(run, email):
    run("accounts", "set-password", email, given="another one 2\n")
    assert passwords.verify("another one 2", hash_of(email)) and not passwords.verify(PASSWORD, hash_of(email))


def test_remove_asks_first(run, email):
    assert run("accounts", "remove", email, given="n\n")[0] == 1
    assert run("accounts", "remove", email, given="y\n")[0] == 0
    assert run("accounts", "ban", email) == (1, f"Error: There is no account {email!r}.\n")


@pytest.mark.parametrize("command", ["ban", "unban", "set-password", "remove"])
def test_an_unknown_account_is_named(run, command):
    more = ["--yes"] if command == "remove" else []
    assert run("accounts", command, "nobody@example.com", *more) == (
        1,
        "Error: There is no account 'nobody@example.com'.\n",
    )


@pytest.mark.parametrize("mode", ["public", "private", "private_all", "sso_verified"])
def test_access_changes_the_mode_at_once(run, mode):
    code = make_app().code
    assert run("apps", "access", code, mode)[0] == 0
    assert published_apps.by_code(code).access_mode == mode


def test_access_warns_of_what_the_operator_may_not_expect(run):
    output = run("apps", "access", make_app().code, "private")[1]
    assert "WEB_APP_AUTH is off" in output and "no members yet" in output
    assert "identity provider" in run("apps", "access", make_app().code, "sso_verified")[1]


def test_an_unknown_mode_or_app_is_refused(run):
    assert run("apps", "access", make_app().code, "secret")[0] == 2
    assert run("apps", "access", "nowhere", "private")[0] == 1


def test_members_come_and_go(run, email):
    code, other = make_app().code, new_email()
    run("accounts", "create", other)
    assert run("apps", "members", code)[1] == f"{code} has no members.\n"
    assert json.loads(run("apps", "members", code, "add", email, other, email, "--json")[1])["members"] == sorted(
        [email, other]
    )
    assert run("apps", "members", code, "add", email.upper())[0] == 0
    assert run("apps", "members", code, "remove", other)[1] == f"{email}\n"


def test_an_unknown_member_changes_nothing(run, email):
    code = make_app().code
    assert run("apps", "members", code, "add", email, "nobody@example.com")[0] == 1
    assert run("apps", "members", code)[1] == f"{code} has no members.\n"


def test_a_removed_account_is_a_member_no_more(run, email):
    code = make_app().code
    run("apps", "members", code, "add", email)
    run("accounts", "remove", email, "--yes")
    assert run("apps", "members", code)[1] == f"{code} has no members.\n"


@pytest.mark.parametrize("line", [("add",), ("remove",), ("list", "a@b.example")])
def test_members_says_what_it_takes(run, line):
    assert run("apps", "members", make_app().code, *line)[0] == 2
