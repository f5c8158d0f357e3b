"""The tables of clinics and their patients.

Invariant: once released, a revision never changes; what comes later is a revision of its own.
"""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    _installation()
    _clinics()
    _people_and_places()
    _protocols()
    _patients()


def _installation() -> None:
    op.create_table(
        "installation",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("installation_id", sa.String(64), nullable=False),
        sa.Column("wrapped_pepper", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("id = 1", name=op.f("ck_installation_only_one")),
        sa.PrimaryKeyConstraint("id", name="pk_installation"),
    )


def _clinics() -> None:
    op.create_table(
        "clinics",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("slug", sa.String(63), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("timezone", sa.String(64), nullable=False),
        sa.Column("email", sa.String(320), nullable=False),
        sa.Column("sender_name", sa.Text()),
        sa.Column("reply_to", sa.String(320)),
        sa.Column("phone", sa.Text()),
        sa.Column("booking_url", sa.Text()),
        sa.Column("address", sa.Text()),
        sa.Column("language", sa.String(16), nullable=False),
        sa.Column("jurisdiction", sa.String(8)),
        sa.Column("country", sa.String(2)),
        sa.Column("region", sa.String(16)),
        sa.Column("sending_days", sa.String(32), nullable=False),
        sa.Column("opens_at", sa.Integer(), nullable=False),
        sa.Column("closes_at", sa.Integer(), nullable=False),
        sa.Column("send_at", sa.Integer()),
        sa.Column("daily_limit", sa.Integer()),
        sa.Column("unknown_consent", sa.String(32)),
        sa.Column("paused_at", sa.DateTime(timezone=True)),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_clinics"),
        sa.UniqueConstraint("slug", name="uq_clinics_slug"),
    )
    op.create_table(
        "closed_days",
        sa.Column("clinic_id", sa.Integer(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.ForeignKeyConstraint(["clinic_id"], ["clinics.id"], name="fk_closed_days_clinic_id_clinics"),
        sa.PrimaryKeyConstraint("clinic_id", "day", name="pk_closed_days"),
    )


def _people_and_places() -> None:
    op.create_table(
        "practitioners",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("clinic_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("left_on", sa.Date()),
        sa.ForeignKeyConstraint(["clinic_id"], ["clinics.id"], name="fk_practitioners_clinic_id_clinics"),
        sa.PrimaryKeyConstraint("id", name="pk_practitioners"),
        sa.UniqueConstraint("clinic_id", "id", name="uq_practitioners_clinic_id_id"),
        sa.UniqueConstraint("clinic_id", "name", name="uq_practitioners_clinic_id_name"),
    )
    op.create_table(
        "locations",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("clinic_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("address", sa.Text()),
        sa.Column("phone", sa.Text()),
        sa.Column("booking_url", sa.Text()),
        sa.ForeignKeyConstraint(["clinic_id"], ["clinics.id"], name="fk_locations_clinic_id_clinics"),
        sa.PrimaryKeyConstraint("id", name="pk_locations"),
        sa.UniqueConstraint("clinic_id", "id", name="uq_locations_clinic_id_id"),
        sa.UniqueConstraint("clinic_id", "name", name="uq_locations_clinic_id_name"),
    )


def _protocols() -> None:
    op.create_table(
        "protocols",
        sa.Column("code", sa.String(63), nullable=False),
        sa.Column("version", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("definition", sa.JSON(), nullable=False),
        sa.Column("effective_on", sa.Date(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("code", "version", name="pk_protocols"),
    )


def _patients() -> None:
    op.create_table(
        "patients",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("clinic_id", sa.Integer(), nullable=False),
        sa.Column("ref", sa.Text(), nullable=False),
        sa.Column("given_name", sa.Text()),
        sa.Column("family_name", sa.Text()),
        sa.Column("known_as", sa.Text()),
        sa.Column("email", sa.Text()),
        sa.Column("phone", sa.Text()),
        sa.Column("postal_address", sa.Text()),
        sa.Column("language", sa.String(16)),
        sa.Column("birth_date", sa.Date()),
        sa.Column("representative_email", sa.Text()),
        sa.Column("consent", sa.String(32), nullable=False),
        sa.Column("status", sa.String(16), nullable=False),
        sa.Column("practitioner_id", sa.Integer()),
        sa.Column("location_id", sa.Integer()),
        sa.Column("address_key", sa.String(64)),
        sa.Column("notes", sa.JSON()),
        sa.Column("erased_at", sa.DateTime(timezone=True)),
        sa.Column("replan_at", sa.DateTime(timezone=True)),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["clinic_id", "location_id"],
            ["locations.clinic_id", "locations.id"],
            name="fk_patients_clinic_id_location_id_locations",
        ),
        sa.ForeignKeyConstraint(
            ["clinic_id", "practitioner_id"],
            ["practitioners.clinic_id", "practitioners.id"],
            name="fk_patients_clinic_id_practitioner_id_practitioners",
        ),
        sa.ForeignKeyConstraint(["clinic_id"], ["clinics.id"], name="fk_patients_clinic_id_clinics"),
        sa.PrimaryKeyConstraint("id", name="pk_patients"),
        sa.UniqueConstraint("clinic_id", "id", name="uq_patients_clinic_id_id"),
        sa.UniqueConstraint("clinic_id", "ref", name="uq_patients_clinic_id_ref"),
    )
    op.create_index("ix_patients_address_key", "patients", ["clinic_id", "address_key"])
    _partial_index("ix_patients_replan_at", "patients", ["replan_at"], "replan_at IS NOT NULL")


def _partial_index(name: str, table: str, columns: list[str], where: str) -> None:
    op.create_index(name, table, columns, sqlite_where=sa.text(where), postgresql_where=sa.text(where))
