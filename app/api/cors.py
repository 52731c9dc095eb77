"""Let pages of other origins call the API (contract README §6).

The response names the origin of the request, so that pages may send credentials. Cookies from an origin that is allowed
only by `*` are ignored: otherwise any page in the Internet could act for its reader. No page of another origin may call
what is the operators' alone.
"""

from urllib.parse import urlsplit

from flask import Flask, Response, current_app, request

METHODS = "GET, PUT, POST, DELETE, OPTIONS, PATCH"
REQUEST_HEADERS = "Content-Type, X-App-Code, X-App-Passport, Authorization, X-CSRF-Token, Last-Event-ID"
EXPOSED = "X-Version, X-Env, X-Trace-Id"
PREFLIGHT_SECONDS = "600"
OPERATORS_PATH = "/operator"


def init_app(app: Flask) -> None:
    """Answer preflight requests, and add the headers to every response."""
    app.before_request(_preflight)
    app.after_request(_add_headers)


def cookies_are_trusted() -> bool:
    """Whether this request's cookies may identify its caller: not if only `*` allows the origin of its page."""
    origin = request.headers.get("Origin")
    if origin is None or origin in current_app.config["CORS_ALLOW_ORIGINS"]:
        return True
    return origin in (request.host_url.rstrip("/"), _origin_of(current_app.config["PUBLIC_URL"]))


def _origin_of(url: str) -> str:
    """Return the origin of a URL.

    Used for PUBLIC_URL: behind a proxy that ends TLS, the request's own URL says http.
    """
    address = urlsplit(url)
    return f"{address.scheme}://{address.netloc}"


def _allowed(origin: str | None, origins: list[str]) -> bool:
    return origin is not None and ("*" in origins or origin in origins)


def _preflight() -> Response | None:
    """Answer a preflight request, for every path and without a passport."""
    if request.method != "OPTIONS" or "Access-Control-Request-Method" not in request.headers:
        return None
    response = Response(status=200)
    if not _is_operators() and _allowed(request.headers.get("Origin"), current_app.config["CORS_ALLOW_ORIGINS"]):
        response.headers["Access-Control-Allow-Methods"] = METHODS
        response.headers["Access-Control-Allow-Headers"] = REQUEST_HEADERS
        response.headers["Access-Control-Max-Age"] = PREFLIGHT_SECONDS
    return response


def _add_headers(response: Response) -> Response:
    origin = request.headers.get("Origin")
    if origin is not None:
        response.vary.add("Origin")
    response.headers.update(headers_for(current_app, None if _is_operators() else origin))
    return response


def _is_operators() -> bool:
    return request.path == OPERATORS_PATH or request.path.startswith(f"{OPERATORS_PATH}/")


def headers_for(app: Flask, origin: str | None) -> dict[str, str]:
    """Return the headers that every response has, to a request from this origin; None: the request names none."""
    headers = {"X-Version": app.config["VERSION"], "X-Env": app.config["DEPLOY_ENV"]}
    if origin is not None and _allowed(origin, app.config["CORS_ALLOW_ORIGINS"]):
        headers |= {
            "Access-Control-Allow-Origin": origin,
            "Access-Control-Allow-Credentials": "true",
            "Access-Control-Expose-Headers": EXPOSED,
        }
    return headers
