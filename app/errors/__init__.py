"""Every error that a caller of the API can see.

    AppError
    ├── InvalidParam                    400 invalid_param
    │   └── NoVoiceAvailable
    ├── BadRequest                      400 bad_request
    ├── SiteGone                        400 bad_request
    ├── SiteDisabled                    400 bad_request
    ├── UnsupportedMediaType            415 unsupported_media_type
    ├── Unauthorized                    401 unauthorized
    │   ├── PassportMissing, TokenExpired, AppCodeMissing, SessionChanged
    │   └── TokenInvalid
    │       └── TokenSignatureInvalid
    ├── WebSsoAuthRequired              401 web_sso_auth_required
    ├── WebAppAccessDenied              401 web_app_access_denied
    ├── (logins.py: logging in; forms.py: forms that runs put to people)
    ├── Forbidden                       403 forbidden
    ├── NotFound                        404 not_found
    │   └── ConversationNotFound, FirstMessageNotFound, LastConversationNotFound, MessageNotFound
    ├── NotChatApp                      400 not_chat_app
    │   └── NotChatAppHere              404 not_chat_app
    ├── NotCompletionApp                400 not_completion_app
    ├── NotWorkflowApp                  400 not_workflow_app
    ├── MoreLikeThisDisabled            400 app_more_like_this_disabled
    ├── SuggestedQuestionsDisabled      400 app_suggested_questions_after_answer_disabled
    ├── NoAudioUploaded                 400 no_audio_uploaded
    ├── AudioTooLarge                   413 audio_too_large
    ├── UnsupportedAudioType            415 unsupported_audio_type
    ├── NoFileUploaded                  400 no_file_uploaded
    ├── TooManyFiles                    400 too_many_files
    ├── FileNameMissing                 400 filename_not_exists_error
    ├── FileExtensionBlocked            400 file_extension_blocked
    ├── RemoteFileUploadError           400 remote_file_upload_error
    ├── RequestTimeout                  408 request_timeout
    ├── FileTooLarge                    413 file_too_large
    ├── UnsupportedFileType             415 unsupported_file_type
    ├── TooManyRequests                 429 too_many_requests
    ├── RateLimitError                  429 rate_limit_error
    ├── InternalServerError             500 internal_server_error
    ├── ServiceUnavailable              503 service_unavailable
    └── GenerationError                 (block G of the contract's endpoints.md)
        ├── AppUnavailable              400 app_unavailable
        ├── RunFailed                   400 invalid_param
        └── ProviderError               400 completion_request_error
            ├── ProviderNotInitialize   400 provider_not_initialize
            ├── ProviderQuotaExceeded   400 provider_quota_exceeded
            ├── ModelNotSupported       400 model_currently_not_support
            ├── SpeechToTextNotSupported 400 provider_not_support_speech_to_text
            ├── ProviderAuthFailed, ProviderRateLimited, ProviderTimeout, ProviderUnreachable,
            └── ProviderProtocolError, ProviderBadRequest, ProviderServerError, ContextTooLong, ModelNotFound

Services and providers only raise them: `app/api/errors.py` turns an error into the JSON body, the worker into an
`error` event, both from `code`, `status` and `message` (contract README §3).
"""


class AppError(Exception):
    """An error for the caller: a `code` for programs, the HTTP `status`, and a sentence for people.

    `retry_after`: the seconds after which the same request may pass, for errors of status 429.
    """

    code = "internal_server_error"
    status = 500
    message = "Internal Server Error, please contact support."
    retry_after = 60

    def __init__(self, message: str | None = None, *, retry_after: int | None = None) -> None:
        if message is not None:
            self.message = message
        if retry_after is not None:
            self.retry_after = retry_after
        super().__init__(self.message)


class InvalidParam(AppError):
    code, status, message = "invalid_param", 400, "Invalid parameter."


class NoVoiceAvailable(InvalidParam):
    message = "Sorry, no voice available."


class BadRequest(AppError):
    code, status = "bad_request", 400
    message = "The request's JSON payload is invalid or empty."


class SiteGone(AppError):
    code, status, message = "bad_request", 400, "Site URL is no longer valid."


class SiteDisabled(AppError):
    code, status, message = "bad_request", 400, "Site is disabled."


class UnsupportedMediaType(AppError):
    code, status = "unsupported_media_type", 415
    message = "Did not attempt to load JSON data because the request Content-Type was not 'application/json'."


class Unauthorized(AppError):
    code, status, message = "unauthorized", 401, "Unauthorized."


class PassportMissing(Unauthorized):
    message = "App token is missing."


class TokenInvalid(Unauthorized):
    message = "Invalid token."


class TokenSignatureInvalid(TokenInvalid):
    message = "Invalid token signature."


class TokenExpired(Unauthorized):
    message = "Token has expired."


class AppCodeMissing(Unauthorized):
    message = "X-App-Code header is missing."


class SessionChanged(Unauthorized):
    message = "Authentication has expired."


class WebSsoAuthRequired(AppError):
    code, status, message = "web_sso_auth_required", 401, "Web app authentication required."


class WebAppAccessDenied(AppError):
    code, status = "web_app_access_denied", 401
    message = "You do not have permission to access this web app."


class Forbidden(AppError):
    code, status, message = "forbidden", 403, "Forbidden."


class NotFound(AppError):
    code, status = "not_found", 404
    message = "The requested resource was not found."


class ConversationNotFound(NotFound):
    message = "Conversation Not Exists."


class LastConversationNotFound(NotFound):
    message = "Last Conversation Not Exists."


class FirstMessageNotFound(NotFound):
    message = "First Message Not Exists."


class MessageNotFound(NotFound):
    message = "Message Not Exists."


class NotChatApp(AppError):
    code, status = "not_chat_app", 400
    message = "Please check if your Chat app mode matches the right API route."


class NotChatAppHere(NotChatApp):
    """The conversation routes answer 404 to apps of other modes (contract README §3.5)."""

    status = 404


class NotCompletionApp(AppError):
    code, status = "not_completion_app", 400
    message = "Please check if your Completion app mode matches the right API route."


class NotWorkflowApp(AppError):
    code, status = "not_workflow_app", 400
    message = "Please check if your Workflow app mode matches the right API route."


class MoreLikeThisDisabled(AppError):
    """400 by the user's specification (contract README §3.5)."""

    code, status = "app_more_like_this_disabled", 400
    message = "The 'More like this' feature is disabled. Please refresh your page."


class SuggestedQuestionsDisabled(AppError):
    """400 by the user's specification (contract README §3.5)."""

    code, status = "app_suggested_questions_after_answer_disabled", 400
    message = "The 'Suggested Questions After Answer' feature is disabled. Please refresh your page."


class NoAudioUploaded(AppError):
    code, status = "no_audio_uploaded", 400
    message = "Please upload your audio."


class AudioTooLarge(AppError):
    code, status = "audio_too_large", 413
    message = "Audio size larger than 30 mb"


class UnsupportedAudioType(AppError):
    code, status = "unsupported_audio_type", 415
    message = "Audio type not allowed."


class NoFileUploaded(AppError):
    code, status, message = "no_file_uploaded", 400, "Please upload your file."


class TooManyFiles(AppError):
    code, status, message = "too_many_files", 400, "Only one file is allowed."


class FileNameMissing(AppError):
    code, status, message = "filename_not_exists_error", 400, "The specified filename does not exist."


class FileExtensionBlocked(AppError):
    code, status, message = "file_extension_blocked", 400, "Files with this extension are not allowed."


class RemoteFileUploadError(AppError):
    code, status, message = "remote_file_upload_error", 400, "The remote file could not be read."


class RequestTimeout(AppError):
    code, status, message = "request_timeout", 408, "The request did not arrive in time."


class FileTooLarge(AppError):
    code, status, message = "file_too_large", 413, "File size exceeded."


class UnsupportedFileType(AppError):
    code, status, message = "unsupported_file_type", 415, "File type not allowed."


class TooManyRequests(AppError):
    code, status, retry_after = "too_many_requests", 429, 5
    message = "Too many requests. Please try again later."


class RateLimitError(AppError):
    code, status, message = "rate_limit_error", 429, "Rate Limit Error"


class InternalServerError(AppError):
    """An internal error that is raised on purpose: AppError's own code, status and sentence."""


class ServiceUnavailable(AppError):
    code, status = "service_unavailable", 503
    message = "A part of the service cannot be reached. Please try again shortly."


class GenerationError(AppError):
    """A task that cannot begin or go on (block G of the contract's endpoints.md)."""

    code, status, message = "completion_request_error", 400, "Completion request failed."


class AppUnavailable(GenerationError):
    code = "app_unavailable"
    message = "App unavailable, please check your app configurations."


class RunFailed(GenerationError):
    code = "invalid_param"
    message = "Run failed."


class ProviderError(GenerationError):
    """A failed model call. The sentence is ours: the provider's own may hold keys.

    `server_status`: the HTTP status by which the server refused it, None where there was none.
    """

    server_status: int | None = None


class ProviderNotInitialize(ProviderError):
    code = "provider_not_initialize"
    message = "No valid model provider credentials found. Please configure the model's endpoint and key."


class ProviderQuotaExceeded(ProviderError):
    code = "provider_quota_exceeded"
    message = "The quota at the model provider is used up."


class ModelNotSupported(ProviderError):
    code = "model_currently_not_support"
    message = "The model provider does not offer this model."


class SpeechToTextNotSupported(ProviderError):
    code = "provider_not_support_speech_to_text"
    message = "Provider not support speech to text."


class ProviderAuthFailed(ProviderError):
    message = "Incorrect API key provided"


class ProviderRateLimited(ProviderError):
    message = "The model provider is limiting the rate of requests. Please try again shortly."


class ProviderTimeout(ProviderError):
    message = "The model did not answer in time."


class ProviderUnreachable(ProviderError):
    message = "The model server cannot be reached."


class ProviderProtocolError(ProviderError):
    message = "The model's answer was cut off or could not be read."


class ProviderBadRequest(ProviderError):
    message = "The model server refused the request."


class ProviderServerError(ProviderError):
    message = "The model server had an internal error."


class ContextTooLong(ProviderError):
    message = "The prompt is longer than the model's context."


class ModelNotFound(ProviderError):
    """A model name that its server does not know.

    Its code is `completion_request_error` by the contract, not `model_currently_not_support` as for ModelNotSupported.
    """

    message = "The model server does not know this model."
