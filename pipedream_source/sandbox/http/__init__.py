"""The HTTP server: routes, their description, the ASGI application; may use every other room."""
