"""Finding out whom a message of ours was for, when one of its buttons is pressed."""

from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.create_index("outbox_message", "outbox", ["message_id"])
