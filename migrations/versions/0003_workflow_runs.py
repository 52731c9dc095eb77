"""Runs of workflows, their node executions, conversation variables

Revision ID: 0003
Revises: 0002
Create Date: 2026-11-23 22:00:00

"""
import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

JSONB = postgresql.JSONB(astext_type=sa.Text())
TIME = postgresql.TIMESTAMP(timezone=True)


def upgrade():
    op.create_table(
        "workflow_runs",
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("app_id", sa.Uuid(), nullable=False),
        sa.Column("end_user_id", sa.Uuid(), sa.ForeignKey("end_users.id", ondelete="CASCADE"), nullable=False),
        sa.Column("app_version_id", sa.Uuid(), nullable=False),
        sa.Column("task_id", sa.Uuid(), nullable=False),
        sa.Column("message_id", sa.Uuid(), sa.ForeignKey("messages.id", ondelete="CASCADE"), nullable=True),
        sa.Column("status", sa.String(length=32), server_default="running", nullable=False),
        sa.Column("inputs", JSONB, nullable=False),
        sa.Column("files", JSONB, server_default=sa.text("'[]'"), nullable=False),
        sa.Column("dialogue_count", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("outputs", JSONB, nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("elapsed", sa.Float(), server_default=sa.text("0"), nullable=False),
        sa.Column("total_tokens", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("total_steps", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("exceptions_count", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("finished_at", TIME, nullable=True),
    )
    op.create_index("workflow_runs_by_app", "workflow_runs", ["app_id", "created_at", "id"])
    op.create_index("workflow_runs_by_end_user", "workflow_runs", ["end_user_id", "created_at"])
    op.create_index("workflow_runs_message", "workflow_runs", ["message_id"], unique=True)
    op.create_table(
        "node_executions",
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("run_id", sa.Uuid(), sa.ForeignKey("workflow_runs.id", ondelete="CASCADE"), nullable=False),
        sa.Column("frame", sa.Text(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=True),
        sa.Column("node_id", sa.Text(), nullable=False),
        sa.Column("kind", sa.String(length=64), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("index", sa.Integer(), nullable=False),
        sa.Column("predecessor_node_id", sa.Text(), nullable=True),
        sa.Column("iteration_id", sa.Text(), nullable=True),
        sa.Column("loop_id", sa.Text(), nullable=True),
        sa.Column("status", sa.String(length=32), nullable=False),
        sa.Column("inputs", JSONB, nullable=True),
        sa.Column("process_data", JSONB, nullable=True),
        sa.Column("outputs", JSONB, nullable=True),
        sa.Column("handle", sa.Text(), nullable=True),
        sa.Column("writes", JSONB, nullable=True),
        sa.Column("usage", JSONB, nullable=True),
        sa.Column("exceptions", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("elapsed", sa.Float(), nullable=True),
        sa.Column("started_at", TIME, nullable=False),
        sa.Column("finished_at", TIME, nullable=True),
    )
    op.create_index("node_executions_by_run", "node_executions", ["run_id", "position"])
    op.create_table(
        "conversation_variables",
        sa.Column("conversation_id", sa.Uuid(), sa.ForeignKey("conversations.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("contents", JSONB, nullable=False),
    )
    op.add_column("tasks", sa.Column("workflow_run_id", sa.Uuid(), nullable=True))
    op.create_foreign_key("tasks_workflow_run_id_fkey", "tasks", "workflow_runs", ["workflow_run_id"], ["id"], ondelete="CASCADE")
    op.create_index("tasks_workflow_run", "tasks", ["workflow_run_id"], unique=True)


def downgrade():
    op.drop_index("tasks_workflow_run", "tasks")
    op.drop_constraint("tasks_workflow_run_id_fkey", "tasks")
    op.drop_column("tasks", "workflow_run_id")
    op.drop_table("conversation_variables")
    op.drop_table("node_executions")
    op.drop_table("workflow_runs")
