"""What the user and each workspace have used: the API keeps no history of it, so each load asks.

`GET /users/me` is asked at each load anyway and tells of the workspaces too; each of them is
asked for its own numbers, which are the newest.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from pipedream_source.api.protocol import is_id
from pipedream_source.exceptions import GaveUp, PipedreamError
from pipedream_source.resources.objects.object_lookups import look_up
from pipedream_source.resources.objects.object_rows import row_of
from pipedream_source.resources.schema.tables import USERS, WORKSPACES, Table
from pipedream_source.resources.session.session import Session

_LOG = logging.getLogger("pipedream_source")
Row = dict[str, Any]


def user_rows(session: Session) -> list[Row]:
    """Return a snapshot of the user, with the ids of the workspaces instead of these.

    No user stands behind an OAuth client.
    """
    me = session.account.check_key()
    user = {name: value for name, value in me.items() if name != "orgs"}
    users = {str(user["id"]): {**user, "org_ids": [*_orgs(me)]}} if user.get("id") else {}
    return _snapshots(USERS, users)


def workspace_rows(session: Session) -> list[Row]:
    """Return a snapshot of each workspace of the scope.

    One that cannot be asked is told of as `GET /users/me` does. Without discovery none is asked.
    """
    found = _orgs(session.account.check_key())
    if only := session.selection.org_id:
        found = {only: found.get(only, {})}
    asked = [key for key in found if is_id(key)] if session.selection.discover else []
    for key, answer in look_up(session, session.client.workspace, asked):
        if not isinstance(answer, PipedreamError):
            found[key] = {**found[key], **answer}
        elif found[key] or isinstance(answer, GaveUp):
            _LOG.debug("workspace %s: %s", key, answer)
        else:
            session.tally.note_error(f"{WORKSPACES.name}/{key}", answer)
    return _snapshots(WORKSPACES, {key: org for key, org in found.items() if org})


def _orgs(me: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """Return the workspaces that the answer about the user names, by id."""
    orgs = me.get("orgs")
    named = [org for org in orgs if isinstance(org, dict)] if isinstance(orgs, list) else []
    return {org["id"]: org for org in named if isinstance(org.get("id"), str)}


def _snapshots(table: Table, objects: Mapping[str, Mapping[str, Any]]) -> list[Row]:
    now = datetime.now(UTC)
    return [row_of(table, {**item, "id": key, "snapshot_at": now}) for key, item in objects.items()]
