"""The files that apps were imported from

Revision ID: 0009
Revises: 0008
Create Date: 2026-11-25 14:40:00

"""
import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade():
    op.create_table(
        "app_sources",
        sa.Column("source", sa.String(length=1024), primary_key=True),
        sa.Column("app_id", sa.Uuid(), sa.ForeignKey("apps.id", ondelete="CASCADE"), nullable=False),
    )
    op.create_index("app_sources_app_id_idx", "app_sources", ["app_id"])


def downgrade():
    op.drop_table("app_sources")
