"""Knowledge: datasets, documents, segments, bindings

Tables of embeddings are made with the datasets that have them: a database without pgvector serves knowledge by its words.

Revision ID: 0008
Revises: 0007
Create Date: 2026-11-24 03:10:00

"""
import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade():
    op.create_table(
        "datasets",
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("name", sa.String(length=255), nullable=False, unique=True),
        sa.Column("search_method", sa.String(length=16), nullable=False),
        sa.Column("embedding_provider", sa.String(length=255), nullable=True),
        sa.Column("embedding_model", sa.String(length=255), nullable=True),
        sa.Column("dimensions", sa.Integer(), nullable=True),
        sa.Column("top_k", sa.Integer(), server_default=sa.text("4"), nullable=False),
        sa.Column("score_threshold", sa.Float(), nullable=True),
        sa.Column("created_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("deleted_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
    )
    op.create_table(
        "documents",
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("dataset_id", sa.Uuid(), sa.ForeignKey("datasets.id", ondelete="CASCADE"), nullable=False),
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.Column("source", sa.String(length=32), server_default="upload_file", nullable=False),
        sa.Column("fingerprint", sa.String(length=64), nullable=False),
        sa.Column("status", sa.String(length=16), server_default="indexing", nullable=False),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("enabled", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("word_count", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("segment_count", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("metadata", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("created_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
    )
    op.create_index("documents_by_dataset", "documents", ["dataset_id", "name"])
    op.create_index(
        "documents_completed", "documents", ["dataset_id", "name"], unique=True, postgresql_where=sa.text("status = 'completed'")
    )
    op.create_table(
        "segments",
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("dataset_id", sa.Uuid(), nullable=False),
        sa.Column("document_id", sa.Uuid(), sa.ForeignKey("documents.id", ondelete="CASCADE"), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("page", sa.Integer(), nullable=True),
        sa.Column("title", sa.Text(), nullable=True),
        sa.Column("word_count", sa.Integer(), nullable=False),
        sa.Column("hit_count", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("index_node_hash", sa.String(length=64), nullable=False),
        sa.Column("words", postgresql.TSVECTOR(), nullable=False),
        postgresql_with={"fillfactor": 90},
    )
    op.create_index("segments_by_document", "segments", ["document_id", "position"])
    op.create_index("segments_by_dataset", "segments", ["dataset_id"])
    op.create_index("segments_words", "segments", ["words"], postgresql_using="gin")
    op.create_table(
        "dataset_bindings",
        sa.Column("app_id", sa.Uuid(), sa.ForeignKey("apps.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("file_dataset_id", sa.String(length=512), primary_key=True),
        sa.Column("dataset_id", sa.Uuid(), sa.ForeignKey("datasets.id", ondelete="CASCADE"), nullable=False),
    )
    op.create_index("dataset_bindings_dataset_id_idx", "dataset_bindings", ["dataset_id"])


def downgrade():
    names = "SELECT tablename FROM pg_tables WHERE schemaname = current_schema() AND tablename LIKE 'embeddings\\_%'"
    for name in op.get_bind().execute(sa.text(names)).scalars().all():
        op.execute(f'DROP TABLE "{name}"')
    for table in ("dataset_bindings", "segments", "documents", "datasets"):
        op.drop_table(table)
