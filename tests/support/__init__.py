"""Helpers that several tests share: histories, run directories, results and a library of small targets."""
