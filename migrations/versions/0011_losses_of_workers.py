"""How often a task lost its worker at the same step

Revision ID: 0011
Revises: 0010
Create Date: 2026-11-25 15:40:00

"""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade():
    op.add_column("tasks", sa.Column("losses", sa.Integer(), server_default=sa.text("0"), nullable=False))
    op.add_column("tasks", sa.Column("lost_at", sa.String(length=255), nullable=True))


def downgrade():
    op.drop_column("tasks", "lost_at")
    op.drop_column("tasks", "losses")
