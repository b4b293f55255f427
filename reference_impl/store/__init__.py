"""The store: batches of events become rows of PostgreSQL.

`connections` have time-outs, the `writer` commits a batch, each event as a `copy_row`, into monthly `partitions`;
`migrate` makes the schema. `evidence` makes tampering visible; a `handler` of yours may replace the writer.
"""
