"""A disk that loses power, fills up, becomes slow or fails, for a server of the local stack.

`shim.c` is the library, loaded by LD_PRELOAD; `library` compiles it once; `disk` is one server's disk as the harness
controls and counts it; `journal` reads the library's journals and restores a file as it was at the last sync.
"""
