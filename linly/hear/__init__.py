"""Engines of the kind `hear`: one a file, found by the registry."""
