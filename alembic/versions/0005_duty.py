"""What the program needs to watch over itself: places of delivery, heartbeats, the lock on sending, the ramp.

Invariant: an installation that was made before is at home where it is opened next, and nothing is locked.
"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_SEEN = (
    "UPDATE installation SET seen_at = (SELECT max(known.at) FROM (SELECT created_at AS at FROM installation"
    " UNION ALL SELECT max(at) FROM audit UNION ALL SELECT max(sent_at) FROM reminders) AS known)"
)
"""Without it the first delivery after the upgrade would trust whatever the machine's clock says."""


def upgrade() -> None:
    op.add_column("installation", sa.Column("home", sa.String(128)))
    op.add_column("installation", sa.Column("seen_at", sa.DateTime(timezone=True)))
    op.add_column("installation", sa.Column("seen_boot", sa.String(64)))
    op.add_column("installation", sa.Column("locked_at", sa.DateTime(timezone=True)))
    op.add_column("installation", sa.Column("locked_because", sa.String(32)))
    op.add_column("installation", sa.Column("doubtful_before", sa.DateTime(timezone=True)))
    op.add_column("transports", sa.Column("ramp", sa.Integer()))
    op.execute(_SEEN)
    op.create_table(
        "places",
        sa.Column("id", sa.String(32), nullable=False),
        sa.Column("fences", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("first_seen", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_seen", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_places"),
    )
    op.create_table(
        "heartbeats",
        sa.Column("worker", sa.String(64), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ticked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("stopped_at", sa.DateTime(timezone=True)),
        sa.PrimaryKeyConstraint("worker", name="pk_heartbeats"),
    )
