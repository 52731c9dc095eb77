"""The orders in which old rows, old versions and people to be forgotten are found

Revision ID: 0016
Revises: 0015
Create Date: 2026-11-25 18:55:00

"""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

INDEXES = (
    ("upload_files_by_time", "upload_files", ["created_at", "id"], None),
    ("end_users_forgotten", "end_users", ["id"], "kind = 'forgotten'"),
    ("conversations_by_version", "conversations", ["app_version_id"], None),
    ("workflow_runs_alone", "workflow_runs", ["created_at", "id"], "message_id IS NULL"),
    ("workflow_runs_by_version", "workflow_runs", ["app_version_id"], None),
    ("human_input_recipients_by_email", "human_input_recipients", ["email"], "email IS NOT NULL"),
    ("human_input_files_by_file", "human_input_files", ["upload_file_id"], None),
)


def upgrade():
    for name, table, columns, where in INDEXES:
        op.create_index(name, table, columns, postgresql_where=where and sa.text(where))


def downgrade():
    for name, table, _, _ in INDEXES:
        op.drop_index(name, table_name=table)
