"""`sources forget` and `workflows forget`: an emitter that is asked no more; its rows stay."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from pipedream_source.cli.flags.confirm import can_ask, confirm
from pipedream_source.cli.flags.options import SAFETY
from pipedream_source.cli.output.console import out, plural, print_json, shown
from pipedream_source.cli.read.database import open_reader
from pipedream_source.exceptions import ConfigurationError

if TYPE_CHECKING:
    from pipedream_source.cli.flags.options import Place
    from pipedream_source.running.destination.target import Target


DryRun = Annotated[
    bool,
    typer.Option(
        "--dry-run",
        help="Say what would be forgotten; change nothing.",
        rich_help_panel=SAFETY,
    ),
]


def forget_emitter(
    emitter_id: str, kind: str, place: Place, *, dry_run: bool, yes: bool, as_json: bool
) -> None:
    """Show what is known of an emitter, have its name typed, and forget it.

    Args:
        emitter_id: as the user named it.
        kind: `source` or `workflow`.
        place: where its rows are.
        dry_run: only say what would be forgotten.
        yes: do not ask.
        as_json: write the outcome as JSON.

    Raises:
        ConfigurationError: it is no id of this kind, no stream of it was ever polled, or nobody
            can be asked.
        NotConfirmed: another name was typed.
    """
    from pipedream_source.api.protocol import check_id, is_workflow
    from pipedream_source.cli.flags.config import session_from
    from pipedream_source.running.load.forget import forget

    check_id(emitter_id, f"{kind} id", kind="p" if kind == "workflow" else "")
    if kind == "source" and is_workflow(emitter_id):
        raise ConfigurationError(f"{emitter_id} is a workflow: use `workflows forget`")
    target = place.target()
    item = _known(target, emitter_id)
    if not (dry_run or yes):
        if not can_ask():
            raise ConfigurationError(
                f"Forgetting {emitter_id} needs its name typed, and this is no terminal: say --yes "
                "to go on without, or --dry-run to see what would be forgotten"
            )
        confirm(item, f"{kind} for later loads; its rows stay", does="forgets")
    loaded = True
    if not dry_run:
        session = session_from({})
        with session.client:
            loaded = forget(target, session, emitter_id).loaded
    if as_json:
        print_json(item | {"dry_run": dry_run, "loaded": loaded and not dry_run})
    else:
        _tell(item, dry_run=dry_run)


def _known(target: Target, emitter_id: str) -> dict[str, Any]:
    """Return what the tables tell of an emitter."""
    with open_reader(target) as reader:
        rows = [row for row in reader.table("stream_status") if row["emitter_id"] == emitter_id]
        name = reader.names().get(emitter_id)
    if not rows:
        raise ConfigurationError(
            f"{emitter_id}: no load into this dataset polled a stream of it; nothing to forget"
        )
    polls = [row["last_polled_at"] for row in rows if row["last_polled_at"]]
    return {
        "id": emitter_id,
        "name": name,
        "channels": sorted({row["channel"] for row in rows}),
        "last_polled_at": max(polls, default=None),
    }


def _tell(item: dict[str, Any], *, dry_run: bool) -> None:
    name = f"{shown(item['name'] or item['id'])} [dim]{shown(item['id'])}[/]"
    streams = plural(len(item["channels"]), "stream")
    did = "[yellow]Would forget[/]" if dry_run else "[green]Forgot[/]"
    out().print(f"{did} {name}, {streams}; what is loaded stays.")
    if not dry_run:
        out().print(
            "[dim]Later loads ask it only if a list, a subscription, a new error or the "
            "configuration names it.[/]"
        )
