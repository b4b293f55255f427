"""Files: atomic writes (`atomic`), bounded reads (`foreign`), private `folders`, and `cached` builds."""
