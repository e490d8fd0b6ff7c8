"""`pipedream-source check`: what is there, and what a schedule would lose."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console

from pipedream_source.cli.command.errors import guarded, show_warnings, verbosity
from pipedream_source.cli.flags import options as given
from pipedream_source.cli.flags.times import period_s
from pipedream_source.cli.output.console import (
    column,
    duration,
    grid,
    moment,
    number,
    out,
    print_json,
    shown,
)
from pipedream_source.cli.output.layout import print_rows

if TYPE_CHECKING:
    from pipedream_source.running.survey import StreamSurvey, Survey

EXAMPLES = (
    "[bold]Examples[/]\n\n"
    "  pipedream-source check\n\n"
    "  pipedream-source check --every 5m\n\n"
    "  pipedream-source check --source-id dc_abc123 --no-discover --json\n\n"
    "[bold]Exit codes[/]  0 everything can be read · 2 the key is wrong · 3 some streams or lists "
    "cannot be read · 1 none can"
)
UNKNOWABLE = (
    "Not known: a workflow that no subscription, no error and no --workflow-id names. The API "
    "cannot list workflows, so one like that is neither checked nor loaded."
)
_SAID = {"loses": "would lose events"}
_STYLES = {"unreadable": "red", "loses": "red", "at risk": "yellow", "safe": "green"}


@guarded
def check(
    every: Annotated[
        str,
        typer.Option(metavar="PERIOD", help="How often you mean to load, such as 30s, 15m, 1h."),
    ] = "15m",
    as_json: given.Json = False,
    _verbose: given.Verbose = 0,
    *,
    polling: given.Polling,
) -> None:
    """Ask what the key can read, how fast it fills, and what loading every 15m would lose.

    Nothing is written, neither here nor in Pipedream.
    """
    every_s = period_s(every)
    from pipedream_source.cli.flags.config import session_from
    from pipedream_source.cli.run.progress import shown_progress
    from pipedream_source.running.survey import survey

    show_warnings(wanted=verbosity() > 0)
    session = session_from(polling.arguments())
    with session.client, shown_progress(session, wanted=not as_json):
        found = survey(session, every_s=every_s)
    if as_json:
        print_json(_as_dict(found))
    else:
        _print(out(), found)
    raise typer.Exit(found.exit_code)


def _as_dict(found: Survey) -> dict[str, Any]:
    inventory = found.inventory
    return {
        "exit_code": found.exit_code,
        "user": {name: found.user.get(name) for name in ("id", "username", "email")},
        "workspaces": [{"id": key, "name": name} for key, name in _workspaces(found)],
        "failed_lists": inventory.failed_lists,
        "sources": {"active": _active(found), "listed": len(inventory.sources)},
        "workflows": [
            {"id": key, "name": found.names.get(key), "found_by": sorted(how)}
            for key, how in sorted(inventory.found_by.items())
        ],
        "every_s": found.every_s,
        "advised_every_s": found.advised_every_s,
        "streams": [{**asdict(s), "name": found.names.get(s.emitter_id)} for s in found.streams],
        "not_known": UNKNOWABLE,
    }


def _print(console: Console, found: Survey) -> None:
    console.print(grid(_account(found)))
    if found.streams:
        console.print()
        print_streams(console, found)
    for stream in found.streams:
        if stream.error:
            name = f"{stream.emitter_id} {stream.channel}".rstrip()
            why = stream.error.removeprefix(f"{name}: ")
            console.print(f"[red]unreadable[/]  {shown(name)}: {shown(why, 500)}")
    console.print()
    console.print(advice(found))
    console.print(f"[dim]{UNKNOWABLE}[/]")


def _account(found: Survey) -> Iterator[tuple[str, str]]:
    user, failed = found.user, found.inventory.failed_lists
    if user:
        yield "key", f"[green]accepted[/], user {shown(user.get('username') or user.get('id'))}"
    else:
        yield "key", "[yellow]not verified[/]: who it belongs to could not be read"
    spaces = [f"{shown(name or key)} [dim]{shown(key)}[/]" for key, name in _workspaces(found)]
    yield "workspaces", ", ".join(spaces) or "none"
    listed = len(found.inventory.sources)
    yield "sources", f"{listed} listed, {_active(found)} active" if listed else "none listed"
    yield "workflows", ", ".join(_workflows(found)) or "none found"
    for name, why in sorted(failed.items()):
        yield "list", f"[red]failed[/] {shown(name)}: {shown(why, 500)}"


def _workflows(found: Survey) -> Iterator[str]:
    for key, how in sorted(found.inventory.found_by.items()):
        name = found.names.get(key)
        yield f"{shown(name or key)} [dim]by {' and '.join(sorted(how))}[/]"


def _workspaces(found: Survey) -> Iterator[tuple[str, str | None]]:
    orgs = found.user.get("orgs")
    for org in orgs if isinstance(orgs, list) else []:
        if isinstance(org, dict):
            name = org.get("name") or org.get("orgname")
            yield str(org.get("id")), str(name) if name else None


def _active(found: Survey) -> int:
    return sum(bool(item.get("active")) for item in found.inventory.sources.values())


def print_streams(console: Console, found: Survey) -> None:
    """Write what a period means for each stream, the worst first."""
    order = list(_STYLES)
    streams = sorted(found.streams, key=lambda s: (order.index(s.outlook), -(s.busiest or 0)))
    print_rows(
        console,
        [_cells(s, found) for s in streams],
        {
            "emitter": column("emitter"),
            "name": column("name", most=24),
            "channel": column("channel", most=20),
            "last event": column("last event", style="dim"),
            "events/h": column("events/h", right=True),
            "100 in": column("100 in", right=True),
            "most": column(f"most/{duration(found.every_s)}", right=True),
            "outlook": column("outlook"),
        },
        spare=("last event", "name"),
        titles=("emitter", "channel", "outlook", "name"),
    )


def _cells(stream: StreamSurvey, found: Survey) -> dict[str, str]:
    told = f"loses ~{stream.lost_per_interval:,}" if stream.lost_per_interval else stream.outlook
    return {
        "emitter": shown(stream.emitter_id),
        "name": shown(found.names.get(stream.emitter_id, "")),
        "channel": shown(stream.channel),
        "last event": moment(stream.last_event_at),
        "events/h": number(stream.events_per_hour),
        "100 in": duration(stream.full_in_s),
        "most": "-" if stream.busiest is None else str(stream.busiest),
        "outlook": f"[{_STYLES[stream.outlook]}]{told}[/]",
    }


def advice(found: Survey) -> str:
    """Say what the schedule means, and which one is safe."""
    every = duration(found.every_s)
    counts = dict.fromkeys(_STYLES, 0)
    for stream in found.streams:
        counts[stream.outlook] += 1
    told = [f"[{_STYLES[o]}]{count} {_SAID.get(o, o)}[/]" for o, count in counts.items() if count]
    text = f"Loading every {every}: {', '.join(told) or 'no stream to load'}."
    advised = found.advised_every_s
    if counts["loses"] or counts["at risk"]:
        text += (
            f" Every {duration(advised)} would be safe at the pace seen."
            if advised and advised >= 1
            else " A burst faster than any poll was seen: only a subscription catches those."
        )
    return text
