"""Subscriptions: who listens to whom, on which channel, and in whose lists they stand.

An emitter is named by its id, by a glob (`p_*`, `dc_*`) or by the id of its owner (`o_…`, `u_…`).
The last two hold for every emitter there is and will be; auto-subscriptions only for later ones.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from pipedream_source.sandbox.world.creation import Creation
from pipedream_source.sandbox.world.emitters import Emitter

GLOBS = ("p_*", "dc_*")


class Subscription(msgspec.Struct):
    """One subscription.

    Attributes:
        record: As the API lists it.
        listed_in: The users and workspaces in whose lists it stands.
        auto: Whether it only makes subscriptions for emitters created later.
        seeded: Whether its listener's own pace already stands for what it gets from feeds.
    """

    record: dict[str, Any]
    listed_in: tuple[str, ...]
    auto: bool = False
    seeded: bool = False

    @property
    def key(self) -> tuple[str, str]:
        """Emitter and channel."""
        return self.record["emitter_id"], self.record["event_name"]

    @property
    def names(self) -> tuple[str, str, str]:
        """Emitter, listener and channel: what no two subscriptions of one kind share."""
        emitter_id, event_name = self.key
        return emitter_id, self.record["listener_id"], event_name


class Subscriptions:
    """All subscriptions in the order they were made, found by emitter and channel."""

    def __init__(self, created: Creation | None = None) -> None:
        self._created = Creation() if created is None else created
        self.all: list[Subscription] = []
        self._by_key: dict[tuple[str, str], list[Subscription]] = {}

    def __bool__(self) -> bool:
        return bool(self.all)

    def add(self, subscription: Subscription) -> None:
        """Keep a subscription behind the others."""
        self.all.append(subscription)
        self._created.note(subscription.record["id"])
        if not subscription.auto:
            self._by_key.setdefault(subscription.key, []).append(subscription)

    def find(self, names: tuple[str, str, str], *, auto: bool = False) -> Subscription | None:
        """Return the subscription of this emitter, listener and channel, if there is one."""
        for subscription in self.all:
            if subscription.names == names and subscription.auto == auto:
                return subscription
        return None

    def remove(self, subscription: Subscription) -> None:
        """Drop a subscription."""
        self.all = [other for other in self.all if other is not subscription]
        if not subscription.auto:
            self._by_key[subscription.key].remove(subscription)

    def remove_all_of(self, object_id: str) -> None:
        """Drop what an object that is gone emits or listens to."""
        for subscription in [s for s in self.all if object_id in s.names[:2]]:
            self.remove(subscription)

    def listed(self, owner_id: str) -> list[dict[str, Any]]:
        """Return those in a user's or workspace's list, as the API lists them."""
        return [s.record for s in self.all if owner_id in s.listed_in]

    def matching(self, emitter: Emitter, channel: str) -> Iterator[Subscription]:
        """Yield the subscriptions that an event on this channel goes to."""
        glob = GLOBS[1] if emitter.is_source else GLOBS[0]
        for name in (emitter.id, glob, emitter.owner_id):
            for subscription in self._by_key.get((name, channel), ()):
                if name == emitter.id or _reaches(subscription, emitter):
                    yield subscription

    def auto_for(self, emitter: Emitter) -> list[Subscription]:
        """Return the auto-subscriptions that apply to a new emitter."""
        return [s for s in self.all if s.auto and _reaches(s, emitter)]


def _reaches(subscription: Subscription, emitter: Emitter) -> bool:
    """Tell whether the owner of a general subscription has this emitter; a user has all."""
    owners = subscription.listed_in
    user_s = any(owner.startswith("u_") for owner in owners)
    return user_s or emitter.owner_id in owners or bool({*emitter.listed_in} & {*owners})
