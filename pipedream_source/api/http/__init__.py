"""HTTP: credentials, deadlines, retries, rate limits; may use the protocol and the endpoints."""
