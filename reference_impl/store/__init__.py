"""The store: batches of events become rows of PostgreSQL.

The `writer` commits a batch, each event as a `copy_row`, into monthly `partitions`, with the SQL of queries.sql. Its
`connections` are bounded in time, and there are none while the breaker is open. `migrate` creates the schema, and a
`handler` of your own may replace the writer.
"""
