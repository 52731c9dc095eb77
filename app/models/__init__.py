"""Tables, and the statements about them: the only SQL of the house.

Each module has one subject: its tables, the rows that its statements return, the statements, and functions that run
them. A function that takes no connection runs one statement on the autocommit engine: one round trip, whole when it
returns. One that takes a connection or a session is part of its caller's transaction. Nothing here commits a
transaction, and nothing here knows Redis. `execution.py` runs statements, `owners.py` has the clause that scopes one to
an app and an end user, `identifiers.py` makes ids and times.

The tables:

    apps, app_versions              a served app, and each definition of it that was published
    app_sources                     the files that apps were imported from
    accounts, app_members           who can log in, and may use which private app
    end_users                       who uses an app: by session, or by account
    conversations                   threads of messages between an end user and an app
    messages                        a question and its answer, with rating and saved mark
    agent_thoughts                  the rounds of an agent that worked on a message
    tasks                           an answer or a workflow run to be generated: who has it, how it stands
    workflow_runs, node_executions  a run of a graph, and each execution of a node of it
    conversation_variables          what a chatflow keeps from message to message
    human_input_forms               forms that a run put to people
    human_input_recipients          who may answer a form, by a token, and whether the mail went out
    human_input_upload_tokens       rights to upload files for a form
    human_input_files               files that were uploaded for a form
    usage_records                   the tokens that models were asked for, and what they cost
    upload_files                    files of end users; the contents are in the file storage
    datasets, dataset_bindings      bodies of knowledge, and what an app's file calls them
    documents, segments             the files of a dataset, and the pieces of them that are found and cited
    embeddings_…                    the vectors of one dataset: a table for each, made and dropped with it

A message to a chat app, from row to row:

 1. The web process begins it: `begin_conversation` makes conversation, message and task, in one statement; for a later
    message `continue_conversation` adds message and task. The task is running under epoch 0, the answer is empty. What
    is committed is queued next; where that fails, `fail_unclaimed_task` ends the task.
 2. A worker claims it: `claim_task` raises the epoch and returns the task with its message. `read_thread` returns what
    was said before.
 3. The first chunk, like all that follow, changes no row: events go to the channel and the event log in Redis, under
    the epoch. (Agents store each round: `store_thought`.) Where the worker dies, another one claims the task under the
    next epoch, answers again, and clients are told to replace what they have.
 4. The worker finishes it: `finish_answer` stores the answer and ends the task, in one statement that does nothing
    under an old epoch. The last event is sent behind it; its number is stored, so that a worker that finds the task
    ended knows whether the event is missing.

A message to a chatflow has a workflow run beside it:

 1. `begin_conversation` and `continue_conversation` make the run, too, with the conversation's variables as they are
    then. (Workflow apps have runs without messages: `begin_workflow_run`.)
 2. The worker claims the task; `load_run` returns the run, `list_past_node_executions` what earlier workers have
    stored: those executions are not done again.
 3. Checkpoints: `save_checkpoint` stores the executions that began or ended since the last one, before and behind a
    node that acts on something outside or is costly, so that it is not done twice.
 4. Where the run needs people, `pause_run` stores the forms and lets run, task and message rest. `submit_form`, or
    `expire_forms` when the time is up, sets them running again; the task is queued, claimed and loaded as in 2.
 5. `finish_run` stores the last executions and ends run, task and message, in one statement.

All states of a task, and who moves it, are drawn at the head of `tasks.py`.
"""

from app.models.accounts import Account, AppMember
from app.models.agent_thoughts import MessageAgentThought
from app.models.apps import App, AppSource, AppVersion
from app.models.conversations import Conversation
from app.models.datasets import Dataset, DatasetBinding
from app.models.documents import Document, Segment
from app.models.end_users import EndUser
from app.models.form_recipients import HumanInputFile, HumanInputRecipient, HumanInputUploadToken
from app.models.forms import HumanInputForm
from app.models.messages import Message
from app.models.tasks import Task
from app.models.upload_files import UploadFile
from app.models.usage_records import UsageRecord
from app.models.workflow_runs import ConversationVariables, NodeExecution, WorkflowRun

__all__ = [
    "Account",
    "App",
    "AppMember",
    "AppSource",
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
    "UsageRecord",
    "WorkflowRun",
]
