"""Comments and views of a dataset; may use `destination` and below."""
