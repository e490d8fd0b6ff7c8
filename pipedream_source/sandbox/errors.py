"""What the API answers when it refuses a call.

ApiError                 any answer of 4xx with an `error` text
├── RecordNotFound       404, the id belongs to nothing here
├── RouteNotFound        404, no such method and path
├── InvalidParameter     422, a parameter has a value that is not allowed
└── Unauthorized         401, the key is missing or wrong
"""

from __future__ import annotations

from typing import ClassVar


class ApiError(Exception):
    """An answer other than 2xx; its text becomes the body's `error`."""

    status: ClassVar[int] = 400
    message: ClassVar[str] = "bad request"

    def __init__(self, message: str | None = None) -> None:
        super().__init__(message or self.message)


class RecordNotFound(ApiError):
    """No emitter, workspace or other object has this id."""

    status = 404
    message = "record not found"


class RouteNotFound(ApiError):
    """No endpoint has this method and path."""

    status = 404
    message = "route not found"


class InvalidParameter(ApiError):
    """A parameter is there but cannot be used."""

    status = 422
    message = "invalid parameter"


class Unauthorized(ApiError):
    """The key is missing or is not the sandbox's."""

    status = 401
    message = "unauthorized"
