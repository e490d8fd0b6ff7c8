"""Which streams are there?

The API lists sources but no workflows: those are found where something names them, in the
configuration, in subscriptions and in errors. A workflow that nothing names cannot be found.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from pipedream_source.api.client import PipedreamClient
from pipedream_source.api.protocol import is_id, is_workflow
from pipedream_source.core.text.redaction import printable
from pipedream_source.exceptions import ConfigurationError, PipedreamError, Unavailable
from pipedream_source.resources.polls.polling import Stream
from pipedream_source.settings import ERRORS_CHANNEL

CONFIGURATION = "configuration"
SUBSCRIPTIONS = "subscriptions"
ERRORS = "errors"
USER_LIST = "users/me"


@dataclass(frozen=True, slots=True)
class Selection:
    """What the user asked to poll.

    Attributes:
        source_ids: only these sources; None for all.
        workflow_ids: these workflows besides the ones that are found.
        channels: these channels instead of the default ones; None for those.
        discover: read the lists at all.
        org_id: only this workspace's lists; None for those of every workspace.
    """

    source_ids: tuple[str, ...] | None = None
    workflow_ids: tuple[str, ...] = ()
    channels: tuple[str, ...] | None = None
    discover: bool = True
    org_id: str | None = None


@dataclass(slots=True)
class Inventory:
    """What the lists brought.

    Attributes:
        sources, subscriptions: objects by id, each with the lists it stands in.
        found_by: how each workflow was found.
        webhooks: the same, of the user; None when these credentials cannot read them.
        failed_lists: lists that could not be read whole, with the reason.
        knows_workspaces: whether it could be had which workspaces there are, or none are wanted.
        asks_all_lists: whether all lists of these credentials were asked, or one workspace's only.
        remarks: what these credentials cannot read, which is no failure.
    """

    sources: dict[str, dict[str, Any]] = field(default_factory=dict)
    subscriptions: dict[str, dict[str, Any]] = field(default_factory=dict)
    webhooks: dict[str, dict[str, Any]] | None = None
    found_by: dict[str, set[str]] = field(default_factory=dict)
    failed_lists: dict[str, str] = field(default_factory=dict)
    remarks: list[str] = field(default_factory=list)
    knows_workspaces: bool = True
    asks_all_lists: bool = False

    @property
    def digest(self) -> str:
        """A text that tells what the lists said from anything else; empty if one failed."""
        if self.failed_lists:
            return ""
        # Not msgspec's encoder, which refuses the half of a surrogate pair that a name may hold.
        lists = json.dumps([self.sources, self.subscriptions, self.webhooks])
        return hashlib.sha256(lists.encode()).hexdigest()[:16]

    def is_whole(self, kind: str) -> bool:
        """Tell whether every list of a kind (`sources`, `subscriptions`) was read to its end."""
        return self.knows_workspaces and not any(n.endswith(kind) for n in self.failed_lists)

    @property
    def lists_that_hide_streams(self) -> list[str]:
        """The lists that failed and may name streams which nothing else names."""
        kinds = ("/sources", "/subscriptions")
        failed = [name for name in self.failed_lists if name.endswith(kinds)]
        return failed if self.knows_workspaces else [USER_LIST, *failed]


def take_inventory(
    client: PipedreamClient,
    selection: Selection,
    known_workflows: Mapping[str, Mapping[str, Any]],
    me: Mapping[str, Any],
    owner_error: PipedreamError | None = None,
) -> Inventory:
    """Read all lists of the selection's scope.

    A list that fails is noted and does not stop the others; objects that it yielded before it
    failed are kept. One object in two lists is one object.

    Args:
        client: asks the API.
        selection: what the user asked for.
        known_workflows: workflows of earlier runs; those that only an error named live on here,
            and those that subscriptions named while these cannot be read.
        me: the answer of GET /users/me, asked first so that a wrong key fails loudly: some lists
            answer it with nothing.
        owner_error: why there was no such answer.
    """
    inventory = Inventory()
    if owner_error is not None:
        owner = USER_LIST if client.takes_user_paths else f"workspaces/{client.org_id}"
        inventory.failed_lists[owner] = str(owner_error)
    for workflow_id in selection.workflow_ids:
        inventory.found_by.setdefault(workflow_id, set()).add(CONFIGURATION)
    if not selection.discover:
        return inventory
    # A token of an OAuth client is bound to the one workspace that has to be named.
    inventory.asks_all_lists = selection.org_id is None or not client.takes_user_paths
    inventory.knows_workspaces = owner_error is None or selection.org_id is not None
    for org_id in _scopes(client, selection, me):
        _read_list(inventory, "sources", org_id, client)
        _read_list(inventory, "subscriptions", org_id, client)
    _read_webhooks(inventory, client)
    for subscription in inventory.subscriptions.values():
        if not _can_be_asked(subscription.get("event_name")):
            what = printable(ascii(subscription["event_name"]), 60)
            inventory.failed_lists[f"subscriptions/{subscription['id']}"] = f"{what} is no text"
        for end in ("emitter_id", "listener_id"):
            if is_id(subscription.get(end)) and is_workflow(subscription[end]):
                inventory.found_by.setdefault(subscription[end], set()).add(SUBSCRIPTIONS)
    _add_known(inventory, known_workflows)
    return inventory


def _add_known(inventory: Inventory, known_workflows: Mapping[str, Mapping[str, Any]]) -> None:
    """Add workflows of earlier runs that no list can be expected to name now."""
    unnamed = {ERRORS} if inventory.is_whole("subscriptions") else {ERRORS, SUBSCRIPTIONS}
    for workflow_id, entry in known_workflows.items():
        if how := unnamed.intersection(entry.get("by", ())):
            inventory.found_by.setdefault(workflow_id, set()).update(how)


def owner_of(client: PipedreamClient) -> dict[str, Any]:
    """Ask who the credentials belong to, so that wrong ones fail first and loudly.

    Returns:
        The user with their workspaces; for an OAuth client, which no user stands behind, its
        workspace alone.

    Raises:
        ConfigurationError: the credentials are wrong, or an OAuth client's workspace is not named.
        ApiError: the API cannot be reached.
    """
    if client.takes_user_paths:
        return {**client.me()}
    if client.org_id is None:
        raise ConfigurationError(
            "An OAuth client belongs to one workspace: name it with --org-id, PIPEDREAM_ORG_ID "
            "or org_id"
        )
    return {"orgs": [client.workspace(client.org_id)]}


def _scopes(
    client: PipedreamClient, selection: Selection, me: Mapping[str, Any]
) -> Iterator[str | None]:
    """Yield the user's own lists (None), if there is a user, then each workspace's."""
    if client.takes_user_paths:
        yield None
    if selection.org_id:
        yield selection.org_id
        return
    orgs = me.get("orgs")
    for org in orgs if isinstance(orgs, list) else []:
        if isinstance(org, dict) and is_id(org.get("id")):
            yield org["id"]


def _read_list(
    inventory: Inventory, kind: str, org_id: str | None, client: PipedreamClient
) -> None:
    place = org_id or USER_LIST
    sources = kind == "sources"
    into = inventory.sources if sources else inventory.subscriptions
    try:
        listed = client.sources(org_id) if sources else client.subscriptions(org_id)
        wrong = gather(listed, into, place, usable=is_id if sources else _is_text)
    except ConfigurationError:
        raise  # The key was refused: no other request can do better.
    except PipedreamError as error:
        wrong = str(error)
    if wrong:
        inventory.failed_lists[f"{place}/{kind}"] = wrong


def _read_webhooks(inventory: Inventory, client: PipedreamClient) -> None:
    if not client.takes_user_paths:
        inventory.remarks.append("Webhooks are not read: that takes a user API key.")
        return
    found: dict[str, dict[str, Any]] = {}
    try:
        wrong = gather(client.webhooks(), found, USER_LIST)
    except Unavailable as error:
        inventory.remarks.append(f"Webhooks cannot be read with this key: {error}.")
        return
    except ConfigurationError:
        raise
    except PipedreamError as error:
        wrong = str(error)
    inventory.webhooks = found
    if wrong:
        inventory.failed_lists[f"{USER_LIST}/webhooks"] = wrong


def _can_be_asked(channel: object) -> bool:
    """Tell whether a channel's name can stand in a URL; half a surrogate pair cannot."""
    return not isinstance(channel, str) or channel == channel.encode("utf-8", "ignore").decode()


def _is_text(value: object) -> bool:
    return isinstance(value, str)


def gather(
    listed: Iterable[Mapping[str, Any]],
    into: dict[str, dict[str, Any]],
    place: str,
    *,
    usable: Callable[[object], bool] = _is_text,
) -> str | None:
    """Add a list's objects by id, each with the lists it stands in.

    Args:
        listed: the list, as it is read.
        into: objects by id; one in two lists is one object.
        place: the list's name, for `listed_in`.
        usable: tells an id that can be used; an object without one is left out.

    Returns:
        What is wrong with the list although it was read to its end; None if nothing is.

    Raises:
        PipedreamError: it could not be read to its end; what it named before was added.
    """
    wrong = None
    for item in listed:
        key = item.get("id")
        if usable(key):
            known = into.setdefault(str(key), {**item, "listed_in": []})
            known["listed_in"].append(place)
        else:
            wrong = f"an object has no usable id: {str(key)[:60]!r}"
    return wrong


def source_streams(
    inventory: Inventory, selection: Selection, *, known: Collection[Stream] = ()
) -> list[Stream]:
    """Return the streams of all selected sources, each once, in a stable order.

    By default the default channel and those that subscriptions name; a glob names every source.

    Args:
        inventory: what the lists brought.
        selection: what the user asked for.
        known: streams of earlier runs. They are polled on, named or not: their windows move
            whether or not a list or a subscription names them.
    """
    emitters = selection.source_ids if selection.source_ids is not None else inventory.sources
    named = _named_channels(inventory)
    streams = {
        Stream(emitter_id, channel)
        for emitter_id in emitters
        for channel in selection.channels
        or {"", *named.get(emitter_id, ()), *named.get(_glob(emitter_id), ())}
    }
    return sorted(streams.union(_still_there(inventory, selection, known)))


def _still_there(
    inventory: Inventory, selection: Selection, known: Collection[Stream]
) -> Iterator[Stream]:
    """Yield known streams that no list names now, unless the user narrowed down what to poll.

    One that was deleted says so itself; a list may be empty or short by mistake.
    """
    if not selection.discover:
        return
    everywhere = inventory.asks_all_lists or not inventory.is_whole("sources")
    for stream in known:
        if selection.channels and stream.channel not in selection.channels:
            continue
        if selection.source_ids is not None:
            is_wanted = stream.emitter_id in selection.source_ids
        else:
            is_wanted = everywhere or stream.emitter_id in inventory.sources
        if is_wanted:
            yield stream


def is_unlisted(inventory: Inventory, selection: Selection, emitter_id: str) -> bool:
    """Tell whether every list was read whole and none names a source; workflows have no list."""
    return (
        selection.discover
        and selection.source_ids is None
        and inventory.asks_all_lists
        and inventory.is_whole("sources")
        and not is_workflow(emitter_id)
        and emitter_id not in inventory.sources
    )


def workflow_streams(
    inventory: Inventory, selection: Selection, *, errors: bool, known: Collection[Stream] = ()
) -> list[Stream]:
    """Return the streams of all known workflows: their errors, or all other channels.

    Args:
        inventory: what the lists brought; it holds the workflows of earlier runs too.
        selection: what the user asked for.
        errors: list the streams of errors, else all others.
        known: streams of earlier runs, polled on whether or not something names them now.
    """
    wanted = selection.channels or ("", ERRORS_CHANNEL)
    channels = [c for c in wanted if (c == ERRORS_CHANNEL) == errors]
    streams = {Stream(w, channel) for w in inventory.found_by for channel in channels}
    if selection.discover:
        streams.update(stream for stream in known if stream.channel in channels)
    return sorted(streams)


def all_streams(
    inventory: Inventory, selection: Selection, *, known: Collection[Stream] = ()
) -> list[Stream]:
    """Return the streams of all tables; see `source_streams` and `workflow_streams`."""
    sources = [stream for stream in known if not is_workflow(stream.emitter_id)]
    workflows = [stream for stream in known if is_workflow(stream.emitter_id)]
    return [
        *source_streams(inventory, selection, known=sources),
        *workflow_streams(inventory, selection, errors=False, known=workflows),
        *workflow_streams(inventory, selection, errors=True, known=workflows),
    ]


def _named_channels(inventory: Inventory) -> dict[str, set[str]]:
    named: dict[str, set[str]] = {}
    for subscription in inventory.subscriptions.values():
        emitter, channel = subscription.get("emitter_id"), subscription.get("event_name")
        named_so = isinstance(channel, str) and channel and _can_be_asked(channel)
        if isinstance(emitter, str) and isinstance(channel, str) and named_so:
            named.setdefault(emitter, set()).add(channel)
    return named


def _glob(emitter_id: str) -> str:
    return emitter_id.split("_", 1)[0] + "_*"
