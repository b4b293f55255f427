"""What the Python alternatives share, so that they differ in their library alone.

An event (`event`) comes in over HTTP (`intake`), is enqueued by the library, and a job stores it (`store`, or
`async_store` for libraries on asyncio) in the tables that `migrate` makes.
"""
