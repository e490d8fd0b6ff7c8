"""The client's methods, reads and writes; may use every other room of `api` but the client."""
