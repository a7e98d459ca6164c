"""Knowing again the messages of an announcement that a crash cut off."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"

_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.add_column("outbox", sa.Column("announcement", _NUMBER))
    op.create_index(
        "outbox_announcement",
        "outbox",
        ["announcement"],
        sqlite_where=sa.text("announcement IS NOT NULL"),
        postgresql_where=sa.text("announcement IS NOT NULL"),
    )
