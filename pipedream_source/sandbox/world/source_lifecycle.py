"""Sources that run: made of a component and its props, with the pace that these give them."""

from __future__ import annotations

from random import Random
from typing import Any, NamedTuple

from pipedream_source.sandbox.content.component_code import HTTP, TIMER, Component, Text
from pipedream_source.sandbox.content.cron import NotCron, parse
from pipedream_source.sandbox.content.paces import HOUR_MS, AnyPace, Cron, Steady
from pipedream_source.sandbox.protocol.errors import InvalidParameter
from pipedream_source.sandbox.protocol.ids import short_id
from pipedream_source.sandbox.world.emitters import Emitter
from pipedream_source.sandbox.world.router import Emitted
from pipedream_source.sandbox.world.seeding import slug_of
from pipedream_source.sandbox.world.workspace import Record, Workspace

# What a source emits by itself that has neither a timer nor an HTTP interface of its own.
_APP_PER_HOUR = 12.0


class NewSource(NamedTuple):
    """A source to be made."""

    component: Component
    owner_id: str
    name: str | None
    props: dict[str, Any] | None


def kind_of_code(text: Text) -> str:
    """Choose what the sources of an unpublished component emit."""
    return "timer" if text.prop(TIMER) and not text.prop(HTTP) else "http"


def create(workspace: Workspace, plan: NewSource, now_ms: int) -> Emitter:
    """Create a source, which runs at once if it runs by itself."""
    source_id = short_id("dc", workspace.rng)
    props = _configured(source_id, plan.component.text, plan.props or {})
    pace = _pace(plan.component.text, props)
    record = _record(workspace, source_id, plan, props, now_ms)
    rng = Random(f"{workspace.seed}:{source_id}")  # noqa: S311 - repeatable, not secret
    source = Emitter(
        source_id,
        record["name"],
        plan.owner_id,
        {"": plan.component.kind},
        rng,
        record,
        (plan.owner_id,),
    )
    workspace.add_emitter(source)
    _start(workspace, source, pace, now_ms)
    return source


def _record(
    workspace: Workspace, source_id: str, plan: NewSource, props: dict[str, Any], now_ms: int
) -> Record:
    name = plan.name or default_name(plan.component.text)
    return {
        "id": source_id,
        "component_id": plan.component.id,
        "configured_props": props,
        "active": True,
        "created_at": now_ms // 1000,
        "updated_at": now_ms // 1000,
        "name": name,
        "name_slug": _free_slug(workspace, plan.owner_id, name),
    }


def default_name(text: Text) -> str:
    """Return the name of a source that is given none.

    "If absent, this defaults to using the name slug of the component" (Create, Update a source).
    """
    return slug_of(text.name or "source")


def _free_slug(workspace: Workspace, owner_id: str, name: str) -> str:
    """Make a name's slug, numbered when the owner has it already."""
    slug, number = slug_of(name), 0
    taken = {record["name_slug"] for record in workspace.sources_of(owner_id)}
    while (f"{slug}-{number}" if number else slug) in taken:
        number += 1
    return f"{slug}-{number}" if number else slug


def _start(workspace: Workspace, source: Emitter, pace: AnyPace | None, now_ms: int) -> None:
    if pace is None:
        return
    feed = workspace.add_feed(source, "", pace, since_ms=now_ms)
    workspace.publish(Emitted(source, "", feed.emit(now_ms), now_ms))


def component_run_by(workspace: Workspace, source: Emitter) -> Component:
    """Return the component that a source runs.

    Raises:
        InvalidParameter: it is not there any more.
    """
    held = workspace.components.find(source.record["component_id"])
    if held is None:
        raise InvalidParameter("the source's component is gone; give one")
    return held


def change(
    workspace: Workspace,
    source: Emitter,
    *,
    component: Component | None,
    name: str | None,
    active: bool | None,
    props: dict[str, Any] | None,
    now_ms: int,
) -> None:
    """Change what is given, and let the source run as it then is."""
    record = source.record
    text = (component or component_run_by(workspace, source)).text
    if component is not None or props is not None:
        wanted = {**record["configured_props"], **(props or {})}
        configured = _configured(source.id, text, wanted)
        pace = _pace(text, configured)
        record["configured_props"] = configured
        if component is not None:
            record["component_id"], source.kinds[""] = component.id, component.kind
        if component is not None or pace is not None:
            _change_pace(workspace, source, pace, now_ms)
    if name and name != record["name"]:
        record["name_slug"] = _free_slug(workspace, source.owner_id, name)
        record["name"] = source.name = name
    if active is not None:
        _turn(workspace, source, active, now_ms)
    record["updated_at"] = now_ms // 1000


def _change_pace(workspace: Workspace, source: Emitter, pace: AnyPace | None, now_ms: int) -> None:
    if pace is not None and source.paces.get("") == pace.text:
        return
    workspace.end_feeds(source, "")
    if pace is not None:
        workspace.add_feed(source, "", pace, since_ms=now_ms)


def _turn(workspace: Workspace, source: Emitter, active: bool, now_ms: int) -> None:
    """Enable or disable: a disabled source neither runs by itself nor for others' events."""
    was = source.is_active
    source.record["active"] = active
    if active and not was:
        workspace.resume(source, now_ms)


def _configured(source_id: str, text: Text, given: dict[str, Any]) -> dict[str, Any]:
    """Return the props as the API shows them: interfaces in their stored form."""
    props = dict(given)
    for prop in text.props:
        name = prop["name"]
        if prop["type"] == TIMER:
            props[name] = _timer(props.get(name, prop.get("default")))
        elif prop["type"] == HTTP:
            tail = source_id.removeprefix("dc_").lower()
            props[name] = {"endpoint_url": f"https://e{tail}.m.pipedream.net"}
    return props


def _timer(given: Any) -> dict[str, Any]:
    """Store a timer: `intervalSeconds` comes back as `interval_seconds` beside `cron`."""
    timer = given if isinstance(given, dict) else {}
    seconds = timer.get("intervalSeconds", timer.get("interval_seconds"))
    expression = timer.get("cron")
    if isinstance(expression, dict):
        expression = expression.get("expr")
    if seconds is not None and (isinstance(seconds, bool) or not isinstance(seconds, int | float)):
        raise InvalidParameter("timer.intervalSeconds must be a number")
    if seconds is not None and not 1 <= seconds <= 10**9:
        raise InvalidParameter("timer.intervalSeconds must be at least 1")
    try:
        parse(expression or "* * * * *")
    except (NotCron, AttributeError):
        raise InvalidParameter("timer.cron must be a cron expression of five fields") from None
    return {"cron": expression, "interval_seconds": seconds}


def _pace(text: Text, props: dict[str, Any]) -> AnyPace | None:
    timer = text.prop(TIMER)
    if timer is not None:
        stored = props[timer["name"]]
        if stored["interval_seconds"]:
            return Steady(HOUR_MS / 1000 / stored["interval_seconds"], jitter=0)
        return Cron(stored["cron"]) if stored["cron"] else None
    return Steady(_APP_PER_HOUR) if text.app else None
