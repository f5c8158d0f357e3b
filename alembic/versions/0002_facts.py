"""The tables of what patients answered and of their visits: the facts from which reminders are planned.

Invariant: once released, a revision never changes; what comes later is a revision of its own.
"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _refusals()
    _wishes()
    _answers()
    _episodes()
    _treatments()
    _appointments()


def _refusals() -> None:
    op.create_table(
        "opt_outs",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("clinic_id", sa.Integer(), nullable=False),
        sa.Column("patient_id", sa.Integer(), nullable=False),
        sa.Column("scope", sa.String(16), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["clinic_id", "patient_id"],
            ["patients.clinic_id", "patients.id"],
            name="fk_opt_outs_clinic_id_patient_id_patients",
        ),
        sa.PrimaryKeyConstraint("id", name="pk_opt_outs"),
        sa.UniqueConstraint("clinic_id", "patient_id", "scope", name="uq_opt_outs_clinic_id_patient_id_scope"),
    )
    op.create_index("ix_opt_outs_patient", "opt_outs", ["patient_id"])
    op.create_table(
        "suppressions",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("clinic_id", sa.Integer(), nullable=False),
        sa.Column("address_key", sa.String(64), nullable=False),
        sa.Column("scope", sa.String(16), nullable=False),
        sa.Column("reason", sa.String(32), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["clinic_id"], ["clinics.id"], name="fk_suppressions_clinic_id_clinics"),
        sa.PrimaryKeyConstraint("id", name="pk_suppressions"),
        sa.UniqueConstraint(
            "clinic_id", "address_key", "scope", "reason", name="uq_suppressions_clinic_id_address_key_scope_reason"
        ),
    )


def _wishes() -> None:
    op.create_table(
        "own_intervals",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("clinic_id", sa.Integer(), nullable=False),
        sa.Column("patient_id", sa.Integer(), nullable=False),
        sa.Column("line", sa.String(127), nullable=False),
        sa.Column("due", sa.String(32), nullable=False),
        sa.ForeignKeyConstraint(
            ["clinic_id", "patient_id"],
            ["patients.clinic_id", "patients.id"],
            name="fk_own_intervals_clinic_id_patient_id_patients",
        ),
        sa.PrimaryKeyConstraint("id", name="pk_own_intervals"),
        sa.UniqueConstraint("clinic_id", "patient_id", "line", name="uq_own_intervals_clinic_id_patient_id_line"),
    )
    op.create_index("ix_own_intervals_patient", "own_intervals", ["patient_id"])
    op.create_table(
        "holds",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("clinic_id", sa.Integer(), nullable=False),
        sa.Column("patient_id", sa.Integer(), nullable=False),
        sa.Column("line", sa.String(127)),
        sa.Column("until", sa.Date()),
        sa.Column("code", sa.String(63), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True)),
        sa.ForeignKeyConstraint(
            ["clinic_id", "patient_id"],
            ["patients.clinic_id", "patients.id"],
            name="fk_holds_clinic_id_patient_id_patients",
        ),
        sa.PrimaryKeyConstraint("id", name="pk_holds"),
    )
    op.create_index("ix_holds_patient", "holds", ["patient_id"])


def _answers() -> None:
    op.create_table(
        "answers",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("clinic_id", sa.Integer(), nullable=False),
        sa.Column("patient_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True)),
        sa.ForeignKeyConstraint(
            ["clinic_id", "patient_id"],
            ["patients.clinic_id", "patients.id"],
            name="fk_answers_clinic_id_patient_id_patients",
        ),
        sa.PrimaryKeyConstraint("id", name="pk_answers"),
    )
    op.create_index("ix_answers_patient", "answers", ["patient_id"])


def _episodes() -> None:
    op.create_table(
        "episodes",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("clinic_id", sa.Integer(), nullable=False),
        sa.Column("patient_id", sa.Integer(), nullable=False),
        sa.Column("line", sa.String(127), nullable=False),
        sa.Column("first_day", sa.Date(), nullable=False),
        sa.Column("ordinal", sa.Integer(), nullable=False),
        sa.Column("continues_id", sa.Integer()),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["clinic_id", "patient_id", "continues_id"],
            ["episodes.clinic_id", "episodes.patient_id", "episodes.id"],
            name="fk_episodes_clinic_id_patient_id_continues_id_episodes",
        ),
        sa.ForeignKeyConstraint(
            ["clinic_id", "patient_id"],
            ["patients.clinic_id", "patients.id"],
            name="fk_episodes_clinic_id_patient_id_patients",
        ),
        sa.PrimaryKeyConstraint("id", name="pk_episodes"),
        sa.UniqueConstraint("clinic_id", "patient_id", "id", name="uq_episodes_clinic_id_patient_id_id"),
        sa.UniqueConstraint(
            "clinic_id",
            "patient_id",
            "line",
            "first_day",
            "ordinal",
            name="uq_episodes_clinic_id_patient_id_line_first_day_ordinal",
        ),
    )
    op.create_index("ix_episodes_patient", "episodes", ["patient_id"])


def _treatments() -> None:
    op.create_table(
        "treatments",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("clinic_id", sa.Integer(), nullable=False),
        sa.Column("patient_id", sa.Integer(), nullable=False),
        sa.Column("episode_id", sa.Integer()),
        sa.Column("protocol", sa.String(63), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("practitioner_id", sa.Integer()),
        sa.Column("ref", sa.Text()),
        sa.Column("entered_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("withdrawn_at", sa.DateTime(timezone=True)),
        sa.Column("replaced_by_id", sa.Integer()),
        sa.ForeignKeyConstraint(
            ["clinic_id", "patient_id", "episode_id"],
            ["episodes.clinic_id", "episodes.patient_id", "episodes.id"],
            name="fk_treatments_clinic_id_patient_id_episode_id_episodes",
        ),
        sa.ForeignKeyConstraint(
            ["clinic_id", "patient_id"],
            ["patients.clinic_id", "patients.id"],
            name="fk_treatments_clinic_id_patient_id_patients",
        ),
        sa.ForeignKeyConstraint(
            ["clinic_id", "practitioner_id"],
            ["practitioners.clinic_id", "practitioners.id"],
            name="fk_treatments_clinic_id_practitioner_id_practitioners",
        ),
        sa.ForeignKeyConstraint(
            ["clinic_id", "replaced_by_id"],
            ["treatments.clinic_id", "treatments.id"],
            name="fk_treatments_clinic_id_replaced_by_id_treatments",
        ),
        sa.PrimaryKeyConstraint("id", name="pk_treatments"),
        sa.UniqueConstraint("clinic_id", "id", name="uq_treatments_clinic_id_id"),
        sa.UniqueConstraint("clinic_id", "ref", name="uq_treatments_clinic_id_ref"),
    )
    op.create_index("ix_treatments_patient", "treatments", ["patient_id", "day"])


def _appointments() -> None:
    op.create_table(
        "appointments",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("clinic_id", sa.Integer(), nullable=False),
        sa.Column("patient_id", sa.Integer(), nullable=False),
        sa.Column("line", sa.String(127), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("outcome", sa.String(16)),
        sa.Column("noted_on", sa.Date()),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["clinic_id", "patient_id"],
            ["patients.clinic_id", "patients.id"],
            name="fk_appointments_clinic_id_patient_id_patients",
        ),
        sa.PrimaryKeyConstraint("id", name="pk_appointments"),
        sa.UniqueConstraint(
            "clinic_id", "patient_id", "line", "day", name="uq_appointments_clinic_id_patient_id_line_day"
        ),
    )
    op.create_index("ix_appointments_patient", "appointments", ["patient_id"])
