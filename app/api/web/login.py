"""The login family. Of it: GET /login/status."""

from flask import Response
from flask_restx import Resource

from app.api.auth import has_access_token, is_visitor_of
from app.api.bodies import parse_query, reply
from app.api.document import document
from app.api.namespaces import web_ns
from app.api.schemas.access import LoginStatusQuery, LoginStatusResponse


@web_ns.route("/login/status")
class LoginStatus(Resource):
    @document(
        "Check the login status",
        description="Whether the caller is logged in, and whether the passport of this request is good for the app.",
        query=LoginStatusQuery,
        ok=LoginStatusResponse,
        ok_text="Login status",
        refusals={401: "Login status"},
    )
    def get(self) -> Response:
        query = parse_query(LoginStatusQuery)
        if not query.app_code:
            return reply(LoginStatusResponse(logged_in=has_access_token(), app_logged_in=False))
        return reply(LoginStatusResponse(logged_in=True, app_logged_in=is_visitor_of(query.app_code, query.user_id)))
