"""dlt resources: what is polled becomes tables."""
