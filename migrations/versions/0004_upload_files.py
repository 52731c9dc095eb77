"""Uploaded files, and the files of messages

Revision ID: 0004
Revises: 0003
Create Date: 2026-11-23 22:45:00

"""
import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade():
    op.create_table(
        "upload_files",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("app_id", sa.Uuid(), nullable=False),
        sa.Column("end_user_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.Column("extension", sa.String(length=64), nullable=False),
        sa.Column("mime_type", sa.String(length=255), nullable=False),
        sa.Column("size", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("stored", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("created_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="upload_files_pkey"),
    )
    op.create_index("upload_files_by_end_user", "upload_files", ["end_user_id", "created_at"])
    op.create_index("upload_files_unfinished", "upload_files", ["created_at"], postgresql_where=sa.text("NOT stored"))
    op.add_column("messages", sa.Column("files", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True))


def downgrade():
    op.drop_column("messages", "files")
    op.drop_table("upload_files")
