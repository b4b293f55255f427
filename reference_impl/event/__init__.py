"""An event: its wire form, its rules, its canonical form.

`event` validates the wire form against the contract, `i_json` limits which JSON is accepted, `canonical_json` hashes
it, and `preset` holds the rules of its organization.
"""
