"""`python -m alternatives.common.migrate`: make the tables in DATABASE_URL, unless they are there."""

from __future__ import annotations

import os

import psycopg

from alternatives.common.statements import SCHEMA


def migrate() -> None:
    """Make the tables."""
    with psycopg.connect(os.environ["DATABASE_URL"]) as connection:
        connection.execute(SCHEMA)


if __name__ == "__main__":
    migrate()
