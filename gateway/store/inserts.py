"""Inserts by the columns' names.

For rows whose key exists, SQLite and PostgreSQL read the same SQL, but each has its own
class to write it: this is the one place to choose.
"""

from sqlalchemy import Table, bindparam
from sqlalchemy.dialects.sqlite import Insert
from sqlalchemy.dialects.sqlite import insert as begin_insert


def insert(table: Table) -> Insert:
    """Insert a row; numbers that the database gives are not asked for."""
    given = [column for column in table.columns if column is not table.autoincrement_column]
    return begin_insert(table).values({column.name: bindparam(column.name) for column in given})


def insert_or_skip(table: Table) -> Insert:
    """As `insert`, but leave out a row that would repeat any unique key."""
    return insert(table).on_conflict_do_nothing()


def insert_or_replace(table: Table) -> Insert:
    """As `insert`, but overwrite a row with the same primary key."""
    statement = insert(table)
    changed = {
        column.name: statement.excluded[column.name]
        for column in table.columns
        if not column.primary_key
    }
    return statement.on_conflict_do_update(index_elements=table.primary_key, set_=changed)
