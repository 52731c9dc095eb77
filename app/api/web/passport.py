"""GET /passport: issue a passport for an app."""

from flask import Response, request
from flask_restx import Resource

from app.api.auth import access_token_of_request
from app.api.bodies import parse_query, reply
from app.api.client_address import client_address
from app.api.document import document, web_ns
from app.api.request_lines import note_app
from app.api.schemas.access import AccessTokenData, PassportQuery
from app.errors import AppCodeMissing
from app.services.auth import answer_limits, passports


@web_ns.route("/passport")
class PassportResource(Resource):
    @document(
        "Get a passport",
        description="Makes the caller a visitor of the app that the X-App-Code header names. Put the token into "
        "'Authorize' to try the other calls.",
        query=PassportQuery,
        ok=AccessTokenData,
        ok_text="Passport retrieved successfully",
        refusals={
            401: "Unauthorized - missing app code or invalid authentication",
            404: "Application or user not found",
            429: "Too many passports",
        },
        headers={"X-App-Code": "The app's code"},
        passport=False,
    )
    def get(self) -> Response:
        code = request.headers.get("X-App-Code")
        if code is None:
            raise AppCodeMissing
        user_id = parse_query(PassportQuery).user_id
        answer_limits.count_passport(client_address())
        app = passports.app_to_visit(code)
        note_app(app)
        return reply(AccessTokenData(access_token=passports.visit(app, user_id, access_token_of_request())))
