"""The tables of delivery: messages, links, reminders, transports, and the audit trail that only grows.

Invariant: once released, a revision never changes; what comes later is a revision of its own.
"""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _messages()
    _links()
    _reminders()
    _transports()
    _audit()
    _let_the_audit_only_grow()


def _messages() -> None:
    op.create_table(
        "messages",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("clinic_id", sa.Integer(), nullable=False),
        sa.Column("patient_id", sa.Integer(), nullable=False),
        sa.Column("message_id", sa.Text(), nullable=False),
        sa.Column("class_name", sa.String(16), nullable=False),
        sa.Column("stage", sa.String(16), nullable=False),
        sa.Column("fingerprint", sa.String(64)),
        sa.Column("template_version", sa.String(64)),
        sa.Column("content", sa.LargeBinary()),
        sa.Column("address_key", sa.String(64)),
        sa.Column("rendered_at", sa.DateTime(timezone=True)),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["clinic_id", "patient_id"],
            ["patients.clinic_id", "patients.id"],
            name="fk_messages_clinic_id_patient_id_patients",
        ),
        sa.PrimaryKeyConstraint("id", name="pk_messages"),
        sa.UniqueConstraint("clinic_id", "patient_id", "id", name="uq_messages_clinic_id_patient_id_id"),
        sa.UniqueConstraint("message_id", name="uq_messages_message_id"),
    )
    op.create_index("ix_messages_patient", "messages", ["patient_id"])


def _links() -> None:
    op.create_table(
        "links",
        sa.Column("token_hash", sa.String(64), nullable=False),
        sa.Column("clinic_id", sa.Integer(), nullable=False),
        sa.Column("patient_id", sa.Integer(), nullable=False),
        sa.Column("message_pk", sa.Integer(), nullable=False),
        sa.Column("purpose", sa.String(16), nullable=False),
        sa.Column("class_name", sa.String(16), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["clinic_id", "patient_id", "message_pk"],
            ["messages.clinic_id", "messages.patient_id", "messages.id"],
            name="fk_links_clinic_id_patient_id_message_pk_messages",
        ),
        sa.ForeignKeyConstraint(
            ["clinic_id", "patient_id"],
            ["patients.clinic_id", "patients.id"],
            name="fk_links_clinic_id_patient_id_patients",
        ),
        sa.PrimaryKeyConstraint("token_hash", name="pk_links"),
    )
    op.create_index("ix_links_message", "links", ["message_pk"])
    op.create_index("ix_links_patient", "links", ["patient_id"])


def _reminders() -> None:
    op.create_table(
        "reminders",
        *_reminder_columns(),
        sa.ForeignKeyConstraint(
            ["clinic_id", "patient_id", "episode_id"],
            ["episodes.clinic_id", "episodes.patient_id", "episodes.id"],
            name="fk_reminders_clinic_id_patient_id_episode_id_episodes",
        ),
        sa.ForeignKeyConstraint(
            ["clinic_id", "patient_id", "message_pk"],
            ["messages.clinic_id", "messages.patient_id", "messages.id"],
            name="fk_reminders_clinic_id_patient_id_message_pk_messages",
        ),
        sa.ForeignKeyConstraint(
            ["clinic_id", "patient_id"],
            ["patients.clinic_id", "patients.id"],
            name="fk_reminders_clinic_id_patient_id_patients",
        ),
        sa.ForeignKeyConstraint(
            ["clinic_id", "treatment_id"],
            ["treatments.clinic_id", "treatments.id"],
            name="fk_reminders_clinic_id_treatment_id_treatments",
        ),
        sa.PrimaryKeyConstraint("id", name="pk_reminders"),
        sa.UniqueConstraint("clinic_id", "patient_id", "episode_id", "step", "copy", name="uq_reminders_identity"),
    )
    op.create_index("ix_reminders_due_at", "reminders", ["clinic_id", "due_at"])
    _partial_index(
        "ix_reminders_handed_over_at", "reminders", ["clinic_id", "handed_over_at"], "handed_over_at IS NOT NULL"
    )
    _partial_index("ix_reminders_held", "reminders", ["reason", "clinic_id"], "state = 'held'")
    _partial_index("ix_reminders_lease", "reminders", ["lease_until"], "lease_until IS NOT NULL")
    op.create_index("ix_reminders_message", "reminders", ["message_pk"])
    _partial_index("ix_reminders_not_after", "reminders", ["not_after"], "state IN ('held', 'planned')")
    op.create_index("ix_reminders_patient", "reminders", ["patient_id"])
    _partial_index("ix_reminders_planned", "reminders", ["clinic_id", "due_at"], "state = 'planned'")
    _partial_index("ix_reminders_sent_at", "reminders", ["clinic_id", "sent_at"], "sent_at IS NOT NULL")
    _partial_index("ix_reminders_wake", "reminders", ["clinic_id", "wake_at"], "state = 'planned'")


def _transports() -> None:
    op.create_table(
        "transports",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("faults", sa.Integer(), server_default="0", nullable=False),
        sa.Column("refused_in_a_row", sa.Integer(), server_default="0", nullable=False),
        sa.Column("open_until", sa.DateTime(timezone=True)),
        sa.Column("fault", sa.String(64)),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_transports"),
    )


def _audit() -> None:
    op.create_table(
        "audit",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("clinic_id", sa.Integer()),
        sa.Column("patient_id", sa.Integer()),
        sa.Column("actor", sa.String(64), nullable=False),
        sa.Column("action", sa.String(64), nullable=False),
        sa.Column("subject", sa.String(32), nullable=False),
        sa.Column("subject_id", sa.Integer()),
        sa.Column("details", sa.JSON()),
        sa.Column("mac", sa.String(64), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_audit"),
    )
    op.create_index("ix_audit_patient", "audit", ["patient_id"])
    op.create_index("ix_audit_subject", "audit", ["subject", "subject_id"])


def _reminder_columns() -> list[sa.Column[Any]]:
    return [
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("clinic_id", sa.Integer(), nullable=False),
        sa.Column("patient_id", sa.Integer(), nullable=False),
        sa.Column("episode_id", sa.Integer(), nullable=False),
        sa.Column("step", sa.String(16), nullable=False),
        sa.Column("copy", sa.Integer(), server_default="0", nullable=False),
        sa.Column("protocol", sa.String(63), nullable=False),
        sa.Column("class_name", sa.String(16), nullable=False),
        sa.Column("treatment_id", sa.Integer()),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("reason", sa.String(32)),
        sa.Column("opens", sa.Date(), nullable=False),
        sa.Column("due", sa.Date(), nullable=False),
        sa.Column("overdue", sa.Date(), nullable=False),
        sa.Column("closes", sa.Date(), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("not_after", sa.DateTime(timezone=True), nullable=False),
        sa.Column("next_attempt_at", sa.DateTime(timezone=True)),
        sa.Column("snoozed_until", sa.DateTime(timezone=True)),
        sa.Column("held_reason", sa.String(32)),
        sa.Column("wake_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("released_at", sa.DateTime(timezone=True)),
        sa.Column("waited", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("left_by_limit", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("refusals", sa.Integer(), server_default="0", nullable=False),
        sa.Column("rescues", sa.Integer(), server_default="0", nullable=False),
        sa.Column("epoch", sa.Integer(), server_default="0", nullable=False),
        sa.Column("worker", sa.String(64)),
        sa.Column("lease_until", sa.DateTime(timezone=True)),
        sa.Column("body_begun", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("message_pk", sa.Integer()),
        sa.Column("handed_over_at", sa.DateTime(timezone=True)),
        sa.Column("sent_at", sa.DateTime(timezone=True)),
        sa.Column("last_fault", sa.String(64)),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
    ]


def _partial_index(name: str, table: str, columns: list[str], where: str) -> None:
    op.create_index(name, table, columns, sqlite_where=sa.text(where), postgresql_where=sa.text(where))


def _let_the_audit_only_grow() -> None:
    """Refuse to change or delete an entry, whatever program tries; its chain of codes finds who removes this first."""
    if op.get_context().dialect.name == "sqlite":
        for verb in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER audit_no_{verb.lower()} BEFORE {verb} ON audit "
                "BEGIN SELECT RAISE(ABORT, 'the audit trail only grows'); END"
            )
        return
    op.execute(
        "CREATE FUNCTION audit_only_grows() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION 'the audit trail only grows'; END $$"
    )
    op.execute(
        "CREATE TRIGGER audit_only_grows BEFORE UPDATE OR DELETE OR TRUNCATE ON audit "
        "FOR EACH STATEMENT EXECUTE FUNCTION audit_only_grows()"
    )
