"""GET /passport."""

from flask import Response, current_app, request
from flask_restx import Resource

from app.api.bodies import parse_query, reply
from app.api.document import document
from app.api.namespaces import web_ns
from app.api.schemas.access import AccessTokenData, PassportQuery
from app.errors import AppCodeMissing
from app.services import end_users, passports


@web_ns.route("/passport")
class Passport(Resource):
    @document(
        "Get a passport",
        description="Makes the caller a visitor of the app that the X-App-Code header names. Put the token into 'Authorize' to try the other calls.",
        query=PassportQuery,
        ok=AccessTokenData,
        ok_text="Passport retrieved successfully",
        refusals={401: "Unauthorized - missing app code or invalid authentication", 404: "Application or user not found"},
        headers={"X-App-Code": "The app's code"},
        passport=False,
    )
    def get(self) -> Response:
        code = request.headers.get("X-App-Code")
        if code is None:
            raise AppCodeMissing
        user_id = parse_query(PassportQuery).user_id
        key = current_app.config["SECRET_KEY"]
        app = passports.app_to_visit(code)
        session_id = passports.claimed_session(user_id, current_app.config["PASSPORT_USER_ID"], key)
        return reply(AccessTokenData(access_token=passports.issue(app, end_users.find_or_make(app.id, session_id), key)))
