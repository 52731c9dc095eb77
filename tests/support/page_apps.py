"""Publish what the tests of pages need, in one process: `python -m tests.support.page_apps EMAIL…`.

`every-input` and `every-question` are public. `closed` is for every account, `private` for nobody; each EMAIL becomes
an account without a password.
"""

import sys
from collections.abc import Sequence

from app import cli
from app.factory import create_app
from app.services.auth import accounts
from app.services.auth.access import AccessMode
from app.services.operator import app_files, apps, members
from config import serving_config
from tests.support.paths import PROJECT

APPS = {
    "every-input": PROJECT / "tests" / "app_files" / "every_input.yml",
    "every-question": PROJECT / "tests" / "app_files" / "every_question.yml",
    "closed": PROJECT / "app" / "samples" / "completion.yml",
    "private": PROJECT / "app" / "samples" / "completion.yml",
}


def publish(emails: Sequence[str]) -> None:
    with create_app(serving_config(), cli.register).app_context():
        for code, path in APPS.items():
            apps.publish(app_files.parse(path.read_bytes()), code)
        members.set_mode("closed", AccessMode.PRIVATE_ALL)
        members.set_mode("private", AccessMode.PRIVATE)
        for email in emails:
            accounts.create(email, None)


if __name__ == "__main__":
    publish(sys.argv[1:])
