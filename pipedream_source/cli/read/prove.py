"""`pipedream-source prove`: the certificate of completeness, for people and for schedulers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.table import Column

from pipedream_source.cli.command.errors import guarded
from pipedream_source.cli.flags import options as given
from pipedream_source.cli.flags.times import time_of
from pipedream_source.cli.output.console import (
    column,
    duration,
    grid,
    lost_range,
    lost_total,
    moment,
    out,
    plural,
    print_json,
    shown,
)
from pipedream_source.cli.output.layout import print_rows
from pipedream_source.cli.read.database import open_reader
from pipedream_source.core.completeness.loss_sum import LossSum
from pipedream_source.core.completeness.proof import IN_ORDER, Segment, Standing, as_row
from pipedream_source.running.exit_codes import LOST

if TYPE_CHECKING:
    from pipedream_source.certificate import Certificate, StreamProof

EXAMPLES = (
    "[bold]Examples[/]\n\n"
    "  pipedream-source prove\n\n"
    "  pipedream-source prove --since 7d --emitter dc_abc123 --json\n\n"
    "  pipedream-source load && pipedream-source prove --since 1d || notify-the-team"
)
_STYLES = {
    Standing.COMPLETE: "green",
    Standing.LOST: "yellow",
    Standing.UNKNOWN: "red",
    Standing.UNOBSERVED: "cyan",
    Standing.EXCLUDED: "dim",
    Standing.ENDED: "dim",
    Standing.DOUBLED: "yellow",
}
_MEANING = {
    Standing.LOST: "thrown away between two polls, or at exactly 100 events perhaps not",
    Standing.UNKNOWN: "something contradicts itself or was deleted; how much is missing is unknown",
    Standing.UNOBSERVED: "no poll tells of it",
    Standing.DOUBLED: "nothing is missing, but rows stand more than once: remove the copies, see "
    "docs/destinations.md",
    Standing.EXCLUDED: "polled, and left out as asked; no failure",
    Standing.ENDED: "the emitter does not exist any more; no failure",
}
_NOT_LOST = IN_ORDER | {Standing.DOUBLED}
_TOLD = 40


@guarded
def prove(
    emitter: Annotated[
        list[str] | None, typer.Option(metavar="ID", help="Only this emitter's; repeatable.")
    ] = None,
    since: Annotated[
        str | None,
        typer.Option(metavar="TIME", help="From this time on: ISO 8601, or such as 7d."),
    ] = None,
    until: Annotated[
        str | None,
        typer.Option(
            metavar="TIME",
            help="Up to this time, unobserved behind the last poll; that poll by default.",
        ),
    ] = None,
    as_json: given.Json = False,
    _verbose: given.Verbose = 0,
    *,
    place: given.Place,
) -> None:
    """Say what is proven complete of each stream, what is lost, unknown or was never observed.

    Read from the database alone, nothing is asked of the API: stretches of polls that each overlap
    the one before (table [bold]stream_coverage[/]) and the gaps between them ([bold]event_gaps[/]).
    Ends with 4 when anything in the period is not complete.
    """
    from pipedream_source.api.protocol import check_id
    from pipedream_source.certificate import Store, certify

    wanted = [check_id(one, "--emitter") for one in emitter or ()]
    with open_reader(place.target()) as reader:
        names = reader.names()
        found = certify(
            Store(reader.rows, reader.tables),
            since=time_of(since),
            until=time_of(until, "--until"),
            emitters=wanted,
        )
    known = {stream.emitter_id for stream in found.streams}
    missing = sorted(set(wanted) - known)
    complete = found.is_complete and not missing
    if as_json:
        print_json(_as_json(found, names) | {"complete": complete, "unknown_emitters": missing})
    else:
        _print(out(), found, names, missing)
    if not complete:
        raise typer.Exit(LOST)


def _as_json(found: Certificate, names: dict[str, str]) -> dict[str, Any]:
    return {
        "since": found.since,
        "until": found.until,
        "streams": [
            {
                "emitter_id": stream.emitter_id,
                "channel": stream.channel,
                "name": names.get(stream.emitter_id),
                "complete": stream.is_complete,
                "last_poll_at": stream.last_poll_at,
                "events": stream.events,
                "quarantined": stream.quarantined,
                "copies": stream.copies,
                "ended": stream.has_ended,
                "lost": _lost(stream.segments).as_dict(),
                "segments": [as_row(segment) for segment in stream.segments],
            }
            for stream in found.streams
        ],
        "lost": _lost(s for stream in found.streams for s in stream.segments).as_dict(),
    }


def _lost(segments: Iterable[Segment]) -> LossSum:
    """Add up what is not complete: nobody knows what is missing where nobody looked."""
    return LossSum.of(
        (s.lost_min, s.lost_likely, s.lost_max) for s in segments if s.standing not in _NOT_LOST
    )


def _print(
    console: Console, found: Certificate, names: dict[str, str], missing: Sequence[str]
) -> None:
    for one in missing:
        console.print(f"[yellow]unknown[/]  {shown(one)}: no stream of it was ever polled")
    if not found.streams:
        which = "of these emitters" if missing else "of any emitter"
        console.print(f"[yellow]Nothing is proven[/]: no stream {which} was ever polled.")
        return
    print_rows(
        console,
        [_cells(stream, names) for stream in found.streams],
        _columns(),
        spare=("longest pause", "events", "name"),
        titles=("emitter", "channel", "standing", "name"),
    )
    holes = [(stream, s) for stream in found.streams for s in _holes(stream)]
    if holes:
        console.print()
        console.print(grid(_told(holes)))
        present = {s.standing for _, s in holes}
        console.print(grid((k, f"[dim]{v}[/]") for k, v in _MEANING.items() if k in present))
    _print_verdict(console, found)


def _print_verdict(console: Console, found: Certificate) -> None:
    whole = sum(stream.is_complete for stream in found.streams)
    begin = f"since {moment(found.since)}" if found.since else "since each was first seen"
    end = f"the last poll at {moment(found.latest, seconds=True)}"
    if found.until != found.latest:
        end = moment(found.until, seconds=True)
    period = f"{begin}, until {end} UTC"
    if ended := sum(stream.has_ended for stream in found.streams):
        period += f" ({ended} ended before)"
    if found.is_complete:
        console.print(f"\n[green]Complete[/]: {plural(whole, 'stream')}, {period}.")
        return
    console.print(
        f"\n[yellow]Not complete[/]: {whole} of {plural(len(found.streams), 'stream')} "
        f"{'is' if whole == 1 or len(found.streams) == 1 else 'are'}, {period}. {_told_lost(found)}"
    )


def _told_lost(found: Certificate) -> str:
    holes = [s for stream in found.streams for s in _holes(stream) if s.standing not in _NOT_LOST]
    unseen = sum(s.standing is Standing.UNOBSERVED for s in holes)
    seen = [s for s in holes if s.standing is not Standing.UNOBSERVED]
    lost = lost_total(_lost(seen), "period") if seen else "nothing that is known"
    unobserved = f" Unobserved: {plural(unseen, 'period')}." if unseen else ""
    copies = sum(stream.copies for stream in found.streams)
    doubled = f" Copies: {plural(copies, 'row')}." if copies else ""
    return f"Lost: {lost}.{unobserved}{doubled}"


def _holes(stream: StreamProof) -> list[Segment]:
    return [s for s in stream.segments if s.standing is not Standing.COMPLETE]


def _told(holes: list[tuple[StreamProof, Segment]]) -> Iterator[tuple[str, str]]:
    """Say of each hole where it is and why; of many, the last ones."""
    for stream, s in holes[-_TOLD:]:
        begin = moment(s.start, seconds=True) if s.start else "the beginning"
        lost = lost_range(s.lost_min, s.lost_likely, s.lost_max)
        amount = f" ({lost})" if s.standing is Standing.LOST or s.lost_min else ""
        name = shown(f"{stream.emitter_id} {stream.channel}".rstrip())
        standing = f"[{_STYLES[s.standing]}]{s.standing.value}[/]"
        period = f"{begin} to {moment(s.end, seconds=True)}"
        yield name, f"{standing}{amount} from {period}: {shown(s.why, 300)}"
    if len(holes) > _TOLD:
        yield "", f"[dim]and {len(holes) - _TOLD:,} more, see --json[/]"


def _columns() -> dict[str, Column]:
    return {
        "emitter": column("emitter"),
        "name": column("name", most=24),
        "channel": column("channel", most=20),
        "standing": column("standing"),
        "complete from": column("complete from"),
        "last poll": column("last poll", style="dim"),
        "polls": column("polls", right=True),
        "longest pause": column("longest pause", right=True),
        "events": column("events", right=True),
    }


def _cells(stream: StreamProof, names: dict[str, str]) -> dict[str, str]:
    standings = {s.standing for s in stream.segments}
    worst = next((s for s in (*_MEANING, Standing.COMPLETE) if s in standings), Standing.UNOBSERVED)
    whole = [s for s in stream.segments if s.standing is Standing.COMPLETE]
    pauses = [s.longest_pause_s for s in whole if s.longest_pause_s]
    last = whole[-1] if whole else None
    begin = (moment(last.start) if last.start else "the beginning") if last else "-"
    return {
        "emitter": shown(stream.emitter_id),
        "name": shown(names.get(stream.emitter_id, "")),
        "channel": shown(stream.channel),
        "standing": f"[{_STYLES[worst]}]{worst.value}[/]",
        "complete from": begin,
        "last poll": moment(stream.last_poll_at),
        "polls": f"{sum(s.polls for s in whole):,}",
        "longest pause": duration(max(pauses, default=None)),
        "events": f"{stream.events:,}",
    }
