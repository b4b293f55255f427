"""Broken processors, and who must catch each."""
