"""Engines of the kind `speak`: one a file, found by the registry."""
