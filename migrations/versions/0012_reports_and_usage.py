"""Usage, kept for itself, and the orders in which reports read

Revision ID: 0012
Revises: 0011
Create Date: 2026-11-25 18:20:00

"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

TIME = postgresql.TIMESTAMP(timezone=True)
INDEXES = (
    ("messages_by_time", "messages", ["created_at", "id"], None),
    ("messages_by_app", "messages", ["app_id", "created_at", "id"], None),
    ("messages_rated", "messages", ["created_at", "id"], "rating IS NOT NULL"),
    ("conversations_by_activity", "conversations", ["updated_at", "id"], None),
    ("conversations_by_app", "conversations", ["app_id", "updated_at", "id"], None),
    ("workflow_runs_by_time", "workflow_runs", ["created_at", "id"], None),
    ("tasks_by_time", "tasks", ["created_at"], None),
    ("end_users_by_session", "end_users", ["session_id"], None),
)
# What ended before has its tokens; which models they are of, nothing says.
FORMER_USAGE = """
INSERT INTO usage_records (
    id, task_id, purpose, app_id, end_user_id, endpoint, model, prompt_tokens, completion_tokens, total_tokens, created_at)
SELECT task.id, task.id, 'answer', task.app_id, task.end_user_id, '', '', coalesce(message.prompt_tokens, 0),
    coalesce(message.answer_tokens, 0),
    coalesce(run.total_tokens, message.prompt_tokens + message.answer_tokens, 0), task.created_at
FROM tasks task LEFT JOIN messages message ON message.id = task.message_id
LEFT JOIN workflow_runs run ON run.id = task.workflow_run_id WHERE task.status IN ('succeeded', 'failed', 'stopped')
"""


def upgrade():
    op.create_table(
        "usage_records",
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("task_id", sa.Uuid(), nullable=True),
        sa.Column("purpose", sa.String(length=16), nullable=False),
        sa.Column("app_id", sa.Uuid(), nullable=False),
        sa.Column("end_user_id", sa.Uuid(), nullable=True),
        sa.Column("endpoint", sa.String(length=255), nullable=False),
        sa.Column("model", sa.String(length=255), nullable=False),
        sa.Column("calls", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("prompt_tokens", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("completion_tokens", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("total_tokens", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("prompt_price", sa.Numeric(), nullable=True),
        sa.Column("completion_price", sa.Numeric(), nullable=True),
        sa.Column("currency", sa.String(length=8), server_default="", nullable=False),
        sa.Column("created_at", TIME, nullable=False),
    )
    op.execute(FORMER_USAGE)
    op.create_index("usage_records_by_creation", "usage_records", ["created_at"])
    op.create_index("usage_records_by_app", "usage_records", ["app_id", "created_at"])
    op.create_index("usage_records_by_end_user", "usage_records", ["end_user_id"])
    for name, table, columns, where in INDEXES:
        op.create_index(name, table, columns, postgresql_where=where and sa.text(where))


def downgrade():
    for name, table, _, _ in INDEXES:
        op.drop_index(name, table_name=table)
    op.drop_table("usage_records")
