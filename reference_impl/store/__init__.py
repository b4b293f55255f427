"""The store: batches of events become rows of PostgreSQL.

The `writer` commits a batch, each event as a `copy_row`, into monthly `partitions`, with the SQL of `queries`. Its
`connections` have time-outs, and a `gate` keeps them closed while the breaker is open. `migrate` creates the schema,
`evidence` makes tampering visible, and a `handler` of your own may replace the writer.
"""
