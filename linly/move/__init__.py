"""Engines of the kind `move`: one a file, found by the registry."""
