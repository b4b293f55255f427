"""Every kind of fault, one file each, and the helpers that several kinds share."""
