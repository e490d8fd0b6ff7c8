"""dlt resources: what is polled becomes tables; may use `api` and `core`."""
