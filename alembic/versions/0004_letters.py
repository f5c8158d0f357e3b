"""What a clinic's letters are made of, what patients answer, and the keys that sign: templates, logos, answers, DKIM.

Invariant: an answer that was stored before came from staff, and is announced to nobody.
"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("clinics", sa.Column("colour", sa.String(7)))
    op.add_column("messages", sa.Column("check_version", sa.String(64)))
    _answers()
    _logos()
    _templates()
    _dkim_keys()


def _answers() -> None:
    for column in (
        sa.Column("withdrawn_at", sa.DateTime(timezone=True)),
        sa.Column("announced_at", sa.DateTime(timezone=True)),
        sa.Column("message_pk", sa.Integer()),
        sa.Column("lines", sa.JSON()),
        sa.Column("day", sa.Date()),
        sa.Column("practitioner_id", sa.Integer()),
        sa.Column("contact_by", sa.String(16)),
        sa.Column("contact_when", sa.String(16)),
    ):
        op.add_column("answers", column)
    op.execute(sa.text("UPDATE answers SET announced_at = at"))
    op.create_index("ix_answers_message", "answers", ["message_pk"])
    _partial_index("ix_answers_open", ["clinic_id", "at"], "closed_at IS NULL AND withdrawn_at IS NULL")
    _partial_index("ix_answers_unannounced", ["clinic_id"], "announced_at IS NULL")


def _logos() -> None:
    op.create_table(
        "logos",
        sa.Column("clinic_id", sa.Integer(), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("media_type", sa.String(32), nullable=False),
        sa.Column("width", sa.Integer(), nullable=False),
        sa.Column("height", sa.Integer(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["clinic_id"], ["clinics.id"], name="fk_logos_clinic_id_clinics"),
        sa.PrimaryKeyConstraint("clinic_id", name="pk_logos"),
    )


def _templates() -> None:
    op.create_table(
        "templates",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("clinic_id", sa.Integer(), nullable=False),
        sa.Column("class_name", sa.String(16), nullable=False),
        sa.Column("stage", sa.String(16), nullable=False),
        sa.Column("protocol", sa.String(63), nullable=False),
        sa.Column("language", sa.String(16), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("check_version", sa.String(64), nullable=False),
        sa.Column("actor", sa.String(64), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("withdrawn_at", sa.DateTime(timezone=True)),
        sa.ForeignKeyConstraint(["clinic_id"], ["clinics.id"], name="fk_templates_clinic_id_clinics"),
        sa.PrimaryKeyConstraint("id", name="pk_templates"),
        sa.UniqueConstraint(
            "clinic_id", "class_name", "stage", "protocol", "language", "version", name="uq_templates_identity"
        ),
        sa.UniqueConstraint("clinic_id", "id", name="uq_templates_clinic_id_id"),
    )


def _dkim_keys() -> None:
    op.create_table(
        "dkim_keys",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("domain", sa.String(255), nullable=False),
        sa.Column("selector", sa.String(63), nullable=False),
        sa.Column("sealed_key", sa.LargeBinary(), nullable=False),
        sa.Column("public_key", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("active_at", sa.DateTime(timezone=True)),
        sa.Column("retired_at", sa.DateTime(timezone=True)),
        sa.PrimaryKeyConstraint("id", name="pk_dkim_keys"),
        sa.UniqueConstraint("domain", "selector", name="uq_dkim_keys_domain_selector"),
    )


def _partial_index(name: str, columns: list[str], where: str) -> None:
    op.create_index(name, "answers", columns, sqlite_where=sa.text(where), postgresql_where=sa.text(where))
