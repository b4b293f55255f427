"""Results: verdicts as files for gates, and what differs between two of them.

`result` is one run as JSON, `unjudged` is a run without a verdict, and `saved` reads results back. `metrics` are the
figures that are compared, `regression` compares two results, `significance` tells a regression from noise, `confidence`
bounds what trials prove, and `shake` is a result inside a pytest suite.
"""
