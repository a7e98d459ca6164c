"""Whom a model call was for, what it cost, what is held for it; questions; what was overheard."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_KEPT = (
    "number, session, person, model, spent_at, "
    "input_tokens, output_tokens, cache_read_tokens, cache_write_tokens"
)


def upgrade() -> None:
    _usage()
    op.create_table(
        "holds",
        sa.Column("id", sa.String(), primary_key=True),
        sa.Column("person", sa.String()),
        sa.Column("place", sa.String()),
        sa.Column("tokens", _NUMBER, nullable=False),
        sa.Column("micros", _NUMBER, nullable=False),
        sa.Column("expires_at", sa.Double(), nullable=False),
    )
    op.create_table(
        "overheard",
        sa.Column("number", _NUMBER, primary_key=True, nullable=False),
        sa.Column("account", sa.String(), nullable=False),
        sa.Column("message_id", sa.String(), nullable=False),
        sa.Column("place", sa.String(), nullable=False),
        sa.Column("speaker", sa.String(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("said_at", sa.Double(), nullable=False),
        sa.UniqueConstraint("account", "message_id", name="overheard_message"),
    )
    op.create_index("overheard_place", "overheard", ["place", "number"])
    op.create_table(
        "approvals",
        sa.Column("id", sa.String(), primary_key=True),
        sa.Column("turn", sa.String(), nullable=False),
        sa.Column("call_id", sa.String(), nullable=False),
        sa.Column("tool", sa.String(), nullable=False),
        sa.Column("fingerprint", sa.String(), nullable=False),
        sa.Column("person", sa.String()),
        sa.Column("session_key", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("asked_at", sa.Double(), nullable=False),
        sa.Column("expires_at", sa.Double(), nullable=False),
    )


def _usage() -> None:
    """Make the ledger anew, with all that it has: SQLite adds no columns in the right place."""
    op.drop_index("usage_person", "usage")
    op.drop_index("usage_session", "usage")
    op.rename_table("usage", "usage_before")
    op.create_table(
        "usage",
        sa.Column("number", _NUMBER, primary_key=True, nullable=False),
        sa.Column("session", sa.String(), nullable=False),
        sa.Column("agent", sa.String(), nullable=False),
        sa.Column("person", sa.String()),
        sa.Column("place", sa.String()),
        sa.Column("model", sa.String(), nullable=False),
        sa.Column("spent_at", sa.Double(), nullable=False),
        sa.Column("input_tokens", _NUMBER, nullable=False),
        sa.Column("output_tokens", _NUMBER, nullable=False),
        sa.Column("cache_read_tokens", _NUMBER, nullable=False),
        sa.Column("cache_write_tokens", _NUMBER, nullable=False),
        sa.Column("micros", _NUMBER, nullable=False),
    )
    agent = "COALESCE((SELECT agent FROM sessions WHERE sessions.id = usage_before.session), '')"
    op.execute(
        f"INSERT INTO usage ({_KEPT}, agent, micros) SELECT {_KEPT}, {agent}, 0 FROM usage_before"  # noqa: S608 - constants of this file
    )
    op.drop_table("usage_before")
    op.create_index("usage_person", "usage", ["person", "spent_at"])
    op.create_index("usage_place", "usage", ["place", "spent_at"])
    op.create_index("usage_session", "usage", ["session", "spent_at"])
    op.create_index("usage_spent", "usage", ["spent_at"])
