"""Numbers of events that never go back: room for those of later epochs, and the epoch that a task rested under

Revision ID: 0010
Revises: 0009
Create Date: 2026-11-25 14:40:00

"""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade():
    op.alter_column("tasks", "last_event", type_=sa.BigInteger(), existing_type=sa.Integer())
    op.add_column("tasks", sa.Column("rested_epoch", sa.Integer(), server_default=sa.text("0"), nullable=False))
    op.execute("UPDATE tasks SET rested_epoch = epoch WHERE status <> 'running'")


def downgrade():
    op.drop_column("tasks", "rested_epoch")
    op.alter_column("tasks", "last_event", type_=sa.Integer(), existing_type=sa.BigInteger())
