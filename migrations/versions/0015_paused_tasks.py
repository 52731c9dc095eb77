"""An index of the tasks that wait for people, who may be many, for those who count them

Revision ID: 0015
Revises: 0014
Create Date: 2026-11-25 18:58:00

"""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade():
    op.create_index("tasks_paused", "tasks", ["app_id"], postgresql_where=sa.text("status = 'paused'"))


def downgrade():
    op.drop_index("tasks_paused", table_name="tasks")
