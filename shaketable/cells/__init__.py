"""Cells: runs that are played by Dask's workers, on this machine or on others.

A cell is a command of shaketable and the folder that it fills. `machines` holds the options, and `session` opens the
`store` and the `cluster`. The cluster hands out cells to its workers, where `task` plays them; the store holds the
folders of finished cells.
"""
