"""The messages between a process and a service, read from the bytes that pass; no byte is changed, held back or lost.

`wire` is the protocol: one connection, both directions, without I/O. `resp` reads Redis's protocol, `postgres` reads
PostgreSQL's, where `statement` names an SQL statement, and `chunks` serves every other protocol. Memory is bounded: of
a message, at most HEAD bytes wait until its kind is known; the rest passes as it comes.
"""
