"""What the API's documentation leaves open: one switch for each unknown.

The first value of each is the default. A client must be right under every setting.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields, replace
from typing import Any, Literal, get_args, get_type_hints

from pipedream_source.sandbox.errors import InvalidParameter


@dataclass(frozen=True)
class Switches:
    """The settings in force.

    Attributes:
        order: The order of rows in a window.
        after: What `after` does with the row it names; `ignored` answers the first page again.
        empty_cursors: The cursors of a page without rows.
        end_cursor: The end cursor of the page that ends a window or list.
        default_read: What a call without `event_name` returns: the default channel, or the
            custom channels too.
        event_name: Whether a source's `event_name` is obeyed.
        brief: What an event over 1 KB looks like without `expand=event`.
        unauthorized_body: The body of a 401.
        limit_over_100: What happens to a larger `limit`.
        subscriptions: Whether subscriptions come in pages with a `page_info`.
        errors_metadata: Where `$errors` rows carry their metadata.
        excluded_count: Whether `page_info` carries this undocumented key.
        user_api_key: Whether `/users/me` shows the key, as it once did.
    """

    order: Literal["newest", "oldest", "shuffled"] = "newest"
    after: Literal["exclusive", "inclusive", "ignored"] = "exclusive"
    empty_cursors: Literal["null", "absent"] = "null"
    end_cursor: Literal["set", "null", "absent"] = "set"
    default_read: Literal["default", "custom_too"] = "default"
    event_name: Literal["obeyed", "ignored"] = "obeyed"
    brief: Literal["no_event", "no_metadata", "cut"] = "no_event"
    unauthorized_body: Literal["json", "text", "html", "empty", "echo"] = "json"
    limit_over_100: Literal["clamp", "reject"] = "clamp"
    subscriptions: Literal["whole", "paginated"] = "whole"
    errors_metadata: Literal["sibling", "nested"] = "sibling"
    excluded_count: Literal["absent", "present"] = "absent"
    user_api_key: Literal["absent", "present"] = "absent"

    def changed(self, settings: dict[str, Any]) -> Switches:
        """Return these switches with some set anew; an unknown name or value is refused."""
        allowed = allowed_values()
        for name, value in settings.items():
            if name not in allowed:
                raise InvalidParameter(f"no switch {name!r}; there are {', '.join(allowed)}")
            if value not in allowed[name]:
                choices = ", ".join(allowed[name])
                raise InvalidParameter(f"switch {name} is one of {choices}, not {value!r}")
        return replace(self, **settings)

    def as_dict(self) -> dict[str, str]:
        """Return each switch's name and value."""
        return asdict(self)


def allowed_values() -> dict[str, tuple[str, ...]]:
    """Return the values that each switch can take, its default first."""
    hints = get_type_hints(Switches)
    return {field.name: get_args(hints[field.name]) for field in fields(Switches)}
