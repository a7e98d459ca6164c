"""The first schema."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    _people()
    _sessions()
    _inbox()
    _turns()
    _outbox()
    _ledgers()


def _string(name: str, *, is_key: bool = False, is_optional: bool = False) -> sa.Column[Any]:
    return sa.Column(name, sa.String(), primary_key=is_key, nullable=is_optional)


def _text(name: str, *, is_optional: bool = False) -> sa.Column[Any]:
    return sa.Column(name, sa.Text(), nullable=is_optional)


def _time(name: str, *, is_optional: bool = False) -> sa.Column[Any]:
    return sa.Column(name, sa.Double(), nullable=is_optional)


def _count(name: str, *, is_key: bool = False) -> sa.Column[Any]:
    return sa.Column(name, sa.Integer(), primary_key=is_key, nullable=False)


def _number(name: str, *, is_key: bool = False) -> sa.Column[Any]:
    return sa.Column(name, _NUMBER, primary_key=is_key, nullable=False)


def _index(name: str, columns: list[str], where: Any = None, *, is_unique: bool = False) -> None:
    table = name.partition("_")[0]
    op.create_index(
        name, table, columns, unique=is_unique, sqlite_where=where, postgresql_where=where
    )


def _people() -> None:
    op.create_table("people", _string("id", is_key=True), _string("role"), _time("created_at"))
    op.create_table(
        "identities",
        _string("platform", is_key=True),
        _string("external_user", is_key=True),
        _string("person"),
        _string("name"),
        _time("created_at"),
        sa.ForeignKeyConstraint(["person"], ["people.id"]),
    )
    _index("identities_person", ["person"])
    op.create_table(
        "pairings",
        _string("platform", is_key=True),
        _string("external_user", is_key=True),
        _string("name"),
        _text("address"),
        _string("code_hash"),
        _time("requested_at"),
        _time("expires_at"),
    )


def _sessions() -> None:
    op.create_table(
        "sessions",
        _string("id", is_key=True),
        _string("agent"),
        _string("key"),
        _string("person", is_optional=True),
        _string("title", is_optional=True),
        _string("model", is_optional=True),
        _text("prompt", is_optional=True),
        _time("created_at"),
        _time("last_active"),
        sa.Column("is_archived", sa.Boolean(), nullable=False),
        _count("last_seq"),
        _count("summary_seq"),
        _count("folded_upto"),
    )
    _index("sessions_key", ["key"])
    is_active = sa.column("is_archived", sa.Boolean()) == sa.false()
    _index("sessions_active", ["agent", "key"], is_active, is_unique=True)
    op.create_table(
        "entries",
        _string("session", is_key=True),
        _count("seq", is_key=True),
        _string("kind"),
        _string("turn", is_optional=True),
        _time("created_at"),
        _text("body"),
        _text("words"),
        sa.ForeignKeyConstraint(["session"], ["sessions.id"]),
    )
    _index("entries_turn", ["turn"])


def _inbox() -> None:
    op.create_table(
        "inbox",
        _number("number", is_key=True),
        _string("account"),
        _string("event_key"),
        _string("message_id"),
        _time("edited_at"),
        _string("state"),
        _string("reason", is_optional=True),
        _string("lane", is_optional=True),
        _string("session_key", is_optional=True),
        _string("agent", is_optional=True),
        _string("person", is_optional=True),
        _string("sender"),
        _string("album", is_optional=True),
        _time("kept_at"),
        _time("not_before"),
        _text("message", is_optional=True),
        sa.UniqueConstraint("account", "event_key", name="inbox_event"),
        sa.UniqueConstraint("account", "message_id", "edited_at", name="inbox_message"),
    )
    is_waiting = sa.text("state = 'waiting'")
    _index("inbox_waiting", ["lane", "number"], is_waiting)
    _index("inbox_senders", ["sender"], is_waiting)
    _index("inbox_session", ["session_key", "number"])


def _turns() -> None:
    op.create_table("lanes", _string("lane", is_key=True), _number("fence"))
    op.create_table(
        "turns",
        _string("id", is_key=True),
        _number("number"),
        _string("state"),
        _count("attempt"),
        _time("started_at"),
        _time("ended_at", is_optional=True),
        sa.UniqueConstraint("number", name="turns_number"),
        sa.ForeignKeyConstraint(["number"], ["inbox.number"]),
    )
    op.create_table(
        "steps",
        _string("turn", is_key=True),
        _string("call_id", is_key=True),
        _string("tool"),
        _time("started_at"),
        sa.ForeignKeyConstraint(["turn"], ["turns.id"]),
    )


def _outbox() -> None:
    op.create_table(
        "outbox",
        _string("id", is_key=True),
        _string("turn", is_optional=True),
        _text("address"),
        _count("position"),
        _string("kind"),
        _string("state"),
        _text("text"),
        _text("files"),
        _string("message_id", is_optional=True),
        _string("reason", is_optional=True),
        _time("created_at"),
        sa.ForeignKeyConstraint(["turn"], ["turns.id"]),
    )
    _index("outbox_turn", ["turn"])
    is_unsettled = sa.text("turn IS NULL AND (state = 'sending' OR state = 'sent')")
    _index("outbox_notices", ["created_at"], is_unsettled)


def _ledgers() -> None:
    op.create_table("cursors", _string("name", is_key=True), _text("position"), _time("saved_at"))
    op.create_table(
        "usage",
        _number("number", is_key=True),
        _string("session"),
        _string("person", is_optional=True),
        _string("model"),
        _time("spent_at"),
        _number("input_tokens"),
        _number("output_tokens"),
        _number("cache_read_tokens"),
        _number("cache_write_tokens"),
    )
    _index("usage_person", ["person", "spent_at"])
    _index("usage_session", ["session", "spent_at"])
