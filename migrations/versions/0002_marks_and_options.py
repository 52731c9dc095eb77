"""Ratings and saved marks of messages, options of tasks

Revision ID: 0002
Revises: 0001
Create Date: 2026-11-23 20:05:00

"""
import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade():
    op.add_column("messages", sa.Column("rating", sa.String(length=16), nullable=True))
    op.add_column("messages", sa.Column("rating_content", sa.Text(), nullable=True))
    op.add_column("messages", sa.Column("saved", sa.Boolean(), server_default=sa.text("false"), nullable=False))
    op.create_index("messages_saved", "messages", ["end_user_id", "created_at", "id"], postgresql_where=sa.text("saved"))
    op.add_column("tasks", sa.Column("options", postgresql.JSONB(astext_type=sa.Text()), nullable=True))


def downgrade():
    op.drop_column("tasks", "options")
    op.drop_index("messages_saved", "messages")
    op.drop_column("messages", "saved")
    op.drop_column("messages", "rating_content")
    op.drop_column("messages", "rating")
