"""Errors of forms and their file uploads (contract human-input.md §5 to §8).

AppError
├── FormSubmitted                   412 human_input_form_submitted
├── FormExpired                     412 human_input_form_expired
├── FormRateLimited                 429 web_form_rate_limit_exceeded
├── InvalidFormData                 400 invalid_form_data
├── UploadTokenMissing              401 invalid_upload_token
├── UploadTokenMalformed            400 invalid_upload_token
├── UploadTokenUnknown              403 invalid_upload_token
└── NotFound
    └── FormNotFound                404 not_found
"""

from app.errors import AppError, NotFound


class FormNotFound(NotFound):
    message = "Form not found"


class FormSubmitted(AppError):
    code, status, message = "human_input_form_submitted", 412, "This form has already been submitted."


class FormExpired(AppError):
    code, status, message = "human_input_form_expired", 412, "This form has expired."


class FormRateLimited(AppError):
    code, status, message = (
        "web_form_rate_limit_exceeded",
        429,
        "Too many form requests. Please try again later.",
    )


class InvalidFormData(AppError):
    code, status, message = "invalid_form_data", 400, "The form's data is not valid."


class UploadTokenMissing(AppError):
    code, status, message = "invalid_upload_token", 401, "An upload token is required."


class UploadTokenMalformed(AppError):
    code, status, message = "invalid_upload_token", 400, "The upload token is malformed."


class UploadTokenUnknown(AppError):
    code, status, message = "invalid_upload_token", 403, "The upload token is not valid."
