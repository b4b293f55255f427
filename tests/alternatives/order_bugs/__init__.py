"""Bugs of the order service, each in one file: it replaces one public function."""
