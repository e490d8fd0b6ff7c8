"""What all polls prove: coverage, gaps, losses, deletions; may use `polls` and `streams`."""
