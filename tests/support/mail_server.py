"""A real SMTP server on a socket that keeps the mails it receives."""

import email
import email.policy
import re
from email.message import EmailMessage
from typing import Any, Self

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, Session

from app.embedded.ports import ReservedPort


class MailServer:
    """Appends mails to `received`. `refuse`: recipients are refused with a temporary error."""

    def __init__(self, login: tuple[str, str] | None = None) -> None:
        self.received: list[EmailMessage] = []
        self.refuse = False
        self.refused = 0
        self._login = login
        options: dict[str, Any] = (
            {"authenticator": self._authenticate, "auth_required": True, "auth_require_tls": False} if login else {}
        )
        self._port = ReservedPort()
        self._controller = Controller(self, hostname="127.0.0.1", port=self._port.number, **options)

    @property
    def url(self) -> str:
        return f"smtp://127.0.0.1:{self._controller.port}"

    def to(self, address: str) -> list[EmailMessage]:
        return [mail for mail in self.received if mail["To"] == address]

    def code(self, address: str) -> str:
        """The code of the newest mail to an address."""
        found = re.search(r"\b\d{6}\b", body(self.to(address)[-1], "plain"))
        assert found, "no code in the mail"
        return found[0]

    def __enter__(self) -> Self:
        self._controller.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._controller.stop()
        self._port.release()

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        if self.refuse:
            self.refused += 1
            return "451 Try again later"
        content = envelope.content
        assert isinstance(content, bytes)
        self.received.append(email.message_from_bytes(content, policy=email.policy.default))  # type: ignore[arg-type]
        return "250 OK"

    def _authenticate(
        self, server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: Any
    ) -> AuthResult:
        return AuthResult(success=(data.login.decode(), data.password.decode()) == self._login)


def body(mail: EmailMessage, kind: str) -> str:
    """The text of a mail's part: `plain` or `html`."""
    part = mail.get_body((kind,))
    assert part is not None
    return str(part.get_content()).replace("\r\n", "\n")
