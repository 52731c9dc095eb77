"""Forms that runs put to people

Revision ID: 0006
Revises: 0005
Create Date: 2026-11-24 03:00:00

"""
import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

JSONB = postgresql.JSONB(astext_type=sa.Text())
MOMENT = postgresql.TIMESTAMP(timezone=True)
WAITING = sa.text("status = 'waiting'")


def upgrade():
    op.create_table(
        "human_input_forms",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("run_id", sa.Uuid(), nullable=False),
        sa.Column("node_id", sa.Text(), nullable=False),
        sa.Column("node_title", sa.Text(), nullable=False),
        sa.Column("definition", JSONB, nullable=False),
        sa.Column("mails", JSONB, nullable=True),
        sa.Column("status", sa.String(length=16), server_default="waiting", nullable=False),
        sa.Column("action_id", sa.String(length=32), nullable=True),
        sa.Column("submitted", JSONB, nullable=True),
        sa.Column("expires_at", MOMENT, nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("decided_at", MOMENT, nullable=True),
        sa.ForeignKeyConstraint(["run_id"], ["workflow_runs.id"], name="human_input_forms_run_id_fkey", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name="human_input_forms_pkey"),
    )
    op.create_index("human_input_forms_by_run", "human_input_forms", ["run_id"])
    op.create_index("human_input_forms_by_expiration", "human_input_forms", ["expires_at"], postgresql_where=WAITING)
    op.create_index("human_input_forms_by_age", "human_input_forms", ["created_at"], postgresql_where=WAITING)
    op.create_table(
        "human_input_recipients",
        sa.Column("token", sa.String(length=22), nullable=False),
        sa.Column("form_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("email", sa.String(length=255), nullable=True),
        sa.Column("mail", sa.Integer(), nullable=True),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("tried_at", MOMENT, nullable=True),
        sa.Column("mailed_at", MOMENT, nullable=True),
        sa.ForeignKeyConstraint(["form_id"], ["human_input_forms.id"], name="human_input_recipients_form_id_fkey", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("token", name="human_input_recipients_pkey"),
    )
    op.create_index("human_input_recipients_by_form", "human_input_recipients", ["form_id"])
    unmailed = sa.text("email IS NOT NULL AND mailed_at IS NULL")
    op.create_index("human_input_recipients_unmailed", "human_input_recipients", ["created_at"], postgresql_where=unmailed)
    op.create_table(
        "human_input_upload_tokens",
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("form_id", sa.Uuid(), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(["form_id"], ["human_input_forms.id"], name="human_input_upload_tokens_form_id_fkey", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("token_hash", name="human_input_upload_tokens_pkey"),
    )
    op.create_index("human_input_upload_tokens_by_form", "human_input_upload_tokens", ["form_id"])
    op.create_table(
        "human_input_files",
        sa.Column("form_id", sa.Uuid(), nullable=False),
        sa.Column("upload_file_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["form_id"], ["human_input_forms.id"], name="human_input_files_form_id_fkey", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("form_id", "upload_file_id", name="human_input_files_pkey"),
    )
    op.add_column("tasks", sa.Column("decisions", sa.Integer(), server_default=sa.text("0"), nullable=False))
    op.add_column("tasks", sa.Column("resumed_at", MOMENT, nullable=True))


def downgrade():
    op.drop_column("tasks", "resumed_at")
    op.drop_column("tasks", "decisions")
    op.drop_table("human_input_files")
    op.drop_table("human_input_upload_tokens")
    op.drop_table("human_input_recipients")
    op.drop_table("human_input_forms")
