"""How mail leaves, by clinic: transports of their own, sealed; and how much of its rate each transport has left.

Invariant: an installation that was made before sends as it did, all clinics over the transport of its settings.
"""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("transports", sa.Column("level", sa.Float()))
    op.add_column("transports", sa.Column("level_at", sa.DateTime(timezone=True)))
    op.create_table(
        "clinic_transports",
        sa.Column("clinic_id", sa.Integer(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("set_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("clinic_id", name="pk_clinic_transports"),
        sa.ForeignKeyConstraint(["clinic_id"], ["clinics.id"], name="fk_clinic_transports_clinic_id_clinics"),
    )
