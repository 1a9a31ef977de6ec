"""Lookalike's corridor: photo → faces → embedding → index search → scored matches."""
