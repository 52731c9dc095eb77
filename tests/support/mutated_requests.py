"""Requests that are spoiled at random, always the same for a seed."""

import random
from collections.abc import Iterator

JSON = b'{"email": "a@b.example", "password": "eA=="}'
HOST = b"Host: desk.example.com\r\n"
PARTS = b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.txt"\r\n\r\nhello\r\n--b--\r\n'
SEEDS = (
    b"GET /api/system-features HTTP/1.1\r\n" + HOST + b"\r\n",
    b"GET /api/passport?user_id=x HTTP/1.1\r\n" + HOST + b"X-App-Code: chat\r\nOrigin: https://page.example\r\n\r\n",
    b"POST /api/login HTTP/1.1\r\n"
    + HOST
    + b"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(JSON)
    + JSON,
    b"POST /api/login HTTP/1.1\r\n"
    + HOST
    + b"Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
    + b"%x\r\n" % len(JSON)
    + JSON
    + b"\r\n0\r\n\r\n",
    b"POST /api/human-input-forms/files HTTP/1.1\r\n"
    + HOST
    + b"Authorization: bearer hitl_upload_x\r\nContent-Type: multipart/form-data; boundary=b\r\n"
    + b"Content-Length: %d\r\n\r\n" % len(PARTS)
    + PARTS,
    b"OPTIONS /api/site HTTP/1.1\r\n" + HOST + b"Origin: null\r\nAccess-Control-Request-Method: GET\r\n\r\n",
    b"GET /api/remote-files/https%3A%2F%2Fa.example HTTP/1.1\r\n" + HOST + b"Cookie: passport-chat=x; y\r\n\r\n",
    b"GET /files/0192a0b0-0000-7000-8000-000000000000/file-preview?timestamp=1&nonce=x&sign=y HTTP/1.1\r\n"
    + HOST
    + b"Range: bytes=0-5\r\n\r\n",
)
PIECES = (
    b"\r\n",
    b"\n",
    b"\r",
    b"\x00",
    b"\x7f",
    b"\xff\xfe",
    b" ",
    b"\t",
    b":",
    b"%00",
    b"%",
    b"%zz",
    b"//",
    b"#",
    b"?",
    b"0\r\n\r\n",
    b"-1",
    b"FFFFFFFFFFFFFFFFFF",
    b"1" * 300,
    b"Content-Length: 5\r\n",
    b"Content-Length: +5\r\n",
    b"Content-Length: 99999999999999999999\r\n",
    b"Transfer-Encoding: chunked\r\n",
    b"Transfer-Encoding: gzip, chunked\r\n",
    b"Transfer-Encoding: weird\r\n",
    b"Expect: 100-continue\r\n",
    b"Expect: pigs\r\n",
    b"Host: other\r\n",
    b"Host: [::1\r\n",
    b"Host: a b\r\n",
    b"X-Forwarded-For: ,\x80,\r\n",
    b"Range: bytes=-\r\n",
    b"If-Modified-Since: yesterday\r\n",
    b"Last-Event-ID: \xb2\r\n",
    b"Content-Type: application/json; charset=\xff\r\n",
    b"Content-Type: multipart/form-data\r\n",
    b"Content-Encoding: gzip\r\n",
    b"Accept-Language: " + b"de," * 400 + b"\r\n",
    b"Cookie: " + b"a=b;" * 900 + b"\r\n",
    b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n",
    b"A: b\r\n" * 120,
    b"a" * 9_000,
)


def mutated(seed: int, count: int) -> Iterator[bytes]:
    """Yield so many requests, each with one to four faults."""
    chance = random.Random(seed)
    for _ in range(count):
        data = bytearray(chance.choice(SEEDS))
        for _ in range(chance.randint(1, 4)):
            _spoil(chance, data)
        yield bytes(data)


def _spoil(chance: random.Random, data: bytearray) -> None:
    at = chance.randrange(len(data) + 1)
    match chance.randrange(6):
        case 0:
            data[at:at] = chance.choice(PIECES)
        case 1:
            # At the beginning of a line: a header, or a chunk's size.
            begin = data.find(b"\r\n", at)
            data[begin + 2 : begin + 2] = chance.choice(PIECES)
        case 2:
            del data[at : at + chance.randint(1, 20)]
        case 3:
            data[at : at + 1] = bytes([chance.randrange(256)])
        case 4:
            del data[at:]
        case _:
            data += bytes(data[: chance.randint(1, 200)])
