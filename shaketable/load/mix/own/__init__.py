"""The shapes of a target's own events, drawn from the JSON Schema or the strategy that its manifest names.

`corpus` puts them together. `schema` draws from a JSON Schema, whose patterns `pattern` rewrites for Python and whose
objects `closed` closes, once `expanded` has put definitions in place, and `strategy` from a Python file;
`hostile_values` derives hostile shapes from drawn ones, `invalid` bodies to be refused, unless the manifest gives its
own (`given`), `orders` chooses the values by which events are ordered, and `template` writes all of them as text.
`compatibility` bridges two libraries.
"""
