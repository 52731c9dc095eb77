"""Bodies that describe an app and the installation to a page before it opens."""

from enum import StrEnum
from typing import Any

from pydantic import ConfigDict, Field

from app.api.schemas.common import Body, JSONObject


class AppSiteResponse(Body):
    title: str | None = None
    chat_color_theme: str | None = None
    chat_color_theme_inverted: bool | None = None
    icon_type: str | None = None
    icon: str | None = None
    icon_background: str | None = None
    icon_url: str | None = None
    description: str | None = None
    copyright: str | None = None
    privacy_policy: str | None = None
    custom_disclaimer: str | None = None
    default_language: str | None = None
    prompt_public: bool | None = None
    show_workflow_steps: bool | None = None
    use_icon_as_answer_icon: bool | None = None


class AppSiteModelConfigResponse(Body):
    opening_statement: str | None = None
    suggested_questions: Any
    suggested_questions_after_answer: Any
    more_like_this: Any
    model: Any
    user_input_form: Any
    pre_prompt: str | None = None


class AppSiteInfoResponse(Body):
    app_id: str
    end_user_id: str | None = None
    enable_site: bool
    site: AppSiteResponse
    # pydantic keeps the plain name for itself.
    model_configuration: AppSiteModelConfigResponse | None = Field(None, alias="model_config")
    plan: str | None = None
    can_replace_logo: bool
    custom_config: dict[str, Any] | None = None


class SystemParameters(Body):
    image_file_size_limit: int
    video_file_size_limit: int
    audio_file_size_limit: int
    file_size_limit: int
    workflow_file_upload_limit: int


class Parameters(Body):
    opening_statement: Any = None
    suggested_questions: list[str]
    suggested_questions_after_answer: JSONObject
    speech_to_text: JSONObject
    text_to_speech: JSONObject
    retriever_resource: JSONObject
    annotation_reply: JSONObject
    more_like_this: JSONObject
    user_input_form: list[JSONObject]
    sensitive_word_avoidance: JSONObject
    file_upload: JSONObject
    system_parameters: SystemParameters


class AppMetaResponse(Body):
    tool_icons: dict[str, Any] = Field(default_factory=dict, description="Tool icon metadata keyed by tool name")


class LicenseStatus(StrEnum):
    NONE = "none"
    INACTIVE = "inactive"
    ACTIVE = "active"
    EXPIRING = "expiring"
    EXPIRED = "expired"
    LOST = "lost"


class PluginInstallationScope(StrEnum):
    NONE = "none"
    OFFICIAL_ONLY = "official_only"
    OFFICIAL_AND_SPECIFIC_PARTNERS = "official_and_specific_partners"
    ALL = "all"


class Complete(Body):
    """An answer whose every field is always there, defaults included."""

    model_config = ConfigDict(json_schema_serialization_defaults_required=True)


class LicenseLimitationModel(Complete):
    enabled: bool = Field(False, description="Whether this limit is currently active")
    size: int = Field(0, description="Number of resources already consumed")
    limit: int = Field(0, description="Maximum number of resources allowed; 0 means no limit")


class LicenseModel(Complete):
    status: LicenseStatus = LicenseStatus.NONE
    expired_at: str = ""
    workspaces: LicenseLimitationModel = LicenseLimitationModel()


class BrandingModel(Complete):
    enabled: bool = False
    application_title: str = ""
    login_page_logo: str = ""
    workspace_logo: str = ""
    favicon: str = ""


class WebAppAuthSSOModel(Complete):
    protocol: str = ""


class WebAppAuthModel(Complete):
    enabled: bool = False
    allow_sso: bool = False
    sso_config: WebAppAuthSSOModel = WebAppAuthSSOModel()
    allow_email_code_login: bool = False
    allow_email_password_login: bool = False


class PluginInstallationPermissionModel(Complete):
    plugin_installation_scope: PluginInstallationScope = PluginInstallationScope.ALL
    restrict_to_marketplace_only: bool = False


class PluginManagerModel(Complete):
    enabled: bool = False


class SystemFeatureModel(Complete):
    """The defaults are those of a plain installation that serves public apps."""

    sso_enforced_for_signin: bool = False
    sso_enforced_for_signin_protocol: str = ""
    enable_marketplace: bool = False
    max_plugin_package_size: int = 15728640
    enable_email_code_login: bool = False
    enable_email_password_login: bool = True
    enable_social_oauth_login: bool = False
    enable_collaboration_mode: bool = True
    is_allow_register: bool = False
    is_allow_create_workspace: bool = False
    is_email_setup: bool = False
    license: LicenseModel = LicenseModel()
    branding: BrandingModel = BrandingModel()
    webapp_auth: WebAppAuthModel = WebAppAuthModel()
    plugin_installation_permission: PluginInstallationPermissionModel = PluginInstallationPermissionModel()
    enable_change_email: bool = True
    plugin_manager: PluginManagerModel = PluginManagerModel()
    enable_creators_platform: bool = False
    enable_trial_app: bool = False
    enable_explore_banner: bool = False
