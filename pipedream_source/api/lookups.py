"""Where to look for what a POST may have made, and how to tell it; no I/O.

The API knows no keys that make a repeated POST harmless. So when no answer came, the only way to
know is to list what there is and to compare it with what was sent.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from pipedream_source.api import calls
from pipedream_source.api.endpoints import (
    CREATE_SOURCE,
    CREATE_SUBSCRIPTION,
    CREATE_WEBHOOK,
    endpoint_of,
)
from pipedream_source.api.protocol import Request
from pipedream_source.core.redaction import printable
from pipedream_source.settings import SAME_MOMENT_S

Json = dict[str, Any]
_SHOWN = 5


@dataclass(frozen=True, slots=True)
class Look:
    """A look for what a request may have made.

    Attributes:
        kind: what is listed, e.g. `sources`.
        requests: for the first pages of the lists.
        fits: tells whether an object of the list may be the one.
        dates: objects carry `created_at`, so that older ones can be told apart.
    """

    kind: str
    requests: tuple[Request, ...]
    fits: Callable[[Json], bool]
    dates: bool = True


def look_for(request: Request, org_id: str | None, as_user: bool) -> Look | None:
    """Return where to look for what a request may have made; None if nothing lists it.

    Args:
        request: a POST.
        org_id: a workspace to look into besides the user's own lists.
        as_user: the user's own lists can be read.
    """
    endpoint = endpoint_of(request.method, request.path)
    named = request.params.get("org_id", org_id)
    scopes = [*([None] if as_user else []), *([named] if named else [])]
    body = request.body or {}
    if endpoint is CREATE_SOURCE and scopes:
        lists = tuple(calls.sources(scope) for scope in scopes)
        return Look("sources", lists, _like(body, "name", "component_id"))
    if endpoint is CREATE_WEBHOOK and as_user:
        return Look("webhooks", (calls.webhooks(),), _like(request.params, "url", "name"))
    if endpoint is CREATE_SUBSCRIPTION and scopes:
        ends = {"event_name": "", **request.params}
        lists = tuple(calls.subscriptions(scope) for scope in scopes)
        fits = _like(ends, "emitter_id", "listener_id", "event_name")
        return Look("subscriptions", lists, fits, dates=False)
    return None


def _like(sent: Mapping[str, Any], *names: str) -> Callable[[Json], bool]:
    """Return whether an object has the values that were sent; what it lacks speaks not against."""
    wanted = {name: sent[name] for name in names if sent.get(name) is not None}

    def fits(item: Json) -> bool:
        return all((item.get(name) or "") == value for name, value in wanted.items())

    return fits


def is_new(item: Json, now_s: float | None, elapsed_s: float) -> bool:
    """Tell whether an object may have been made since the POST was sent.

    Args:
        item: an object; without `created_at` it may.
        now_s: the API's clock when it listed the object, in Unix seconds; None if unknown.
        elapsed_s: seconds between the POST and the list.
    """
    created = item.get("created_at")
    if now_s is None or not isinstance(created, int | float) or isinstance(created, bool):
        return True
    return created >= now_s - elapsed_s - SAME_MOMENT_S


def tell(found: list[Json] | None, look: Look | None, why: str = "") -> str:
    """Say what a look found and what to do.

    Args:
        found: what fits; None when nobody looked or the look failed.
        look: the look; None when nothing lists such objects.
        why: why the look failed.
    """
    sent = "The request may have been carried out, so it was not repeated."
    if look is None:
        return f"{sent} The API has no list in which to look for it: see whether it took effect."
    if found is None:
        return f"{sent} The look at the {look.kind} failed too ({why}): list them before you retry."
    if not found:
        return (
            f"{sent} A look at the {look.kind} found nothing that fits; it may still appear: list "
            "them once more before you retry."
        )
    shown = ", ".join(_named(item) for item in found[:_SHOWN])
    rest = f" and {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
    when = "" if look.dates else " (it may be older: subscriptions have no date)"
    return f"{sent} A look at the {look.kind} found what fits{when}: {shown}{rest}."


def _named(item: Json) -> str:
    name = item.get("name")
    told = f" {printable(name)!r}" if isinstance(name, str) else ""
    return printable(str(item.get("id"))) + told
