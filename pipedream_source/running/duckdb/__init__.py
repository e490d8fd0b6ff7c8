"""DuckDB files: how they are made, copied, limited and replaced; uses no other room."""
