"""What the API's documentation leaves open: one switch for each unknown.

The first value of each is the default. A client must be right under every setting.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields, replace
from typing import Any, Final, Literal, get_args, get_type_hints

from pipedream_source.sandbox.protocol.errors import InvalidParameter


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
        unknown_cursor: What a list does with the cursor of an object that it does not have: begin
            at the place that the object had, at the list's start if it never was; or refuse it.
        event_name: Whether a source's `event_name` is obeyed.
        brief: What an event over 1 KB looks like without `expand=event`.
        unauthorized_body: The body of a 401.
        limit_over_100: What happens to a larger `limit`.
        subscriptions: Whether subscriptions come in pages with a `page_info`.
        errors_metadata: Where `$errors` rows carry their metadata.
        excluded_count: Whether `page_info` carries this undocumented key.
        user_api_key: Whether `/users/me` shows the key, as it once did.
        user_plan: Whose `/users/me` is served: a free or a paid user's, as the documentation
            shows them.
        deletion: When deleted events are gone: the next read of the stream still shows them, or
            they go two seconds later by the clock, or at once.
        source_deletion: Whether a deleted source still shows in the next read that would show it.
        delete_without_event_name: Whose events a deletion without `event_name` takes.
        update_active: What an update without `active` does: the documented default makes the
            source active.
        update_name: What an update without `name` does: it keeps the name, or the source takes the
            component's name slug, as documented.
        update_without_component: Whether an update may name no component, though "one of
            component_id, component_code, or component_url is required".
        created_status: The status of the answers that create components, webhooks and
            subscriptions.
        invalid_status: The status of a refused parameter.
        oauth_refusal: The status with which `/components*` and `POST /sources` refuse a token.
        oauth_user: Whether `/users/me` answers a token, with its workspace only, or refuses it.
        deliveries: To which webhooks events are really sent.
    """

    order: Literal["newest", "oldest", "shuffled"] = "newest"
    after: Literal["exclusive", "inclusive", "ignored"] = "exclusive"
    empty_cursors: Literal["null", "absent"] = "null"
    end_cursor: Literal["set", "null", "absent"] = "set"
    default_read: Literal["default", "custom_too"] = "default"
    unknown_cursor: Literal["placed", "refused"] = "placed"
    event_name: Literal["obeyed", "ignored"] = "obeyed"
    brief: Literal["no_event", "no_metadata", "cut"] = "no_event"
    unauthorized_body: Literal["json", "text", "html", "empty", "echo"] = "json"
    limit_over_100: Literal["clamp", "reject"] = "clamp"
    subscriptions: Literal["whole", "paginated"] = "whole"
    errors_metadata: Literal["sibling", "nested"] = "sibling"
    excluded_count: Literal["absent", "present"] = "absent"
    user_api_key: Literal["absent", "present"] = "absent"
    user_plan: Literal["free", "paid"] = "free"
    deletion: Literal["one_read", "clock", "at_once"] = "one_read"
    source_deletion: Literal["at_once", "one_read"] = "at_once"
    delete_without_event_name: Literal["all_channels", "default_channel"] = "all_channels"
    update_active: Literal["documented", "kept"] = "documented"
    update_name: Literal["kept", "documented"] = "kept"
    update_without_component: Literal["accepted", "refused"] = "accepted"
    created_status: Literal["200", "201"] = "200"
    invalid_status: Literal["422", "400"] = "422"
    oauth_refusal: Literal["403", "401"] = "403"
    oauth_user: Literal["workspace_only", "refused"] = "workspace_only"
    deliveries: Literal["loopback", "anywhere", "none"] = "loopback"

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


#: What a load never meets: how calls answer that change something, and whom the sandbox may call.
CHANGING: Final = frozenset(
    {
        "delete_without_event_name",
        "update_active",
        "update_name",
        "update_without_component",
        "created_status",
        "deliveries",
    }
)


def reading_values() -> dict[str, tuple[str, ...]]:
    """Return the values of each switch that loads are tested under: all that concern reading."""
    return {name: values for name, values in allowed_values().items() if name not in CHANGING}


def allowed_values() -> dict[str, tuple[str, ...]]:
    """Return the values that each switch can take, its default first."""
    hints = get_type_hints(Switches)
    return {field.name: get_args(hints[field.name]) for field in fields(Switches)}
