"""The event: its wire form, its rules and its canonical form.

`event` validates the wire form against the contract and an organization's preset; `i_json` reads and writes JSON, and
hashes its canonical form.
"""
