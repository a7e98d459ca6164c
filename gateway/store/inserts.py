"""Inserts by the columns' names.

For rows whose key exists, SQLite and PostgreSQL read the same SQL, but each has its own
class to write it: this is the one place to choose.
"""

from typing import Any

from sqlalchemy import Column, Table, bindparam
from sqlalchemy.dialects.sqlite import Insert
from sqlalchemy.dialects.sqlite import insert as begin_insert


def insert(table: Table) -> Insert:
    """Insert a row; numbers that the database gives are not asked for."""
    given = [column for column in table.columns if column is not table.autoincrement_column]
    return begin_insert(table).values({column.name: bindparam(column.name) for column in given})


def insert_or_skip(table: Table) -> Insert:
    """As `insert`, but leave out a row that would repeat any unique key."""
    return insert(table).on_conflict_do_nothing()


def insert_or_replace(table: Table, *key: Column[Any]) -> Insert:
    """As `insert`, but overwrite a row with the same primary key, or another unique one."""
    statement = insert(table)
    unique = key or tuple(table.primary_key)
    changed = {
        column.name: statement.excluded[column.name]
        for column in table.columns
        if not column.primary_key and column not in set(unique)
    }
    return statement.on_conflict_do_update(index_elements=unique, set_=changed)
