"""Linly: one portrait and a few seconds of voice become a person who talks."""

__version__ = "0.1.0"
