"""Usage of one task

Revision ID: 0014
Revises: 0013
Create Date: 2026-11-25 18:40:00

"""

from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade():
    op.create_index("usage_records_by_task", "usage_records", ["task_id"])


def downgrade():
    op.drop_index("usage_records_by_task", table_name="usage_records")
