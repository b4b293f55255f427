"""A processor of orders: nested JSON of its own schema, in over HTTP, queued in Redis, stored in two tables.

`order` reads and validates an order, `intake` accepts it, `worker` stores it, `migrate` makes the tables, and `spans`
export its stages if a manifest has [traces]. Its manifest, alternatives/order-service.toml, describes events that are
not audit events. With alternatives/order-stream.toml, the
sender `xadd` takes the place of the intake.
"""
