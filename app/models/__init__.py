"""Tables, and statements about them. Nothing here commits, and nothing here knows Redis."""

from app.models.apps import App, AppVersion
from app.models.conversations import Conversation, Message
from app.models.end_users import EndUser
from app.models.tasks import Task
from app.models.upload_files import UploadFile

__all__ = ["App", "AppVersion", "Conversation", "EndUser", "Message", "Task", "UploadFile"]
