"""Which request a task comes from

Revision ID: 0013
Revises: 0012
Create Date: 2026-11-25 18:20:00

"""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade():
    op.add_column("tasks", sa.Column("request_id", sa.String(length=64), nullable=True))
    op.add_column("tasks", sa.Column("traceparent", sa.String(length=64), nullable=True))


def downgrade():
    op.drop_column("tasks", "traceparent")
    op.drop_column("tasks", "request_id")
