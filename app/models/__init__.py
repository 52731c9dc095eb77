"""Tables, and statements about them. Nothing here commits, and nothing here knows Redis."""

from app.models.accounts import Account, AppMember
from app.models.agents import MessageAgentThought
from app.models.apps import App, AppVersion
from app.models.conversations import Conversation, Message
from app.models.end_users import EndUser
from app.models.human_input import HumanInputFile, HumanInputForm, HumanInputRecipient, HumanInputUploadToken
from app.models.knowledge import Dataset, DatasetBinding, Document, Segment
from app.models.tasks import Task
from app.models.upload_files import UploadFile
from app.models.workflows import ConversationVariables, NodeExecution, WorkflowRun

__all__ = [
    "Account",
    "App",
    "AppMember",
    "AppVersion",
    "Conversation",
    "ConversationVariables",
    "Dataset",
    "DatasetBinding",
    "Document",
    "EndUser",
    "HumanInputFile",
    "HumanInputForm",
    "HumanInputRecipient",
    "HumanInputUploadToken",
    "Message",
    "MessageAgentThought",
    "NodeExecution",
    "Segment",
    "Task",
    "UploadFile",
    "WorkflowRun",
]
