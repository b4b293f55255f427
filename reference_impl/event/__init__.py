"""The event: its wire form, its rules and its canonical form.

`event` validates the wire form against the contract, `i_json` reads and writes JSON and hashes its canonical form, and
`preset` holds the rules of an organization.
"""
