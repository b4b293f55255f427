"""Make the tables, once."""

from __future__ import annotations

import os

import psycopg

TABLES = """
create table orders (
    id text primary key, customer text not null, name text, currency text not null, note text,
    created_at timestamptz not null, attributes json, position bigint generated always as identity
);
create table order_items (
    order_id text references orders, line int, sku text not null, quantity bigint not null, amount numeric not null,
    primary key (order_id, line)
)
"""


def migrate() -> None:
    """Create both tables; DATABASE_URL is the owner's."""
    with psycopg.connect(os.environ["DATABASE_URL"]) as database:
        database.execute(TABLES)
