"""The reference processor: accepts audit events over HTTP, queues them in Valkey, writes each once to PostgreSQL.

The rooms, in the order an event crosses them:

- `event`: the audit event, its validation and its canonical form
- `ingest`: HTTP requests become events that the queue has accepted
- `queue`: streams in Valkey, the shared pipeline that appends to them, and the heartbeats of workers
- `delivery`: a worker, its lanes, and the consumer of each lane
- `resilience`: the circuit breaker, the waits between retries, and the meaning of each error
- `store`: bounded connections to PostgreSQL, the writer of batches, partitions, their retention, and migrations
- `dead_letters`: events that the store refuses: isolated, stored with the cause, and replayed
- `operations`: health, metrics, alerts, maintenance, integrity, and dead letters for operators

`settings` come from the environment, `log` and `errors` report failures. `processor` is the whole processor as a
library; `python -m reference_impl` starts it as processes.

It never imports shaketable, and shaketable never imports it: they meet over HTTP, Redis and Postgres only.
"""
