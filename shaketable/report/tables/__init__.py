"""Tables as text, Markdown, JSON or CSV: `table` writes every form; `frames` and `regression` build tables."""
