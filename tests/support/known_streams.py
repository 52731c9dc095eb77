"""Answers as servers of OpenAI's protocol write them: the habits of each in short streams of our own."""

from dataclasses import dataclass, field

CALL = ("calculator", '{"expression": "1+1"}')


@dataclass(frozen=True)
class KnownStream:
    """What a server sends, and what it says by that."""

    sent: bytes
    text: str = ""
    thoughts: str = ""
    calls: list[tuple[str, str]] = field(default_factory=list)


def events(*data: str, end: str = "\n\n") -> bytes:
    """Return server-sent events with this data."""
    return "".join(f"data: {datum}{end}" for datum in data).encode()


def delta(members: str, finish: str = "null") -> str:
    return f'{{"choices":[{{"index":0,"delta":{{{members}}},"finish_reason":{finish}}}]}}'


USAGE = '{"choices":[],"usage":{"prompt_tokens":9,"completion_tokens":4,"total_tokens":13}}'
HELLO = (
    delta('"role":"assistant","content":"Grö"'),
    delta('"content":"ße "'),
    delta('"content":"🙂"'),
    delta("", '"stop"'),
)

KNOWN_STREAMS = {
    "openai": KnownStream(events(*HELLO, USAGE, "[DONE]"), "Größe 🙂"),
    "openai with calls": KnownStream(
        events(
            delta('"content":null,"tool_calls":[{"index":0,"id":"a","function":{"name":"calculator","arguments":""}}]'),
            delta('"tool_calls":[{"index":0,"function":{"arguments":"{\\"expression\\""}}]'),
            delta('"tool_calls":[{"index":1,"id":"b","function":{"name":"calculator","arguments":""}}]'),
            delta('"tool_calls":[{"index":0,"function":{"arguments":": \\"1+1\\"}"}}]'),
            delta('"tool_calls":[{"index":1,"function":{"arguments":"{\\"expression\\": \\"1+1\\"}"}}]'),
            delta("", '"tool_calls"'),
            "[DONE]",
        ),
        calls=[CALL, CALL],
    ),
    "azure": KnownStream(
        events('{"choices":[],"prompt_filter_results":[{"prompt_index":0}]}', *HELLO, "[DONE]"), "Größe 🙂"
    ),
    "ollama": KnownStream(
        events(
            delta('"role":"assistant","content":"","reasoning":"Hmm."'),
            delta(
                '"content":"","tool_calls":[{"id":"call_1","index":0,"type":"function",'
                '"function":{"name":"calculator","arguments":"{\\"expression\\": \\"1+1\\"}"}}]'
            ),
            delta(
                '"content":"","tool_calls":[{"id":"call_2","index":0,"type":"function",'
                '"function":{"name":"calculator","arguments":"{\\"expression\\": \\"1+1\\"}"}}]'
            ),
            delta('"content":""', '"tool_calls"'),
            "[DONE]",
        ),
        thoughts="Hmm.",
        calls=[CALL, CALL],
    ),
    "vllm": KnownStream(
        events(
            delta('"role":"assistant","content":""'),
            delta('"reasoning_content":"Let me "'),
            delta('"reasoning_content":"see."'),
            delta('"content":"Vier"', '"stop"').replace('"finish_reason"', '"stop_reason":null,"finish_reason"'),
            USAGE,
            "[DONE]",
        ),
        "Vier",
        "Let me see.",
    ),
    "lm studio": KnownStream(
        b"event: message\n"
        + events(*HELLO[:2])
        + b"event: message\nid: 7\nretry: 100\n"
        + events(*HELLO[2:], "[DONE]"),
        "Größe 🙂",
    ),
    "mistral": KnownStream(
        events(
            delta('"content":[{"type":"thinking","thinking":[{"type":"text","text":"Let me think."}]}]'),
            delta('"content":[{"type":"text","text":"Fo"}]'),
            delta('"content":"ur."'),
            delta(
                '"content":"","tool_calls":[{"id":"x","function":'
                '{"name":"calculator","arguments":{"expression":"1+1"}},"index":0}]',
                '"tool_calls"',
            ),
            "[DONE]",
        ),
        "Four.",
        "Let me think.",
        [CALL],
    ),
    "deepseek": KnownStream(
        b": keep-alive\n\n: keep-alive\n\n"
        + events(
            delta('"role":"assistant","content":null,"reasoning_content":"Hm"'),
            delta('"content":null,"reasoning_content":"m."'),
            delta('"content":"Ja","reasoning_content":null'),
            delta('"content":"","reasoning_content":null', '"stop"').replace("}]}", '}],"usage":{"prompt_tokens":1}}'),
            "[DONE]",
        ),
        "Ja",
        "Hmm.",
    ),
    "gemini": KnownStream(
        events(
            delta(
                '"role":"assistant","tool_calls":[{"function":{"arguments":"{\\"expression\\": \\"1+1\\"}",'
                '"name":"calculator"},"id":"","index":0,"type":"function"}]'
            ),
            delta(
                '"role":"assistant","tool_calls":[{"function":{"arguments":"{\\"expression\\": \\"1+1\\"}",'
                '"name":"calculator"},"id":"","index":0,"type":"function"}]',
                '"stop"',
            ),
            "[DONE]",
        ),
        calls=[CALL, CALL],
    ),
    "openrouter": KnownStream(
        b": OPENROUTER PROCESSING\n\n: OPENROUTER PROCESSING\n\n"
        + events(*HELLO[:2])
        + b": OPENROUTER PROCESSING\n\n"
        + events(*HELLO[2:], USAGE, "[DONE]"),
        "Größe 🙂",
    ),
    "llama.cpp": KnownStream(
        events(*HELLO[:3], '{"choices":[{"finish_reason":"stop","index":0,"delta":{}}],"timings":{"n":1}}', "[DONE]"),
        "Größe 🙂",
    ),
    "keep-alives as data": KnownStream(
        events(": keepalive", HELLO[0], "ping", "", HELLO[1], ": keepalive", *HELLO[2:], "[DONE]"), "Größe 🙂"
    ),
    "returns": KnownStream(events(*HELLO, "[DONE]", end="\r\r").replace(b"\n", b"\r"), "Größe 🙂"),
    "returns and line feeds": KnownStream(b"\xef\xbb\xbf" + events(*HELLO, "[DONE]", end="\r\n\r\n"), "Größe 🙂"),
    "no empty lines": KnownStream(events(*HELLO, "[DONE]", end="\n"), "Größe 🙂"),
    "escaped halves": KnownStream(
        events(delta('"content":"\\ud83d"'), delta('"content":"\\ude42 \\ud83d"'), delta("", '"stop"')), "🙂 �"
    ),
    "bytes cut": KnownStream(
        b'data: {"choices":[{"delta":{"content":"a\xf0\x9f"}}]}\n\n'
        b'data: {"choices":[{"delta":{"content":"\x99\x82"},"finish_reason":"stop"}]}\n\n',
        "a🙂",
    ),
    "a document": KnownStream(
        '\n{"choices": [\n {"message": {"content": "Größe 🙂"},\n "finish_reason": "stop"}]}\n'.encode(), "Größe 🙂"
    ),
    "no finish reason": KnownStream(events(*HELLO[:3], USAGE), "Größe 🙂"),
    "refusal": KnownStream(
        events(delta('"content":null,"refusal":"I can"'), delta('"refusal":"not."'), delta("", '"stop"'), "[DONE]"),
        "I cannot.",
    ),
}
