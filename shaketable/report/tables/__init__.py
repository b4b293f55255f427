"""Tables as text, Markdown, JSON or CSV."""
