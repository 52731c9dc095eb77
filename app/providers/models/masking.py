"""Make what a model server says fit for the log: no keys, and nothing of what was sent to it."""

import re
from collections.abc import Collection

MASK = "***"
LONGEST = 300
# So many characters in a row that also stand in what was sent are an echo of it.
ECHO = 8
SHORTEST_SECRET = 4
_KEYS = re.compile(
    r"""
    (?i:authorization["']?\s*[:=]\s*["']?)?(?i:bearer|basic)\s+[^\s"',;]{6,}
    | (?i:bearer|basic|token|api[-_ ]?key|authorization|password|secret)["']?\s*[:=]\s*["']?[^\s"',;]{4,}
    | \b(?:sk|pk|rk|ak|gsk|hf|xai|nvapi|key|pplx|r8|csk|fw|tgp)[-_][^\s"',;]{4,}
    | \bAIza[\w-]{10,} | \beyJ[\w.-]{10,}
    | (?<=://)[^\s/@]+@
    | \b(?=[A-Za-z_]*\d)\w{24,}
    """,
    re.VERBOSE,
)


def masked(text: str, secrets: Collection[str] = (), said: str = "") -> str:
    """Return one line of at most LONGEST characters. `secrets`: keys to mask; `said`: the words that were sent."""
    text = " ".join(text[: 2 * LONGEST].split())
    for secret in secrets:
        if len(secret) >= SHORTEST_SECRET:
            text = text.replace(secret, MASK)
    text = _without_echoes(_KEYS.sub(MASK, text), " ".join(said.split()))
    text = "".join(character if character.isprintable() else "?" for character in text)
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}…"


def _without_echoes(text: str, said: str) -> str:
    """Return the text with each run of ECHO or more characters that also stands in `said` masked."""
    if len(said) < ECHO:
        return text
    kept, position = [], 0
    while position < len(text):
        length = ECHO
        if len(text) - position < ECHO or text[position : position + ECHO] not in said:
            kept.append(text[position])
            position += 1
            continue
        while position + length < len(text) and text[position : position + length + 1] in said:
            length += 1
        kept.append(MASK)
        position += length
    return "".join(kept)
