"""Operations: `monitor` polls the queue, `health` computes the score, `metrics` and `alerts` report.

`maintenance` runs every five minutes, `retention` drops expired months, and `integrity` recomputes hashes. Operators
reach dead letters by `dead_letter_operations`, over `admin_connections`.
"""
