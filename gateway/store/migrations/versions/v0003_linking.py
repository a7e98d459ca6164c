"""Accounts that are linked, what leads to it, and a trail of who did what."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    _identities()
    _link_codes()
    _trails()
    op.create_index("sessions_person", "sessions", ["person", "last_active"])
    is_waiting = sa.text("state = 'waiting'")
    op.create_index(
        "inbox_behind",
        "inbox",
        ["session_key", "number"],
        sqlite_where=is_waiting,
        postgresql_where=is_waiting,
    )


def _identities() -> None:
    own = sa.Column("own_person", sa.String(), nullable=False, server_default="")
    op.add_column("identities", own)
    op.add_column("identities", _text("address", is_optional=True))
    op.add_column("identities", _time("linked_at", is_optional=True))
    op.execute("UPDATE identities SET own_person = person")


def _link_codes() -> None:
    op.create_table(
        "link_codes",
        _string("id", is_key=True),
        _string("code_hash"),
        _string("state"),
        _string("person"),
        _text("asker"),
        _text("redeemer", is_optional=True),
        _time("created_at"),
        _time("expires_at"),
        _time("linked_at", is_optional=True),
        _text("before", is_optional=True),
    )
    op.create_index("link_codes_hash", "link_codes", ["code_hash"])
    op.create_index("link_codes_person", "link_codes", ["person", "created_at"])
    op.create_table(
        "code_tries", _number(), _string("account"), _string("identity"), _time("tried_at")
    )
    op.create_index("code_tries_account", "code_tries", ["account", "tried_at"])


def _trails() -> None:
    op.create_table(
        "announcements",
        _number(),
        _text("address"),
        _string("kind"),
        _text("facts"),
        _time("created_at"),
    )
    op.create_table(
        "audit",
        _number(),
        _time("happened_at"),
        _string("action"),
        _string("actor"),
        _text("facts"),
        _string("hash"),
    )


def _number() -> sa.Column[Any]:
    return sa.Column("number", _NUMBER, primary_key=True, nullable=False)


def _string(name: str, *, is_key: bool = False) -> sa.Column[Any]:
    return sa.Column(name, sa.String(), primary_key=is_key, nullable=False)


def _text(name: str, *, is_optional: bool = False) -> sa.Column[Any]:
    return sa.Column(name, sa.Text(), nullable=is_optional)


def _time(name: str, *, is_optional: bool = False) -> sa.Column[Any]:
    return sa.Column(name, sa.Double(), nullable=is_optional)
