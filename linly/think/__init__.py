"""Engines of the kind `think`: one a file, found by the registry."""
