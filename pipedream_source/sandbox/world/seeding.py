"""Makes the catalogue's workspace out of a seed, with about a day of history behind it."""

from __future__ import annotations

import copy
import hashlib
import re
from functools import lru_cache
from random import Random
from typing import Any

from pipedream_source.sandbox.content import catalog
from pipedream_source.sandbox.content.catalog import FeedPlan, SourcePlan, WorkflowPlan
from pipedream_source.sandbox.content.component_code import Component, read_code
from pipedream_source.sandbox.content.failures import new_identity
from pipedream_source.sandbox.content.kinds import Kind, Thrower, Throws
from pipedream_source.sandbox.content.library import of_kind
from pipedream_source.sandbox.content.paces import HOUR_MS
from pipedream_source.sandbox.protocol.ids import short_id
from pipedream_source.sandbox.world.emitters import Emitter
from pipedream_source.sandbox.world.listeners import Subscription
from pipedream_source.sandbox.world.usage import Usage
from pipedream_source.sandbox.world.workspace import Workspace

_HISTORY_MS = 26 * HOUR_MS
_DAY_S = 86_400


def seeded_workspace(seed: int, start_ms: int) -> Workspace:
    """Build the workspace as it stands at the start instant."""
    return copy.deepcopy(_pristine(seed, start_ms))


@lru_cache(maxsize=4)
def _pristine(seed: int, start_ms: int) -> Workspace:
    """Keep the latest ones: a day of history takes half a second, a copy of it a fiftieth."""
    return _Seeding(seed, start_ms).run()


def seeded_key(seed: int, purpose: str) -> str:
    """Make a key that follows from the seed and looks like none of a real service."""
    return "sandbox_" + hashlib.sha256(f"{seed}:{purpose}".encode()).hexdigest()[:32]


def source_record(
    source_id: str, name: str, props: dict[str, Any], *, active: bool, created_s: int, rng: Random
) -> dict[str, Any]:
    """Return a source as the API lists it."""
    return {
        "id": source_id,
        "component_id": short_id("sc", rng),
        "configured_props": props,
        "active": active,
        "created_at": created_s,
        "updated_at": created_s + rng.randint(0, 20 * _DAY_S),
        "name": name,
        "name_slug": slug_of(name),
    }


def slug_of(name: str) -> str:
    """Make a name's slug: `Company blog` becomes `company-blog`."""
    return re.sub(r"\W+", "-", name.lower()).strip("-") or "source"


def component_of(record: dict[str, Any], kind: str, owner_id: str) -> Component:
    """Return the component behind a source that was not created through the API."""
    created = record["created_at"]
    text = read_code(of_kind(kind).code)
    return Component(record["component_id"], text, kind, created, created, None, owner_id)


class _Seeding:
    """One pass over the catalogue; names become ids on the way."""

    def __init__(self, seed: int, start_ms: int) -> None:
        self.rng = Random(f"{seed}:workspace")  # noqa: S311 - repeatable, not secret
        self.start_ms = start_ms
        orgs = [_org("Acme Storefront", self.rng), _org("Acme Growth", self.rng)]
        usage = Usage.beginning(start_ms)
        self.workspace = Workspace(seed, start_ms, _user(self.rng), orgs, usage, rng=self.rng)
        owners = (self.workspace.user["id"], orgs[0]["id"], orgs[1]["id"])
        self.ids = dict(zip((catalog.ME, catalog.MAIN, catalog.SECOND), owners, strict=True))

    def run(self) -> Workspace:
        for source in catalog.SOURCES:
            self._add_source(source)
        for workflow in catalog.WORKFLOWS:
            self.ids[workflow.name] = short_id("p", self.rng)
        for workflow in catalog.WORKFLOWS:
            self._add_workflow(workflow)
        self._add_webhooks()
        self._add_subscriptions()
        self.workspace.run_until(self.start_ms)
        return self.workspace

    def _add_source(self, plan: SourcePlan) -> None:
        source_id = self.ids[plan.name] = short_id("dc", self.rng)
        created_s = self.start_ms // 1000 - self.rng.randint(60, 600) * _DAY_S
        record = source_record(
            source_id,
            plan.name,
            copy.deepcopy(plan.props),
            active=plan.active,
            created_s=created_s,
            rng=self.rng,
        )
        kinds: dict[str, Kind] = {feed.channel: feed.kind for feed in plan.feeds}
        listed = tuple(self.ids[name] for name in plan.listed)
        self._add(source_id, plan.name, kinds, plan.feeds, record=record, listed_in=listed)
        component = component_of(record, plan.feeds[0].kind, listed[0])
        self.workspace.components.add(component)

    def _add_workflow(self, plan: WorkflowPlan) -> None:
        own = self._thrower(plan.name, plan.trigger)
        throws = Throws((own,))
        if plan.calls:
            throws = Throws((own, own, self._thrower(plan.calls, plan.name)))
        kinds: dict[str, Kind] = {"": "result", "$errors": throws}
        feeds = (FeedPlan("", plan.emits), FeedPlan("", plan.errors, "$errors"))
        self._add(self.ids[plan.name], plan.name, kinds, feeds)

    def _thrower(self, name: str, trigger: str) -> Thrower:
        source = self.workspace.emitters.get(self.ids[trigger])
        kind = source.kinds[""] if source else "order"
        identity = new_identity(
            self.ids[name],
            name,
            owner_id=self.ids[catalog.MAIN],
            trigger_id=self.ids[trigger],
            # A workflow's other ids are the same in whichever error it shows.
            rng=Random(f"{self.workspace.seed}:{name}"),  # noqa: S311
        )
        return Thrower(identity, kind if isinstance(kind, str) else "order")

    def _add(
        self,
        emitter_id: str,
        name: str,
        kinds: dict[str, Kind],
        feeds: tuple[FeedPlan, ...],
        *,
        record: dict[str, Any] | None = None,
        listed_in: tuple[str, ...] = (),
    ) -> None:
        rng = Random(f"{self.workspace.seed}:{emitter_id}")  # noqa: S311
        owner = listed_in[0] if listed_in else self.ids[catalog.MAIN]
        emitter = Emitter(emitter_id, name, owner, kinds, rng, record or {}, listed_in)
        self.workspace.add_emitter(emitter)
        for feed in feeds:
            if feed.pace is not None:
                since = self.start_ms - _HISTORY_MS + self.rng.randint(0, 2 * HOUR_MS)
                pace = copy.copy(feed.pace)
                self.workspace.add_feed(emitter, feed.channel, pace, since_ms=since)

    def _add_webhooks(self) -> None:
        for number, (name, description, url) in enumerate(catalog.WEBHOOKS):
            webhook_id = self.ids[f"wh:{number}"] = short_id("wh", self.rng)
            created = self.start_ms // 1000 - self.rng.randint(10, 300) * _DAY_S
            row: dict[str, Any] = {"id": webhook_id, "user_id": self.ids[catalog.ME]}
            row |= {"name": name, "description": description, "url": url, "active": True}
            row |= {"created_at": created, "updated_at": created}
            self.workspace.add_webhook(row)

    def _add_subscriptions(self) -> None:
        for owner, emitter, listener, channel in catalog.SUBSCRIPTIONS:
            emitter_id = self.ids.get(emitter) or emitter.removeprefix("id:")
            row = {"id": short_id("sub", self.rng), "emitter_id": emitter_id}
            row |= {"listener_id": self.ids[listener], "event_name": channel}
            seeded = row["listener_id"] in self.workspace.emitters
            self.workspace.subscriptions.add(Subscription(row, (self.ids[owner],), seeded=seeded))


def _user(rng: Random) -> dict[str, Any]:
    return {
        "id": short_id("u", rng),
        "username": "ada",
        "email": "ada@acme.example.com",
        "daily_compute_time_quota": 95_400_000,
        "daily_compute_time_used": rng.randint(0, 9_000_000),
        "daily_invocations_quota": 27_344,
        "daily_invocations_used": rng.randint(0, 20_000),
    }


def _org(name: str, rng: Random) -> dict[str, Any]:
    orgname = name.lower().replace(" ", "-")
    return {
        "id": short_id("o", rng),
        "orgname": orgname,
        "name": name,
        "email": f"{orgname}@acme.example.com",
        "daily_credits_quota": 100,
        "daily_credits_used": rng.randint(0, 80),
    }
