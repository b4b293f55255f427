"""Operations: `health` polls the queue and computes the score, `metrics` and `alerts` report.

`maintenance` archives and purges dead letters, and `integrity` recomputes hashes. Operators reach dead letters by
`dead_letter_operations`.
"""
