"""Results: verdicts as files for gates, and what differs between two of them.

`result` is one run as JSON, `metrics` are its compared figures, `regression` compares two results, `significance`
tells a regression from noise, `confidence` bounds what trials prove, and `shake` is a result inside a pytest suite.
"""
