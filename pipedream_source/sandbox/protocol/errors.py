"""What the API answers when it refuses a call.

ApiError                 any answer of 4xx with an `error` text
├── BadRequest           400, the body cannot be read
├── Unauthorized         401, the key is missing or wrong
├── Forbidden            403, an OAuth token on a path that takes only a user's key
├── RecordNotFound       404, the id belongs to nothing here
├── RouteNotFound        404, no such method and path
├── TooLarge             413, the body is larger than the API takes
└── InvalidParameter     422, a parameter is missing or has a value that is not allowed
"""

from __future__ import annotations

from typing import ClassVar


class ApiError(Exception):
    """An answer other than 2xx; its text becomes the body's `error`."""

    status: ClassVar[int] = 400
    message: ClassVar[str] = "bad request"

    def __init__(self, message: str | None = None) -> None:
        super().__init__(message or self.message)


class BadRequest(ApiError):
    """The body is no JSON object."""

    message = "request body must be a JSON object"


class Unauthorized(ApiError):
    """The key is missing or is not the sandbox's."""

    status = 401
    message = "unauthorized"


class Forbidden(ApiError):
    """The endpoint takes a user's API key only (`/components*`, `POST /sources`)."""

    status = 403
    message = "this endpoint does not accept OAuth tokens, use a user API key"


class RecordNotFound(ApiError):
    """No emitter, workspace or other object has this id."""

    status = 404
    message = "record not found"


class RouteNotFound(ApiError):
    """No endpoint has this method and path."""

    status = 404
    message = "route not found"


class TooLarge(ApiError):
    """The body is larger than any that the API is sent."""

    status = 413
    message = "request entity too large"


class InvalidParameter(ApiError):
    """A parameter cannot be used, or is missing and required."""

    status = 422
    message = "invalid parameter"
