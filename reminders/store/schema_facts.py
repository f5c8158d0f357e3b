"""The tables of the facts: clinics, patients, and everything about them that decides what is sent.

Invariant kept by constraints, not by care: every patient-bound row carries its clinic and refers to (clinic_id, id), so
nothing crosses clinics. Of these tables only `patients` holds personal data.
"""

from sqlalchemy import (
    JSON,
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


def patient_key() -> ForeignKeyConstraint:
    """Return the reference of a patient-bound row to its patient, within the clinic."""
    return ForeignKeyConstraint(["clinic_id", "patient_id"], ["patients.clinic_id", "patients.id"])


def patient_columns() -> tuple[Column[int], Column[int]]:
    """Return the two columns that bind a row to a patient of a clinic."""
    return Column("clinic_id", Integer, nullable=False), Column("patient_id", Integer, nullable=False)


def within_clinic(column: str, table: str) -> ForeignKeyConstraint:
    """Return a reference that cannot leave the clinic."""
    return ForeignKeyConstraint(["clinic_id", column], [f"{table}.clinic_id", f"{table}.id"])


def within_patient(column: str, table: str) -> ForeignKeyConstraint:
    """Return a reference that cannot leave the patient."""
    local, remote = ["clinic_id", "patient_id", column], ["clinic_id", "patient_id", "id"]
    return ForeignKeyConstraint(local, [f"{table}.{name}" for name in remote])


def partial(name: str, condition: str, *columns: str) -> Index:
    """Return an index of the rows that fit a condition, on both databases."""
    return Index(name, *columns, sqlite_where=text(condition), postgresql_where=text(condition))


installation = Table(
    "installation",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("installation_id", String(64), nullable=False),
    Column("wrapped_pepper", LargeBinary, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("home", String(128)),
    Column("seen_at", Moment),
    Column("seen_boot", String(64)),
    Column("locked_at", Moment),
    Column("locked_because", String(32)),
    Column("doubtful_before", Moment),
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
    Column("colour", String(7)),
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
    UniqueConstraint("clinic_id", "id"),
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
    UniqueConstraint("clinic_id", "id"),
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
    Column("practitioner_id", Integer),
    Column("location_id", Integer),
    Column("address_key", String(64)),
    Column("notes", JSON(none_as_null=True)),
    Column("erased_at", Moment),
    Column("replan_at", Moment),
    Column("created_at", Moment, nullable=False),
    UniqueConstraint("clinic_id", "ref"),
    UniqueConstraint("clinic_id", "id"),
    within_clinic("practitioner_id", "practitioners"),
    within_clinic("location_id", "locations"),
    partial("ix_patients_replan_at", "replan_at IS NOT NULL", "replan_at"),
    Index("ix_patients_address_key", "clinic_id", "address_key"),
)

opt_outs = Table(
    "opt_outs",
    metadata,
    Column("id", Integer, primary_key=True),
    *patient_columns(),
    Column("scope", String(16), nullable=False),
    Column("at", Moment, nullable=False),
    patient_key(),
    UniqueConstraint("clinic_id", "patient_id", "scope"),
    Index("ix_opt_outs_patient", "patient_id"),
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
    *patient_columns(),
    Column("line", String(127), nullable=False),
    Column("due", String(32), nullable=False),
    patient_key(),
    UniqueConstraint("clinic_id", "patient_id", "line"),
    Index("ix_own_intervals_patient", "patient_id"),
)

holds = Table(
    "holds",
    metadata,
    Column("id", Integer, primary_key=True),
    *patient_columns(),
    Column("line", String(127)),
    Column("until", Date),
    Column("code", String(63), nullable=False),
    Column("at", Moment, nullable=False),
    Column("ended_at", Moment),
    patient_key(),
    Index("ix_holds_patient", "patient_id"),
)

episodes = Table(
    "episodes",
    metadata,
    Column("id", Integer, primary_key=True),
    *patient_columns(),
    Column("line", String(127), nullable=False),
    Column("first_day", Date, nullable=False),
    Column("ordinal", Integer, nullable=False),
    Column("continues_id", Integer),
    Column("created_at", Moment, nullable=False),
    patient_key(),
    UniqueConstraint("clinic_id", "patient_id", "line", "first_day", "ordinal"),
    UniqueConstraint("clinic_id", "patient_id", "id"),
    within_patient("continues_id", "episodes"),
    Index("ix_episodes_patient", "patient_id"),
)

treatments = Table(
    "treatments",
    metadata,
    Column("id", Integer, primary_key=True),
    *patient_columns(),
    Column("episode_id", Integer),
    Column("protocol", String(63), nullable=False),
    Column("day", Date, nullable=False),
    Column("kind", String(16), nullable=False),
    Column("practitioner_id", Integer),
    Column("ref", Text),
    Column("entered_at", Moment, nullable=False),
    Column("withdrawn_at", Moment),
    Column("replaced_by_id", Integer),
    patient_key(),
    UniqueConstraint("clinic_id", "ref"),
    UniqueConstraint("clinic_id", "id"),
    within_patient("episode_id", "episodes"),
    within_clinic("practitioner_id", "practitioners"),
    within_clinic("replaced_by_id", "treatments"),
    Index("ix_treatments_patient", "patient_id", "day"),
)

appointments = Table(
    "appointments",
    metadata,
    Column("id", Integer, primary_key=True),
    *patient_columns(),
    Column("line", String(127), nullable=False),
    Column("day", Date, nullable=False),
    Column("outcome", String(16)),
    Column("noted_on", Date),
    Column("created_at", Moment, nullable=False),
    patient_key(),
    UniqueConstraint("clinic_id", "patient_id", "line", "day"),
    Index("ix_appointments_patient", "patient_id"),
)
