"""Apps, end users, conversations, tasks

Revision ID: 0001
Revises:
Create Date: 2026-11-23 18:58:01.186638

"""
from alembic import op
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

# revision identifiers, used by Alembic.
revision = '0001'
down_revision = None
branch_labels = None
depends_on = None


def upgrade():
    op.create_table('apps',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('code', sa.String(length=64), nullable=False),
    sa.Column('mode', sa.String(length=32), nullable=False),
    sa.Column('name', sa.String(length=255), nullable=False),
    sa.Column('enabled', sa.Boolean(), server_default=sa.text('true'), nullable=False),
    sa.Column('access_mode', sa.String(length=32), server_default='public', nullable=False),
    sa.Column('version_id', sa.Uuid(), nullable=False),
    sa.Column('created_at', postgresql.TIMESTAMP(timezone=True), nullable=False),
    sa.Column('updated_at', postgresql.TIMESTAMP(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('apps_pkey')),
    sa.UniqueConstraint('code', name=op.f('apps_code_key'))
    )
    op.create_table('app_versions',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('app_id', sa.Uuid(), nullable=False),
    sa.Column('definition', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.Column('created_at', postgresql.TIMESTAMP(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['app_id'], ['apps.id'], name=op.f('app_versions_app_id_fkey'), ondelete='CASCADE', initially='DEFERRED', deferrable=True),
    sa.PrimaryKeyConstraint('id', name=op.f('app_versions_pkey'))
    )
    with op.batch_alter_table('app_versions', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('app_versions_app_id_idx'), ['app_id'], unique=False)

    op.create_table('end_users',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('app_id', sa.Uuid(), nullable=False),
    sa.Column('kind', sa.String(length=16), server_default='visitor', nullable=False),
    sa.Column('session_id', sa.String(length=255), nullable=False),
    sa.Column('created_at', postgresql.TIMESTAMP(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['app_id'], ['apps.id'], name=op.f('end_users_app_id_fkey'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('end_users_pkey')),
    sa.UniqueConstraint('app_id', 'kind', 'session_id', name='end_users_session_key')
    )
    op.create_table('conversations',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('app_id', sa.Uuid(), nullable=False),
    sa.Column('end_user_id', sa.Uuid(), nullable=False),
    sa.Column('app_version_id', sa.Uuid(), nullable=False),
    sa.Column('mode', sa.String(length=32), nullable=False),
    sa.Column('name', sa.String(length=255), nullable=False),
    sa.Column('status', sa.String(length=16), server_default='normal', nullable=False),
    sa.Column('inputs', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.Column('introduction', sa.Text(), nullable=True),
    sa.Column('pinned', sa.Boolean(), server_default=sa.text('false'), nullable=False),
    sa.Column('created_at', postgresql.TIMESTAMP(timezone=True), nullable=False),
    sa.Column('updated_at', postgresql.TIMESTAMP(timezone=True), nullable=False),
    sa.Column('deleted_at', postgresql.TIMESTAMP(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['end_user_id'], ['end_users.id'], name=op.f('conversations_end_user_id_fkey'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('conversations_pkey'))
    )
    with op.batch_alter_table('conversations', schema=None) as batch_op:
        batch_op.create_index('conversations_by_creation', ['end_user_id', 'created_at', 'id'], unique=False, postgresql_where=sa.text('deleted_at IS NULL'))
        batch_op.create_index('conversations_by_update', ['end_user_id', 'updated_at', 'id'], unique=False)
        batch_op.create_index('conversations_deleted', ['deleted_at'], unique=False, postgresql_where=sa.text('deleted_at IS NOT NULL'))
        batch_op.create_index('conversations_pinned', ['end_user_id', 'updated_at', 'id'], unique=False, postgresql_where=sa.text('deleted_at IS NULL AND pinned'))

    op.create_table('messages',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('app_id', sa.Uuid(), nullable=False),
    sa.Column('end_user_id', sa.Uuid(), nullable=False),
    sa.Column('conversation_id', sa.Uuid(), nullable=False),
    sa.Column('parent_message_id', sa.Uuid(), nullable=True),
    sa.Column('previous_message_id', sa.Uuid(), nullable=True),
    sa.Column('task_id', sa.Uuid(), nullable=False),
    sa.Column('query', sa.Text(), nullable=False),
    sa.Column('inputs', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.Column('answer', sa.Text(), server_default='', nullable=False),
    sa.Column('status', sa.String(length=16), server_default='normal', nullable=False),
    sa.Column('error', sa.Text(), nullable=True),
    sa.Column('metadata', postgresql.JSONB(astext_type=sa.Text()), nullable=True),
    sa.Column('prompt_tokens', sa.Integer(), server_default=sa.text('0'), nullable=False),
    sa.Column('answer_tokens', sa.Integer(), server_default=sa.text('0'), nullable=False),
    sa.Column('latency', sa.Float(), server_default=sa.text('0'), nullable=False),
    sa.Column('created_at', postgresql.TIMESTAMP(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['conversation_id'], ['conversations.id'], name=op.f('messages_conversation_id_fkey'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('messages_pkey'))
    )
    with op.batch_alter_table('messages', schema=None) as batch_op:
        batch_op.create_index('messages_by_creation', ['conversation_id', 'created_at', 'id'], unique=False)

    op.create_table('tasks',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('app_id', sa.Uuid(), nullable=False),
    sa.Column('end_user_id', sa.Uuid(), nullable=False),
    sa.Column('app_version_id', sa.Uuid(), nullable=False),
    sa.Column('mode', sa.String(length=32), nullable=False),
    sa.Column('conversation_id', sa.Uuid(), nullable=True),
    sa.Column('message_id', sa.Uuid(), nullable=True),
    sa.Column('status', sa.String(length=32), server_default='running', nullable=False),
    sa.Column('epoch', sa.Integer(), server_default=sa.text('0'), nullable=False),
    sa.Column('last_event', sa.Integer(), server_default=sa.text('0'), nullable=False),
    sa.Column('failure', postgresql.JSONB(astext_type=sa.Text()), nullable=True),
    sa.Column('created_at', postgresql.TIMESTAMP(timezone=True), nullable=False),
    sa.Column('finished_at', postgresql.TIMESTAMP(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['message_id'], ['messages.id'], name=op.f('tasks_message_id_fkey'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('tasks_pkey'))
    )
    with op.batch_alter_table('tasks', schema=None) as batch_op:
        batch_op.create_index('tasks_message', ['message_id'], unique=True)
        batch_op.create_index('tasks_running', ['created_at'], unique=False, postgresql_where=sa.text("status = 'running'"))



def downgrade():
    with op.batch_alter_table('tasks', schema=None) as batch_op:
        batch_op.drop_index('tasks_running', postgresql_where=sa.text("status = 'running'"))
        batch_op.drop_index('tasks_message')

    op.drop_table('tasks')
    with op.batch_alter_table('messages', schema=None) as batch_op:
        batch_op.drop_index('messages_by_creation')

    op.drop_table('messages')
    with op.batch_alter_table('conversations', schema=None) as batch_op:
        batch_op.drop_index('conversations_pinned', postgresql_where=sa.text('deleted_at IS NULL AND pinned'))
        batch_op.drop_index('conversations_deleted', postgresql_where=sa.text('deleted_at IS NOT NULL'))
        batch_op.drop_index('conversations_by_update')
        batch_op.drop_index('conversations_by_creation', postgresql_where=sa.text('deleted_at IS NULL'))

    op.drop_table('conversations')
    op.drop_table('end_users')
    with op.batch_alter_table('app_versions', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('app_versions_app_id_idx'))

    op.drop_table('app_versions')
    op.drop_table('apps')
