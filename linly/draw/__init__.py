"""Engines of the kind `draw`: one a file, found by the registry."""
