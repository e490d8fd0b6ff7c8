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
from pipedream_source.api.protocol import Request, is_id
from pipedream_source.core.text.redaction import printable
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
        sure: there is something to compare; else each new object may be the one.
    """

    kind: str
    requests: tuple[Request, ...]
    fits: Callable[[Json], bool]
    dates: bool = True
    sure: bool = True


def look_for(request: Request, org_id: str | None, as_user: bool) -> Look | None:
    """Return where to look for what a request may have made; None if nothing lists it.

    Args:
        request: a POST.
        org_id: a workspace to look into besides the user's own lists.
        as_user: the user's own lists can be read.
    """
    endpoint = endpoint_of(request.method, request.path)
    # Clients send parameters in the query or in the body, and the API takes both.
    sent: Json = {**(request.body or {}), **request.params}
    named = sent.get("org_id", org_id)
    scopes = [*([None] if as_user else []), *([named] if _is_workspace(named) else [])]
    if endpoint is CREATE_SOURCE and scopes:
        return _for_source(sent, tuple(calls.sources(scope) for scope in scopes))
    if endpoint is CREATE_WEBHOOK and as_user:
        fits = _like(sent, "url", "name") if sent.get("url") else _nothing
        return Look("webhooks", (calls.webhooks(),), fits)
    if endpoint is CREATE_SUBSCRIPTION and scopes:
        lists = tuple(calls.subscriptions(scope) for scope in scopes)
        whole = sent.get("emitter_id") and sent.get("listener_id")
        ends = {"event_name": "", **sent}
        fits = _like(ends, "emitter_id", "listener_id", "event_name") if whole else _nothing
        return Look("subscriptions", lists, fits, dates=False)
    return None


def _is_workspace(value: object) -> bool:
    return is_id(value) and str(value).startswith("o_")


def _for_source(sent: Json, lists: tuple[Request, ...]) -> Look:
    """Look by name and component, else by what the source is configured with."""
    props = sent.get("configured_props")
    if sent.get("name") or sent.get("component_id"):
        return Look("sources", lists, _like(sent, "name", "component_id"))
    if not (sent.get("component_code") or sent.get("component_url")):
        return Look("sources", lists, _nothing)
    if isinstance(props, dict) and props:
        return Look("sources", lists, lambda item: _configured(props, item))
    return Look("sources", lists, lambda _: True, sure=False)


def _nothing(_: Json) -> bool:
    return False


def _like(sent: Mapping[str, Any], *names: str) -> Callable[[Json], bool]:
    """Return whether an object has the values that were sent."""
    wanted = {name: sent[name] for name in names if sent.get(name) is not None}

    def fits(item: Json) -> bool:
        return all((item.get(name) or "") == value for name, value in wanted.items())

    return fits


def _configured(props: Json, item: Json) -> bool:
    found = item.get("configured_props")
    if not isinstance(found, dict):
        return False
    return all(name in found and _agrees(value, found[name]) for name, value in props.items())


def _agrees(sent: Any, found: Any) -> bool:
    """Compare a prop; the API renames inner settings, such as a timer's, so they may be absent."""
    if isinstance(sent, dict) and isinstance(found, dict):
        return all(_agrees(value, found[name]) for name, value in sent.items() if name in found)
    return bool(sent == found)


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
    if not look.sure:
        return (
            f"{sent} A look at the {look.kind} found new ones: {shown}{rest}. Nothing that was "
            "sent tells them apart: each may be another's."
        )
    return f"{sent} A look at the {look.kind} found what fits{when}: {shown}{rest}."


def _named(item: Json) -> str:
    name = item.get("name")
    told = f" {printable(name)!r}" if isinstance(name, str) else ""
    return printable(str(item.get("id"))) + told
