"""The page: one build_*() a tab; handlers are plain functions above, wiring below."""
