"""The views of objects: sources as they are now, and what was used each day."""

from __future__ import annotations

from typing import Final

from pipedream_source.resources.schema.table import Column, real, text, time, whole
from pipedream_source.resources.schema.tables import SOURCES
from pipedream_source.resources.schema.view import View
from pipedream_source.resources.schema.view_sql import SOURCE_AGE

_OF_SOURCE: Final = ("name_slug", "user_id", "configured_props", "created_at", "updated_at")
_IN_FORCE: Final = ("component_id", "active", *_OF_SOURCE, "listed_in", "extra")
SOURCES_NOW: Final = View(
    "sources_now",
    "One row per source that exists: the version in force.",
    {
        "id": SOURCES.fields["id"],
        "name": SOURCES.fields["name"],
        **{name: SOURCES.fields[name] for name in _IN_FORCE},
        "since": time("When a load first read this version."),
        "versions": whole("Versions that were read, this one included."),
    },
    f"""\
SELECT version.id, version.name, {", ".join(f"version.{name}" for name in _IN_FORCE)},
    version._dlt_valid_from AS since, version.versions
FROM (
    SELECT source.*, count(*) OVER (PARTITION BY source.id) AS versions,
        {SOURCE_AGE}
    FROM {{sources}} AS source
) AS version
WHERE version.age = 1 AND version._dlt_valid_to IS NULL""",  # noqa: S608
)

#: What is counted each day: how people call it, and its columns.
_MEASURES: Final = {
    "credits": "daily_credits",
    "invocations": "daily_invocations",
    "compute time (ms)": "daily_compute_time",
}
_SNAPSHOTS: Final = "\n    UNION ALL\n".join(
    f"    SELECT '{kind}' AS owner_kind, id, {name} AS name, snapshot_at, '{measure}' AS measure, "  # noqa: S608
    f"{column}_used AS used, {column}_quota AS quota FROM {{{kind}s}} AS {kind}s"
    for kind, name in (("workspace", "name"), ("user", "username"))
    for measure, column in _MEASURES.items()
)
_OWNER: Final = "owner_kind, id, measure"
USAGE_DAILY: Final = View(
    "usage_daily",
    "One row per user or workspace, measure and day of UTC with a snapshot.",
    {
        "owner_kind": text("`user` or `workspace`."),
        "owner_id": text("Id of the user or workspace."),
        "owner_name": text("Its newest name; null when unknown."),
        "measure": text("`credits`, `invocations` or `compute time (ms)`."),
        "day": Column("date", "The day, from midnight to midnight.", "UTC"),
        "used": whole("What was used of it: the highest figure seen that day."),
        "quota": whole("What may be used in a day."),
        "share": real("`used` divided by `quota`; null without a quota."),
        "until": time("When the API was asked last that day: later use is not in `used`."),
        "snapshots": whole("How often it was asked that day.", "snapshots"),
    },
    # A figure that is read within an hour after midnight and has not fallen since the one before is
    # still yesterday's: the API begins anew somewhat late.
    f"""\
SELECT counted.owner_kind, counted.id AS owner_id,
    max(CASE WHEN counted.age = 1 THEN counted.name END) AS owner_name,
    counted.measure, counted.day, max(counted.used) AS used,
    max(CASE WHEN counted.age = 1 THEN counted.quota END) AS quota,
    CAST(max(counted.used) AS DOUBLE PRECISION)
        / nullif(max(CASE WHEN counted.age = 1 THEN counted.quota END), 0) AS share,
    max(counted.snapshot_at) AS until, count(*) AS snapshots
FROM (
    SELECT dated.*,
        row_number() OVER (PARTITION BY {_OWNER}, day ORDER BY snapshot_at DESC) AS age
    FROM (
        SELECT marked.*, CASE
            WHEN is_early AND used > 0 AND before IS NOT NULL AND falls = 0
            THEN asked_on - 1 ELSE asked_on END AS day
        FROM (
            SELECT stepped.*, sum(CASE WHEN used < before THEN 1 ELSE 0 END) OVER (
                PARTITION BY {_OWNER}, asked_on ORDER BY snapshot_at
            ) AS falls
            FROM (
                SELECT snapshots.*,
                    lag(used) OVER (PARTITION BY {_OWNER} ORDER BY snapshot_at) AS before,
                    CAST(snapshot_at AT TIME ZONE 'UTC' AS DATE) AS asked_on,
                    extract(hour FROM snapshot_at AT TIME ZONE 'UTC') < 1 AS is_early
                FROM (
{_SNAPSHOTS}
                ) AS snapshots
                WHERE used IS NOT NULL
            ) AS stepped
        ) AS marked
    ) AS dated
) AS counted
GROUP BY counted.owner_kind, counted.id, counted.measure, counted.day""",  # noqa: S608
)
