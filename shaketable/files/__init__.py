"""Files: written whole (`atomic`), read with bounds (`foreign`), in private `folders`, or `cached`."""
