"""What keeps messages compactly: the patterns of their forms, and by which of them a message was packed.

Invariant: messages that were kept before stay as they are, and are read as they are.
"""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "patterns",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_patterns"),
        sa.UniqueConstraint("digest", name="uq_patterns_digest"),
    )
    op.add_column("messages", sa.Column("packed", sa.Boolean(), nullable=False, server_default=sa.false()))
    # written out: the library knows no constraint on a column that is added to a table of SQLite
    op.execute(
        "ALTER TABLE messages ADD COLUMN pattern_id INTEGER"
        " CONSTRAINT fk_messages_pattern_id_patterns REFERENCES patterns (id)"
    )
