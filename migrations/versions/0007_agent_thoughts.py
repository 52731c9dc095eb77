"""What agents thought and did

Revision ID: 0007
Revises: 0006
Create Date: 2026-11-24 03:30:00

"""
import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade():
    op.create_table(
        "agent_thoughts",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("message_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("thought", sa.Text(), nullable=False),
        sa.Column("said", sa.Text(), nullable=False),
        sa.Column("calls", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("created_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["message_id"], ["messages.id"], name="agent_thoughts_message_id_fkey", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name="agent_thoughts_pkey"),
    )
    op.create_index("agent_thoughts_by_message", "agent_thoughts", ["message_id", "position"])


def downgrade():
    op.drop_table("agent_thoughts")
