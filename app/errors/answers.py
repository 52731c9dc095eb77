"""Errors of model calls whose answer cannot be used or came too late, and of tasks that cannot go on.

ProviderError
├── AnswerFiltered                  400 completion_request_error
├── AnswerRefused                   400 completion_request_error
├── AnswerCutShort                  400 completion_request_error
├── AnswerEmpty                     400 completion_request_error
├── ToolNotOffered                  400 completion_request_error
└── ModelBusy                       429 too_many_requests
RunFailed
├── RunOverdue                      400 invalid_param
└── WorkersLost                     400 invalid_param
"""

from app.errors import ProviderError, RunFailed


class AnswerFiltered(ProviderError):
    message = "The model provider's content filter stopped the answer."


class AnswerRefused(ProviderError):
    message = "The model refused to answer."


class AnswerCutShort(ProviderError):
    message = "The model reached its limit of tokens before it began its answer."


class AnswerEmpty(ProviderError):
    message = "The model ended its answer without saying anything."


class ToolNotOffered(ProviderError):
    message = "The model asked for a tool instead of answering, and no tool was offered to it."


class ModelBusy(ProviderError):
    message = "Too many answers are being generated at the moment. Please try again shortly."
    code, status = "too_many_requests", 429


class RunOverdue(RunFailed):
    """A task passed its time limit."""


class WorkersLost(RunFailed):
    """A task lost several workers at the same step: it may be what makes them die."""
