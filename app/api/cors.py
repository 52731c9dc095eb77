"""Pages of other origins (contract README §6): the origin is echoed, and a cookie from an origin that nobody listed is no credential."""

from urllib.parse import urlsplit

from flask import Flask, Response, current_app, request

METHODS = "GET, PUT, POST, DELETE, OPTIONS, PATCH"
REQUEST_HEADERS = "Content-Type, X-App-Code, X-App-Passport, Authorization, X-CSRF-Token, Last-Event-ID"
EXPOSED = "X-Version, X-Env, X-Trace-Id"
PREFLIGHT_SECONDS = "600"


def init_app(app: Flask) -> None:
    app.before_request(_preflight)
    app.after_request(_add_headers)


def cookies_count() -> bool:
    """Whether this request's cookies are a credential: not for a page of an origin that only the `*` lets in."""
    origin = request.headers.get("Origin")
    if origin is None or origin in current_app.config["CORS_ALLOW_ORIGINS"]:
        return True
    return origin in (request.host_url.rstrip("/"), _origin_of(current_app.config["PUBLIC_URL"]))


def _origin_of(url: str) -> str:
    """A proxy that ends TLS leaves us to think that we are asked by plain HTTP; PUBLIC_URL knows better."""
    address = urlsplit(url)
    return f"{address.scheme}://{address.netloc}"


def _allowed(origin: str | None) -> bool:
    origins = current_app.config["CORS_ALLOW_ORIGINS"]
    return origin is not None and ("*" in origins or origin in origins)


def _preflight() -> Response | None:
    """Answered for every path, without a passport."""
    if request.method != "OPTIONS" or "Access-Control-Request-Method" not in request.headers:
        return None
    answer = Response(status=200)
    if _allowed(request.headers.get("Origin")):
        answer.headers["Access-Control-Allow-Methods"] = METHODS
        answer.headers["Access-Control-Allow-Headers"] = REQUEST_HEADERS
        answer.headers["Access-Control-Max-Age"] = PREFLIGHT_SECONDS
    return answer


def _add_headers(answer: Response) -> Response:
    answer.headers["X-Version"] = current_app.config["VERSION"]
    answer.headers["X-Env"] = current_app.config["DEPLOY_ENV"]
    origin = request.headers.get("Origin")
    if origin is None:
        return answer
    answer.vary.add("Origin")
    if _allowed(origin):
        answer.headers["Access-Control-Allow-Origin"] = origin
        answer.headers["Access-Control-Allow-Credentials"] = "true"
        answer.headers["Access-Control-Expose-Headers"] = EXPOSED
    return answer
