"""Arguments in, a session out: checked before anything is sent."""

from __future__ import annotations

from collections.abc import Sequence

import pendulum

from pipedream_source.api.client import PipedreamClient
from pipedream_source.api.protocol import check_id, is_workflow
from pipedream_source.core.text.redaction import printable
from pipedream_source.exceptions import ConfigurationError
from pipedream_source.resources.session.discovery import Selection
from pipedream_source.resources.session.session import Options, Session
from pipedream_source.settings import MAX_WORKERS, QUIET_POLL_S


def open_session(
    client: PipedreamClient,
    *,
    source_ids: Sequence[str] | None = None,
    workflow_ids: Sequence[str] | None = None,
    channels: Sequence[str] | None = None,
    since: str | None = None,
    discover: bool = True,
    full_window: bool = False,
    max_workers: int = MAX_WORKERS,
    quiet_poll_s: float = QUIET_POLL_S,
) -> Session:
    """Check the arguments and bundle what all resources share; see `pipedream_source`.

    Raises:
        ConfigurationError: an id, a channel, a time or a number cannot be used.
    """
    if max_workers < 1:
        raise ConfigurationError(f"max_workers must be at least 1, not {max_workers}")
    selection = Selection(
        source_ids=_source_ids(source_ids),
        workflow_ids=tuple(check_id(w, "workflow_ids", kind="p") for w in workflow_ids or ()),
        channels=tuple(dict.fromkeys(channels)) if channels else None,
        discover=discover,
        org_id=client.org_id,
    )
    if not discover and not selection.source_ids and not selection.workflow_ids:
        raise ConfigurationError(
            "Without discovery, name what to poll: source_ids or workflow_ids (--source-id, "
            "--workflow-id)"
        )
    options = Options(parse_since(since), full_window, max_workers, quiet_poll_s)
    return Session(client, selection, options)


def _source_ids(source_ids: Sequence[str] | None) -> tuple[str, ...] | None:
    if source_ids is None:
        return None
    checked = tuple(dict.fromkeys(check_id(s, "source_ids") for s in source_ids))
    for source_id in checked:
        if is_workflow(source_id):
            raise ConfigurationError(
                f"source_ids: {source_id!r} is a workflow; name it in workflow_ids"
            )
    return checked


def parse_since(since: str | None) -> int | None:
    """Read a time or a period back from now as Unix milliseconds.

    Args:
        since: ISO 8601 (UTC unless it says otherwise), or a number with `s`, `m`, `h`, `d` or `w`.

    Raises:
        ConfigurationError: it is neither.
    """
    if since is None:
        return None
    try:
        moment = _moment(since.strip())
        return int(moment.in_timezone("UTC").timestamp() * 1000)
    except (ValueError, OverflowError):
        raise ConfigurationError(
            f"since: {printable(since)!r} is neither a time such as 2026-11-01T00:00:00Z nor a "
            "period such as 7d, 12h or 30m, or lies outside of the years 1 to 9999"
        ) from None


def _moment(text: str) -> pendulum.DateTime:
    """Read a time or a period back from now.

    Raises:
        ValueError: it is neither.
        OverflowError: no calendar of Python goes so far.
    """
    units = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
    if text[:-1].isdecimal() and text[-1:] in units and len(text) < 8:
        return pendulum.now("UTC").subtract(**{units[text[-1]]: int(text[:-1])})
    parsed = pendulum.parse(text)
    if not isinstance(parsed, pendulum.DateTime):
        raise ValueError(text)
    return parsed
