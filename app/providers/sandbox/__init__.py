"""Run the code and templates of app authors without access to files, network, processes and our own objects."""

from app.providers.sandbox.code_requests import CodeHttp, CodeRequest, CodeRequestFailed, CodeResponse
from app.providers.sandbox.messages import SandboxFailed
from app.providers.sandbox.sandbox import OwnedSandbox, Sandbox

__all__ = [
    "CodeHttp",
    "CodeRequest",
    "CodeRequestFailed",
    "CodeResponse",
    "OwnedSandbox",
    "Sandbox",
    "SandboxFailed",
]
