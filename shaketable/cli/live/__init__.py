"""The live page of `shaketable run --web`, which shows a run while it runs, on loopback only.

`reporter` passes a run's progress on to the page and to the terminal, `state` holds the contents of the page, and
`server` serves it with the report of each run that has ended.
"""
