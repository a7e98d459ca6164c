"""Whose words stand where several people speak, and what is to be erased."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.add_column("entries", sa.Column("author", sa.String()))
    op.create_index(
        "entries_author",
        "entries",
        ["author"],
        sqlite_where=sa.text("author IS NOT NULL"),
        postgresql_where=sa.text("author IS NOT NULL"),
    )
    op.execute(_AUTHORS)
    op.add_column("overheard", sa.Column("author", sa.String(), nullable=False, server_default=""))
    op.create_table(
        "erasures",
        sa.Column("id", sa.String(), primary_key=True),
        sa.Column("person", sa.String(), nullable=False),
        sa.Column("accounts", sa.Text(), nullable=False),
        sa.Column("asked_by", sa.String(), nullable=False),
        sa.Column("asked_at", sa.Double(), nullable=False),
        sa.Column("due_at", sa.Double(), nullable=False),
        sa.UniqueConstraint("person", name="erasures_person"),
    )


_AUTHORS = """
    UPDATE entries SET author = (
        SELECT json_extract(inbox.message, '$.address.platform') || ':'
            || json_extract(inbox.message, '$.address.external_user')
        FROM turns JOIN inbox ON inbox.number = turns.number
        WHERE turns.id = entries.turn AND inbox.message IS NOT NULL
    )
    WHERE turn IS NOT NULL AND session IN (SELECT id FROM sessions WHERE person IS NULL)
"""
"""As far as it is still known who asked: of the last thirty days."""
