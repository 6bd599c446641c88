"""A network for docs/clinic.md, with a bug that was found in public code."""
