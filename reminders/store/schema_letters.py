"""The tables behind the letters: what clinics made their own, answers, and how mail is kept, signed and leaves.

Invariant: none of them holds personal data; a patient's own words stand in the patient's row. Secrets are sealed.
"""

from sqlalchemy import (
    JSON,
    Column,
    Date,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    Text,
    UniqueConstraint,
)

from reminders.store.columns import Moment, metadata
from reminders.store.schema_facts import partial, patient_columns, patient_key

answers = Table(
    "answers",
    metadata,
    Column("id", Integer, primary_key=True),
    *patient_columns(),
    Column("kind", String(32), nullable=False),
    Column("at", Moment, nullable=False),
    Column("closed_at", Moment),
    Column("withdrawn_at", Moment),
    Column("announced_at", Moment),
    Column("message_pk", Integer),
    Column("lines", JSON(none_as_null=True)),
    Column("day", Date),
    Column("practitioner_id", Integer),
    Column("contact_by", String(16)),
    Column("contact_when", String(16)),
    patient_key(),
    Index("ix_answers_patient", "patient_id"),
    partial("ix_answers_open", "closed_at IS NULL AND withdrawn_at IS NULL", "clinic_id", "at"),
    partial("ix_answers_unannounced", "announced_at IS NULL", "clinic_id"),
    Index("ix_answers_message", "message_pk"),
)

logos = Table(
    "logos",
    metadata,
    Column("clinic_id", ForeignKey("clinics.id"), primary_key=True),
    Column("digest", String(64), nullable=False),
    Column("media_type", String(32), nullable=False),
    Column("width", Integer, nullable=False),
    Column("height", Integer, nullable=False),
    Column("content", LargeBinary, nullable=False),
    Column("created_at", Moment, nullable=False),
)

templates = Table(
    "templates",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("clinic_id", ForeignKey("clinics.id"), nullable=False),
    Column("class_name", String(16), nullable=False),
    Column("stage", String(16), nullable=False),
    Column("protocol", String(63), nullable=False),
    Column("language", String(16), nullable=False),
    Column("version", Integer, nullable=False),
    Column("source", Text, nullable=False),
    Column("check_version", String(64), nullable=False),
    Column("actor", String(64), nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("withdrawn_at", Moment),
    UniqueConstraint(
        "clinic_id", "class_name", "stage", "protocol", "language", "version", name="uq_templates_identity"
    ),
    UniqueConstraint("clinic_id", "id"),
)

patterns = Table(
    "patterns",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("digest", String(64), nullable=False, unique=True),
    Column("content", LargeBinary, nullable=False),
    Column("created_at", Moment, nullable=False),
)

dkim_keys = Table(
    "dkim_keys",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("domain", String(255), nullable=False),
    Column("selector", String(63), nullable=False),
    Column("sealed_key", LargeBinary, nullable=False),
    Column("public_key", Text, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("active_at", Moment),
    Column("retired_at", Moment),
    UniqueConstraint("domain", "selector"),
)

clinic_transports = Table(
    "clinic_transports",
    metadata,
    Column("clinic_id", ForeignKey("clinics.id"), primary_key=True),
    Column("sealed", LargeBinary, nullable=False),
    Column("set_at", Moment, nullable=False),
)
