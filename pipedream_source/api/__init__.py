"""The API as a client sees it: what to send, how to read the answer, and the wire between."""
