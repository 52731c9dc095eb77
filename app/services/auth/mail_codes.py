"""Mail codes, and check them (contract endpoints.md, /email-code-login and /forgot-password).

A code belongs to a token. A request makes the token in the same way for every address, so that neither its answer nor
its duration tells who has an account. The worker makes the code, only for the address of an active account; without a
code a token matches nothing.

`frontdesk:mail_token:<kind>:<token>`  hash: email, code (once it is mailed), tries
`frontdesk:mail_token_of:<kind>:<email>`  the newest token of an address; a new one replaces it
"""

import enum
import math
import secrets
from typing import Any

from flask import current_app

from app.errors.logins import EmailCodeWrong, EmailMismatch, MailTokenDead
from app.extensions import redis_client
from app.models.accounts import is_active_email
from app.services.auth import mails
from app.services.auth.mail_texts import code_mail

MOST_WRONG_CODES = 5

# KEYS token · ARGV a code to use if there is none yet. Returns the code, or nil where the token has ended.
_CODE = """
if redis.call('EXISTS', KEYS[1]) == 0 then return false end
redis.call('HSETNX', KEYS[1], 'code', ARGV[1])
return redis.call('HGET', KEYS[1], 'code')
"""

# KEYS token · ARGV email, code, most wrong codes. A right code ends the token, so that only one request can use it.
_CHECK = """
local email = redis.call('HGET', KEYS[1], 'email')
if not email then return 'dead' end
if email ~= ARGV[1] then return 'email' end
if redis.call('HGET', KEYS[1], 'code') == ARGV[2] then
  redis.call('DEL', KEYS[1])
  return 'right'
end
if redis.call('HINCRBY', KEYS[1], 'tries', 1) >= tonumber(ARGV[3]) then redis.call('DEL', KEYS[1]) end
return 'wrong'
"""


class Kind(enum.StrEnum):
    """What a token is for. The code of a `RESET` token is exchanged for a `VERIFIED` token, which sets a password."""

    LOGIN = "login"
    RESET = "reset"
    VERIFIED = "verified"


def issue(kind: Kind, email: str) -> str:
    """Make a token for an address, whether an account has it or not; it ends the former one of this kind."""
    token, life = secrets.token_urlsafe(32), current_app.config["MAIL_CODE_SECONDS"]
    client = redis_client.client
    pipeline = client.pipeline()
    pipeline.hset(_key(kind, token), mapping={"email": email})
    pipeline.expire(_key(kind, token), life)
    pipeline.set(f"frontdesk:mail_token_of:{kind}:{email}", token, ex=life, get=True)
    former = pipeline.execute()[-1]
    # Also where there is none, so that a first request takes as long as a second one.
    client.delete(_key(kind, former.decode() if former else ""))
    return token


def mail(kind: Kind, token: str, language: str | None) -> None:
    """Make the code of a token and mail it to the address of an active account. A second call mails the same code.

    Raises smtplib.SMTPException, OSError.
    """
    email: Any = redis_client.client.hget(_key(kind, token), "email")
    if email is None or not is_active_email(email.decode()):
        return
    code = redis_client.client.register_script(_CODE)(
        keys=[_key(kind, token)], args=[f"{secrets.randbelow(1_000_000):06}"]
    )
    if code is not None:
        minutes = math.ceil(current_app.config["MAIL_CODE_SECONDS"] / 60)
        mails.send(email.decode(), code_mail(kind, code.decode(), minutes, language))


def redeem(kind: Kind, token: str, email: str, code: str) -> None:
    """Check a code; the right one ends its token, and so does the fifth wrong one.

    Raises MailTokenDead, EmailMismatch, EmailCodeWrong.
    """
    outcome = redis_client.client.register_script(_CHECK)(
        keys=[_key(kind, token)], args=[email, code, MOST_WRONG_CODES]
    )
    if outcome == b"dead":
        raise MailTokenDead
    if outcome == b"email":
        raise EmailMismatch
    if outcome == b"wrong":
        raise EmailCodeWrong


def take(kind: Kind, token: str) -> str:
    """End a token that needs no code, and return its address. Raises MailTokenDead."""
    pipeline = redis_client.client.pipeline()
    pipeline.hget(_key(kind, token), "email")
    pipeline.delete(_key(kind, token))
    email: bytes | None = pipeline.execute()[0]
    if email is None:
        raise MailTokenDead
    return email.decode()


def _key(kind: Kind, token: str) -> str:
    return f"frontdesk:mail_token:{kind}:{token}"
