"""The texts of mails with codes, in English and Chinese."""

from string import Template

from app.services.auth.mails import Mail

CHINESE = "zh-Hans"

_TEXTS = {
    ("login", "en"): (
        "Your login code: $code",
        "Your login code is",
        "It is valid for $minutes minutes. If you did not ask for it, ignore this mail: nobody can log in without the "
        "code.",
    ),
    ("reset", "en"): (
        "Your code for a new password: $code",
        "Your code for setting a new password is",
        "It is valid for $minutes minutes. If you did not ask for it, ignore this mail: your password stays as it is.",
    ),
    ("login", "zh"): (
        "您的登录验证码：$code",
        "您的登录验证码是",
        "验证码在 $minutes 分钟内有效。如果这不是您本人的操作，请忽略此邮件；没有验证码无人可以登录。",
    ),
    ("reset", "zh"): (
        "您的密码重置验证码：$code",
        "您的密码重置验证码是",
        "验证码在 $minutes 分钟内有效。如果这不是您本人的操作，请忽略此邮件；您的密码不会改变。",
    ),
}
_HTML = Template(
    '<!DOCTYPE html>\n<html lang="$language"><head><meta charset="utf-8"><title>$subject</title></head>\n'
    '<body style="font-family: sans-serif; color: #1c2330"><p>$lead</p>\n'
    '<p style="font-size: 28px; font-weight: bold; letter-spacing: 6px">$code</p>\n<p>$rest</p></body></html>\n'
)


def code_mail(kind: str, code: str, minutes: int, language: str | None) -> Mail:
    """Return the mail with a code. `kind`: `login` or `reset`. It is in English unless `language` is `zh-Hans`."""
    short = "zh" if language == CHINESE else "en"
    subject, lead, rest = (Template(text).substitute(code=code, minutes=minutes) for text in _TEXTS[kind, short])
    html = _HTML.substitute(
        language=CHINESE if short == "zh" else "en", subject=subject, lead=lead, code=code, rest=rest
    )
    return Mail(subject, f"{lead}\n\n    {code}\n\n{rest}\n", html)
