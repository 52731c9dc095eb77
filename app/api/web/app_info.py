"""What a page needs before it opens: /site, /parameters, /meta, /system-features, /webapp/…"""

from flask import Response, current_app, request
from flask_restx import Resource

from app.api.auth import Caller, caller_required, passport_of_request
from app.api.bodies import parse_query, reply
from app.api.document import document, web_ns
from app.api.schemas.access import AccessModeResponse, AppAccessModeQuery, AppPermissionQuery
from app.api.schemas.app_info import AppMetaResponse, AppSiteInfoResponse, Parameters, SystemFeatureModel
from app.api.schemas.common import BooleanResultResponse
from app.errors import InvalidParam
from app.services.auth import access, passports
from app.services.visitor import app_info


@web_ns.route("/site")
class SiteResource(Resource):
    @document("Get the app's site", description="Title, icon and texts of the app's page.", ok=AppSiteInfoResponse)
    @caller_required
    def get(self, caller: Caller) -> Response:
        return reply(AppSiteInfoResponse.model_validate(app_info.site(caller.app, caller.end_user.id)))


@web_ns.route("/parameters")
class AppParametersResource(Resource):
    @document(
        "Get the app's parameters", description="The input form, the features and the limits of the app.", ok=Parameters
    )
    @caller_required
    def get(self, caller: Caller) -> Response:
        return reply(Parameters.model_validate(app_info.parameters(caller.app, current_app.config)))


@web_ns.route("/meta")
class MetaResource(Resource):
    @document("Get the app's tool icons", ok=AppMetaResponse)
    @caller_required
    def get(self, caller: Caller) -> Response:
        return reply(AppMetaResponse.model_validate(app_info.meta(caller.app)))


@web_ns.route("/system-features")
class SystemFeaturesResource(Resource):
    @document(
        "Get the installation's features",
        description="Needs no passport: a page reads this before anything else.",
        ok=SystemFeatureModel,
        ok_text="System features retrieved successfully",
        refusals={500: "Internal server error"},
        passport=False,
    )
    def get(self) -> Response:
        return reply(SystemFeatureModel.model_validate(app_info.system_features(current_app.config)))


@web_ns.route("/webapp/access-mode")
class AccessModeResource(Resource):
    @document(
        "Get an app's access mode",
        description="Who may use the app: `public`, `private`, `private_all` or `sso_verified`.",
        query=AppAccessModeQuery,
        ok=AccessModeResponse,
        refusals={400: "Bad Request", 500: "Internal Server Error"},
        passport=False,
    )
    def get(self) -> Response:
        query = parse_query(AppAccessModeQuery)
        return reply(AccessModeResponse(accessMode=access.mode_of(query.appId, query.appCode)))


@web_ns.route("/webapp/permission")
class PermissionResource(Resource):
    @document(
        "Ask whether the caller may use an app",
        query=AppPermissionQuery,
        ok=BooleanResultResponse,
        refusals={400: "Bad Request", 401: "Unauthorized", 500: "Internal Server Error"},
        headers={"X-App-Code": "The app's code"},
        passport=False,
    )
    def get(self) -> Response:
        app_id = parse_query(AppPermissionQuery).appId
        if not app_id or not request.headers.get("X-App-Code"):
            raise InvalidParam("appId must be provided")
        return reply(BooleanResultResponse(result=passports.permitted(app_id, passport_of_request())))
