"""The tables. Personal data stands in two of them only, `patients` and `messages`; every other holds ids and codes.

Invariants kept by constraints, not by care: one reminder per (clinic, patient, episode, step, copy); one message per
Message-ID; every patient-bound row carries its clinic and refers to (clinic_id, id), so nothing crosses clinics.
"""

from sqlalchemy import (
    JSON,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from reminders.store.columns import Moment, metadata


def _patient_key() -> ForeignKeyConstraint:
    return ForeignKeyConstraint(["clinic_id", "patient_id"], ["patients.clinic_id", "patients.id"])


def _patient_columns() -> tuple[Column[int], Column[int]]:
    return Column("clinic_id", Integer, nullable=False), Column("patient_id", Integer, nullable=False)


installation = Table(
    "installation",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("installation_id", String(64), nullable=False),
    Column("wrapped_pepper", LargeBinary, nullable=False),
    Column("created_at", Moment, nullable=False),
    CheckConstraint("id = 1", name="only_one"),
)

clinics = Table(
    "clinics",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("slug", String(63), nullable=False, unique=True),
    Column("name", Text, nullable=False),
    Column("timezone", String(64), nullable=False),
    Column("email", String(320), nullable=False),
    Column("sender_name", Text),
    Column("reply_to", String(320)),
    Column("phone", Text),
    Column("booking_url", Text),
    Column("address", Text),
    Column("language", String(16), nullable=False),
    Column("jurisdiction", String(8)),
    Column("country", String(2)),
    Column("region", String(16)),
    Column("sending_days", String(32), nullable=False),
    Column("opens_at", Integer, nullable=False),
    Column("closes_at", Integer, nullable=False),
    Column("send_at", Integer),
    Column("daily_limit", Integer),
    Column("unknown_consent", String(32)),
    Column("paused_at", Moment),
    Column("created_at", Moment, nullable=False),
)

closed_days = Table(
    "closed_days",
    metadata,
    Column("clinic_id", ForeignKey("clinics.id"), primary_key=True),
    Column("day", Date, primary_key=True),
)

practitioners = Table(
    "practitioners",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("clinic_id", ForeignKey("clinics.id"), nullable=False),
    Column("name", Text, nullable=False),
    Column("left_on", Date),
    UniqueConstraint("clinic_id", "name"),
)

locations = Table(
    "locations",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("clinic_id", ForeignKey("clinics.id"), nullable=False),
    Column("name", Text, nullable=False),
    Column("address", Text),
    Column("phone", Text),
    Column("booking_url", Text),
    UniqueConstraint("clinic_id", "name"),
)

protocols = Table(
    "protocols",
    metadata,
    Column("code", String(63), primary_key=True),
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("definition", JSON, nullable=False),
    Column("effective_on", Date, nullable=False),
    Column("created_at", Moment, nullable=False),
)

patients = Table(
    "patients",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("clinic_id", ForeignKey("clinics.id"), nullable=False),
    Column("ref", Text, nullable=False),
    Column("given_name", Text),
    Column("family_name", Text),
    Column("known_as", Text),
    Column("email", Text),
    Column("phone", Text),
    Column("postal_address", Text),
    Column("language", String(16)),
    Column("birth_date", Date),
    Column("representative_email", Text),
    Column("consent", String(32), nullable=False),
    Column("status", String(16), nullable=False),
    Column("practitioner_id", ForeignKey("practitioners.id")),
    Column("location_id", ForeignKey("locations.id")),
    Column("address_key", String(64)),
    Column("notes", JSON),
    Column("erased_at", Moment),
    Column("replan_at", Moment),
    Column("created_at", Moment, nullable=False),
    UniqueConstraint("clinic_id", "ref"),
    UniqueConstraint("clinic_id", "id"),
    Index("ix_patients_replan_at", "replan_at", sqlite_where=text("replan_at IS NOT NULL")),
    Index("ix_patients_address_key", "clinic_id", "address_key"),
)

opt_outs = Table(
    "opt_outs",
    metadata,
    Column("id", Integer, primary_key=True),
    *_patient_columns(),
    Column("scope", String(16), nullable=False),
    Column("at", Moment, nullable=False),
    _patient_key(),
    UniqueConstraint("clinic_id", "patient_id", "scope"),
)

suppressions = Table(
    "suppressions",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("clinic_id", ForeignKey("clinics.id"), nullable=False),
    Column("address_key", String(64), nullable=False),
    Column("scope", String(16), nullable=False),
    Column("reason", String(32), nullable=False),
    Column("at", Moment, nullable=False),
    UniqueConstraint("clinic_id", "address_key", "scope", "reason"),
)

own_intervals = Table(
    "own_intervals",
    metadata,
    Column("id", Integer, primary_key=True),
    *_patient_columns(),
    Column("line", String(63), nullable=False),
    Column("due", String(32), nullable=False),
    _patient_key(),
    UniqueConstraint("clinic_id", "patient_id", "line"),
)

holds = Table(
    "holds",
    metadata,
    Column("id", Integer, primary_key=True),
    *_patient_columns(),
    Column("line", String(63)),
    Column("until", Date),
    Column("code", String(63), nullable=False),
    Column("at", Moment, nullable=False),
    Column("ended_at", Moment),
    _patient_key(),
    Index("ix_holds_patient", "patient_id"),
)

answers = Table(
    "answers",
    metadata,
    Column("id", Integer, primary_key=True),
    *_patient_columns(),
    Column("kind", String(32), nullable=False),
    Column("at", Moment, nullable=False),
    Column("closed_at", Moment),
    _patient_key(),
    Index("ix_answers_patient", "patient_id"),
)

episodes = Table(
    "episodes",
    metadata,
    Column("id", Integer, primary_key=True),
    *_patient_columns(),
    Column("line", String(63), nullable=False),
    Column("first_day", Date, nullable=False),
    Column("ordinal", Integer, nullable=False),
    Column("continues_id", ForeignKey("episodes.id")),
    Column("created_at", Moment, nullable=False),
    _patient_key(),
    UniqueConstraint("clinic_id", "patient_id", "line", "first_day", "ordinal"),
    UniqueConstraint("clinic_id", "patient_id", "id"),
)

treatments = Table(
    "treatments",
    metadata,
    Column("id", Integer, primary_key=True),
    *_patient_columns(),
    Column("episode_id", ForeignKey("episodes.id")),
    Column("protocol", String(63), nullable=False),
    Column("day", Date, nullable=False),
    Column("kind", String(16), nullable=False),
    Column("practitioner_id", ForeignKey("practitioners.id")),
    Column("ref", Text),
    Column("entered_at", Moment, nullable=False),
    Column("withdrawn_at", Moment),
    Column("replaced_by_id", ForeignKey("treatments.id")),
    _patient_key(),
    UniqueConstraint("clinic_id", "ref"),
    Index("ix_treatments_patient", "patient_id", "day"),
)

appointments = Table(
    "appointments",
    metadata,
    Column("id", Integer, primary_key=True),
    *_patient_columns(),
    Column("line", String(63), nullable=False),
    Column("day", Date, nullable=False),
    Column("outcome", String(16)),
    Column("created_at", Moment, nullable=False),
    _patient_key(),
    UniqueConstraint("clinic_id", "patient_id", "line", "day"),
)

messages = Table(
    "messages",
    metadata,
    Column("id", Integer, primary_key=True),
    *_patient_columns(),
    Column("message_id", Text, nullable=False, unique=True),
    Column("class_name", String(16), nullable=False),
    Column("stage", String(16), nullable=False),
    Column("fingerprint", String(64)),
    Column("template_version", String(64)),
    Column("content", LargeBinary),
    Column("address_key", String(64)),
    Column("rendered_at", Moment),
    Column("created_at", Moment, nullable=False),
    _patient_key(),
    Index("ix_messages_patient", "patient_id"),
)

links = Table(
    "links",
    metadata,
    Column("token_hash", String(64), primary_key=True),
    *_patient_columns(),
    Column("message_pk", ForeignKey("messages.id"), nullable=False),
    Column("purpose", String(16), nullable=False),
    Column("class_name", String(16), nullable=False),
    Column("created_at", Moment, nullable=False),
    _patient_key(),
)

reminders = Table(
    "reminders",
    metadata,
    Column("id", Integer, primary_key=True),
    *_patient_columns(),
    Column("episode_id", Integer, nullable=False),
    Column("step", String(16), nullable=False),
    Column("copy", Integer, nullable=False, server_default="0"),
    Column("protocol", String(63), nullable=False),
    Column("class_name", String(16), nullable=False),
    Column("treatment_id", ForeignKey("treatments.id")),
    Column("state", String(16), nullable=False),
    Column("reason", String(32)),
    Column("opens", Date, nullable=False),
    Column("due", Date, nullable=False),
    Column("overdue", Date, nullable=False),
    Column("closes", Date, nullable=False),
    Column("due_at", Moment, nullable=False),
    Column("not_after", Moment, nullable=False),
    Column("next_attempt_at", Moment),
    Column("snoozed_until", Moment),
    Column("wake_at", Moment, nullable=False),
    Column("released_at", Moment),
    Column("waited", Boolean, nullable=False, server_default=text("0")),
    Column("left_by_limit", Boolean, nullable=False, server_default=text("0")),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("refusals", Integer, nullable=False, server_default="0"),
    Column("rescues", Integer, nullable=False, server_default="0"),
    Column("epoch", Integer, nullable=False, server_default="0"),
    Column("worker", String(64)),
    Column("lease_until", Moment),
    Column("body_begun", Boolean, nullable=False, server_default=text("0")),
    Column("message_pk", ForeignKey("messages.id")),
    Column("handed_over_at", Moment),
    Column("sent_at", Moment),
    Column("last_fault", String(64)),
    Column("created_at", Moment, nullable=False),
    Column("updated_at", Moment, nullable=False),
    _patient_key(),
    ForeignKeyConstraint(
        ["clinic_id", "patient_id", "episode_id"], ["episodes.clinic_id", "episodes.patient_id", "episodes.id"]
    ),
    UniqueConstraint("clinic_id", "patient_id", "episode_id", "step", "copy", name="uq_reminders_identity"),
    Index("ix_reminders_patient", "patient_id"),
    Index("ix_reminders_due_at", "clinic_id", "due_at"),
    Index(
        "ix_reminders_wake",
        "clinic_id",
        "wake_at",
        sqlite_where=text("state = 'planned'"),
        postgresql_where=text("state = 'planned'"),
    ),
    Index(
        "ix_reminders_not_after",
        "not_after",
        sqlite_where=text("state IN ('planned', 'held')"),
        postgresql_where=text("state IN ('planned', 'held')"),
    ),
    Index(
        "ix_reminders_lease",
        "lease_until",
        sqlite_where=text("state IN ('claimed', 'handed_over')"),
        postgresql_where=text("state IN ('claimed', 'handed_over')"),
    ),
    Index(
        "ix_reminders_sent_at",
        "clinic_id",
        "sent_at",
        sqlite_where=text("sent_at IS NOT NULL"),
        postgresql_where=text("sent_at IS NOT NULL"),
    ),
    Index("ix_reminders_message", "message_pk"),
)

transports = Table(
    "transports",
    metadata,
    Column("name", Text, primary_key=True),
    Column("faults", Integer, nullable=False, server_default="0"),
    Column("refused_in_a_row", Integer, nullable=False, server_default="0"),
    Column("open_until", Moment),
    Column("fault", String(64)),
    Column("changed_at", Moment, nullable=False),
)

audit = Table(
    "audit",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("at", Moment, nullable=False),
    Column("clinic_id", Integer),
    Column("patient_id", Integer),
    Column("actor", String(64), nullable=False),
    Column("action", String(64), nullable=False),
    Column("subject", String(32), nullable=False),
    Column("subject_id", Integer),
    Column("details", JSON),
    Column("mac", String(64), nullable=False),
    Index("ix_audit_patient", "patient_id"),
    Index("ix_audit_subject", "subject", "subject_id"),
)
