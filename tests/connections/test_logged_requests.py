"""What a web server writes about requests: their routes, and nothing that came from a visitor."""

import json
import re

from tests.support.web_process import WebProcess

SECRETS = [
    "FormTokenOfSomebody001",
    "hitl_upload_SomebodysUploadToken",
    "remote.example",
    "SomebodysQuery",
    "SomebodysPath",
    "SomebodysHeader",
    "SomebodysBody",
]
REQUESTS = [
    b"GET /api/form/human_input/FormTokenOfSomebody001 HTTP/1.1\r\nHost: desk\r\n\r\n",
    b"POST /api/form/human_input/FormTokenOfSomebody001/upload-token HTTP/1.1\r\nHost: desk\r\n\r\n",
    b"GET /api/remote-files/https://remote.example/SomebodysPath HTTP/1.1\r\nHost: desk\r\n\r\n",
    b"GET /api/passport?user_id=SomebodysQuery HTTP/1.1\r\nHost: desk\r\n\r\n",
    b"GET /nowhere/SomebodysPath?SomebodysQuery HTTP/1.1\r\nHost: desk\r\n\r\n",
    b"get /SomebodysPath HTTP/1.1\r\nHost: desk\r\n\r\n",
    b"GET /SomebodysPath HTTP/1.1\r\nHost: Somebodys Header\r\nX: SomebodysHeader\x00\r\n\r\n",
    b"GET /SomebodysPath" + b"x" * 20_000 + b" HTTP/1.1\r\n\r\n",
    b"POST /api/human-input-forms/files HTTP/1.1\r\nHost: desk\r\n"
    b"Authorization: Bearer hitl_upload_SomebodysUploadToken\r\nContent-Length: 500\r\n\r\nSomebodysBody",
    b"POST /api/login HTTP/1.1\r\nTransfer-Encoding: chunked\r\nHost: desk\r\n\r\nSomebodysBody\r\n",
]


def test_lines_name_routes_and_nothing_that_was_sent(web: WebProcess) -> None:
    before = len(web.log())
    for request_bytes in REQUESTS:
        web.send(request_bytes, ends=True)
    log = web.log()[before:]
    assert [secret for secret in SECRETS if secret in log] == []
    lines = [json.loads(line) for line in log.splitlines()]
    assert all(line["request_id"] for line in lines)
    routes = {line["route"] for line in lines if line["event"] == "request"}
    assert {"/api/form/human_input/<string:form_token>", "/api/remote-files/<path:url>", "none"} <= routes
    assert sum(line["event"] == "request.refused" for line in lines) >= 5


def test_a_worker_s_lines_have_one_form(web: WebProcess) -> None:
    started = [line for line in web.log().splitlines() if not line.startswith("[")]
    assert started and all(re.match(r"\{.*\}$", line) for line in started)
