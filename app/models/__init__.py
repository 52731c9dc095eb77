"""Tables, and statements about them. Nothing here commits, and nothing here knows Redis."""

from app.models.accounts import Account, AppMember
from app.models.agent_thoughts import MessageAgentThought
from app.models.apps import App, AppVersion
from app.models.conversations import Conversation
from app.models.datasets import Dataset, DatasetBinding
from app.models.documents import Document, Segment
from app.models.end_users import EndUser
from app.models.form_recipients import HumanInputFile, HumanInputRecipient, HumanInputUploadToken
from app.models.forms import HumanInputForm
from app.models.messages import Message
from app.models.tasks import Task
from app.models.upload_files import UploadFile
from app.models.workflow_runs import ConversationVariables, NodeExecution, WorkflowRun

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
