"""Every check, one file each, and the helpers that several checks share."""
