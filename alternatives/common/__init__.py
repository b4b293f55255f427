"""What the Python alternatives share, so that they differ in their library alone.

An event (`event`) comes in over HTTP (`intake`), is enqueued by the library, and a job stores it (`store`, or
`async_store` for libraries on asyncio) in the tables that `migrate` makes. What can never be stored is buried
(`dead_letters`), where the library has no place for it, or only a passing one.
"""
