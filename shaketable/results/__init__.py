"""Results: verdicts as files for gates, and the differences between two of them.

`result` is one run as JSON, `unjudged` is a run without a verdict, and `saved` reads results back. `metrics` are the
figures that are compared, `regression` compares two results, `significance` separates a regression from noise,
`confidence` bounds the failure rate after trials, and `shake` and `exploration` are results inside a pytest suite.
"""
