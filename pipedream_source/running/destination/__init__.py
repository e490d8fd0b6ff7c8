"""Where rows go: target, lock, errors, memory, retries; may use `duckdb`."""
