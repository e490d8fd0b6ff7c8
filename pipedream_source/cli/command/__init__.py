"""How a verb is declared, and how it ends: registry, groups, errors; may use `output`."""
