"""The tables, written once for every dialect: text ids, JSON as text, times as numbers.

A change here needs a migration beside it (`migrations/versions`) and a new `VERSION`;
a test compares the two.
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ColumnElement,
    Double,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    PrimaryKeyConstraint,
    String,
    Table,
    Text,
    UniqueConstraint,
    and_,
    false,
    literal_column,
    or_,
)

VERSION = "0006"
"""The newest migration; versions sort as text."""

_NUMBER = BigInteger().with_variant(Integer(), "sqlite")
"""SQLite numbers rows by itself only in a column that is exactly `INTEGER`."""

metadata = MetaData()

alembic_version = Table(
    "alembic_version",
    metadata,
    Column("version_num", String(32), nullable=False),
    PrimaryKeyConstraint("version_num", name="alembic_version_pkc"),
)

people = Table(
    "people",
    metadata,
    Column("id", String, primary_key=True),
    Column("role", String, nullable=False),
    Column("created_at", Double, nullable=False),
)

identities = Table(
    "identities",
    metadata,
    Column("platform", String, primary_key=True),
    Column("external_user", String, primary_key=True),
    Column("person", String, ForeignKey("people.id"), nullable=False),
    Column("name", String, nullable=False),
    Column("created_at", Double, nullable=False),
    # Who it was before any link: an account's role is its own, whoever it is linked with.
    Column("own_person", String, nullable=False, server_default=""),
    # Its last direct conversation, where it can be told something.
    Column("address", Text),
    Column("linked_at", Double),
)
Index("identities_person", identities.c.person)

pairings = Table(
    "pairings",
    metadata,
    Column("platform", String, primary_key=True),
    Column("external_user", String, primary_key=True),
    Column("name", String, nullable=False),
    Column("address", Text, nullable=False),
    Column("code_hash", String, nullable=False),
    Column("requested_at", Double, nullable=False),
    Column("expires_at", Double, nullable=False),
)

link_codes = Table(
    "link_codes",
    metadata,
    Column("id", String, primary_key=True),
    Column("code_hash", String, nullable=False),
    Column("state", String, nullable=False),
    Column("person", String, nullable=False),
    # The two accounts, each as JSON: who it is, and where it can be asked.
    Column("asker", Text, nullable=False),
    Column("redeemer", Text),
    Column("created_at", Double, nullable=False),
    Column("expires_at", Double, nullable=False),
    Column("linked_at", Double),
    # What an undo has to give back.
    Column("before", Text),
)
Index("link_codes_hash", link_codes.c.code_hash)
Index("link_codes_person", link_codes.c.person, link_codes.c.created_at)

code_tries = Table(
    "code_tries",
    metadata,
    Column("number", _NUMBER, primary_key=True),
    Column("account", String, nullable=False),
    Column("identity", String, nullable=False),
    Column("tried_at", Double, nullable=False),
)
Index("code_tries_account", code_tries.c.account, code_tries.c.tried_at)

announcements = Table(
    "announcements",
    metadata,
    Column("number", _NUMBER, primary_key=True),
    Column("address", Text, nullable=False),
    Column("kind", String, nullable=False),
    Column("facts", Text, nullable=False),
    Column("created_at", Double, nullable=False),
)

audit = Table(
    "audit",
    metadata,
    Column("number", _NUMBER, primary_key=True),
    Column("happened_at", Double, nullable=False),
    Column("action", String, nullable=False),
    Column("actor", String, nullable=False),
    Column("facts", Text, nullable=False),
    Column("hash", String, nullable=False),
)

sessions = Table(
    "sessions",
    metadata,
    Column("id", String, primary_key=True),
    Column("agent", String, nullable=False),
    Column("key", String, nullable=False),
    Column("person", String),
    Column("title", String),
    Column("model", String),
    Column("prompt", Text),
    Column("created_at", Double, nullable=False),
    Column("last_active", Double, nullable=False),
    Column("is_archived", Boolean, nullable=False),
    Column("last_seq", Integer, nullable=False),
    Column("summary_seq", Integer, nullable=False),
    Column("folded_upto", Integer, nullable=False),
)
IS_ACTIVE: ColumnElement[bool] = sessions.c.is_archived == false()
Index("sessions_key", sessions.c.key)
Index("sessions_person", sessions.c.person, sessions.c.last_active)
Index(
    "sessions_active",
    sessions.c.agent,
    sessions.c.key,
    unique=True,
    sqlite_where=IS_ACTIVE,
    postgresql_where=IS_ACTIVE,
)

entries = Table(
    "entries",
    metadata,
    Column("session", String, ForeignKey("sessions.id"), primary_key=True),
    Column("seq", Integer, primary_key=True),
    Column("kind", String, nullable=False),
    Column("turn", String),
    Column("created_at", Double, nullable=False),
    Column("body", Text, nullable=False),
    # What search looks through, case folded: dialects differ on case.
    Column("words", Text, nullable=False),
    # Who asked, where several people share the session: it may have to be found again.
    Column("author", String),
)
Index("entries_turn", entries.c.turn)
IS_SHARED: ColumnElement[bool] = entries.c.author.is_not(None)
Index(
    "entries_author",
    entries.c.author,
    sqlite_where=IS_SHARED,
    postgresql_where=IS_SHARED,
)

inbox = Table(
    "inbox",
    metadata,
    Column("number", _NUMBER, primary_key=True),
    Column("account", String, nullable=False),
    Column("event_key", String, nullable=False),
    Column("message_id", String, nullable=False),
    Column("edited_at", Double, nullable=False),
    Column("state", String, nullable=False),
    Column("reason", String),
    Column("lane", String),
    Column("session_key", String),
    Column("agent", String),
    Column("person", String),
    # Whose share of the queue it takes.
    Column("sender", String, nullable=False),
    Column("album", String),
    Column("kept_at", Double, nullable=False),
    Column("not_before", Double, nullable=False),
    Column("message", Text),
    UniqueConstraint("account", "event_key", name="inbox_event"),
    UniqueConstraint("account", "message_id", "edited_at", name="inbox_message"),
)
IS_WAITING: ColumnElement[bool] = inbox.c.state == literal_column("'waiting'")
"""Not done yet, whether or not its turn runs; spelt out, or no partial index would serve it."""
Index(
    "inbox_waiting",
    inbox.c.lane,
    inbox.c.number,
    sqlite_where=IS_WAITING,
    postgresql_where=IS_WAITING,
)
Index("inbox_senders", inbox.c.sender, sqlite_where=IS_WAITING, postgresql_where=IS_WAITING)
Index("inbox_session", inbox.c.session_key, inbox.c.number)
Index(
    "inbox_behind",
    inbox.c.session_key,
    inbox.c.number,
    sqlite_where=IS_WAITING,
    postgresql_where=IS_WAITING,
)

lanes = Table(
    "lanes",
    metadata,
    Column("lane", String, primary_key=True),
    Column("fence", _NUMBER, nullable=False),
)

turns = Table(
    "turns",
    metadata,
    Column("id", String, primary_key=True),
    Column("number", _NUMBER, ForeignKey("inbox.number"), nullable=False),
    Column("state", String, nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("started_at", Double, nullable=False),
    Column("ended_at", Double),
    UniqueConstraint("number", name="turns_number"),
)

steps = Table(
    "steps",
    metadata,
    Column("turn", String, ForeignKey("turns.id"), primary_key=True),
    Column("call_id", String, primary_key=True),
    Column("tool", String, nullable=False),
    Column("started_at", Double, nullable=False),
)

outbox = Table(
    "outbox",
    metadata,
    Column("id", String, primary_key=True),
    Column("turn", String, ForeignKey("turns.id")),
    Column("address", Text, nullable=False),
    Column("position", Integer, nullable=False),
    Column("kind", String, nullable=False),
    Column("state", String, nullable=False),
    Column("text", Text, nullable=False),
    Column("files", Text, nullable=False),
    Column("message_id", String),
    Column("reason", String),
    Column("created_at", Double, nullable=False),
    Column("announcement", _NUMBER),
)
IS_UNSETTLED_NOTICE: ColumnElement[bool] = and_(
    outbox.c.turn.is_(None),
    or_(
        outbox.c.state == literal_column("'sending'"),
        outbox.c.state == literal_column("'sent'"),
    ),
)
Index("outbox_turn", outbox.c.turn)
Index("outbox_message", outbox.c.message_id)
_IS_ANNOUNCEMENT = outbox.c.announcement.is_not(None)
Index(
    "outbox_announcement",
    outbox.c.announcement,
    sqlite_where=_IS_ANNOUNCEMENT,
    postgresql_where=_IS_ANNOUNCEMENT,
)
Index(
    "outbox_notices",
    outbox.c.created_at,
    sqlite_where=IS_UNSETTLED_NOTICE,
    postgresql_where=IS_UNSETTLED_NOTICE,
)

cursors = Table(
    "cursors",
    metadata,
    Column("name", String, primary_key=True),
    Column("position", Text, nullable=False),
    Column("saved_at", Double, nullable=False),
)

usage = Table(
    "usage",
    metadata,
    Column("number", _NUMBER, primary_key=True),
    Column("session", String, nullable=False),
    Column("agent", String, nullable=False),
    Column("person", String),
    Column("place", String),
    Column("model", String, nullable=False),
    Column("spent_at", Double, nullable=False),
    Column("input_tokens", _NUMBER, nullable=False),
    Column("output_tokens", _NUMBER, nullable=False),
    Column("cache_read_tokens", _NUMBER, nullable=False),
    Column("cache_write_tokens", _NUMBER, nullable=False),
    # Millionths of the currency that prices are written in.
    Column("micros", _NUMBER, nullable=False),
)
Index("usage_person", usage.c.person, usage.c.spent_at)
Index("usage_place", usage.c.place, usage.c.spent_at)
Index("usage_session", usage.c.session, usage.c.spent_at)
Index("usage_spent", usage.c.spent_at)

holds = Table(
    "holds",
    metadata,
    Column("id", String, primary_key=True),
    Column("person", String),
    Column("place", String),
    Column("tokens", _NUMBER, nullable=False),
    Column("micros", _NUMBER, nullable=False),
    Column("expires_at", Double, nullable=False),
)

overheard = Table(
    "overheard",
    metadata,
    Column("number", _NUMBER, primary_key=True),
    Column("account", String, nullable=False),
    Column("message_id", String, nullable=False),
    Column("place", String, nullable=False),
    Column("speaker", String, nullable=False),
    Column("text", Text, nullable=False),
    Column("said_at", Double, nullable=False),
    Column("author", String, nullable=False, server_default=""),
    UniqueConstraint("account", "message_id", name="overheard_message"),
)
Index("overheard_place", overheard.c.place, overheard.c.number)

approvals = Table(
    "approvals",
    metadata,
    Column("id", String, primary_key=True),
    Column("turn", String, nullable=False),
    Column("call_id", String, nullable=False),
    Column("tool", String, nullable=False),
    Column("fingerprint", String, nullable=False),
    Column("person", String),
    Column("session_key", String, nullable=False),
    Column("state", String, nullable=False),
    Column("asked_at", Double, nullable=False),
    Column("expires_at", Double, nullable=False),
)

erasures = Table(
    "erasures",
    metadata,
    Column("id", String, primary_key=True),
    Column("person", String, nullable=False),
    # The accounts for which it was asked, as JSON: `platform:user_id` each.
    Column("accounts", Text, nullable=False),
    Column("asked_by", String, nullable=False),
    Column("asked_at", Double, nullable=False),
    Column("due_at", Double, nullable=False),
    UniqueConstraint("person", name="erasures_person"),
)
