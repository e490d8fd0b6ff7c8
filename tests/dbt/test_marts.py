"""Every mart's figures equal those that pandas computes from what the sandbox emitted."""

import json
from collections import Counter

import dlt
import pandas as pd
import pytest

from pipedream_source import coverage
from tests.dbt.project import frame
from tests.dbt.truth import fields_of, fingerprint_parts, kind_of
from tests.dbt.world import World

KEY = ["emitter_id", "channel", "event_id"]
PERIODS = {"1h": "1h", "24h": "24h", "7d": "7D"}


@pytest.fixture(scope="module")
def events(world: World) -> pd.DataFrame:
    return world.truth.events()


@pytest.fixture(scope="module")
def errors(events: pd.DataFrame) -> pd.DataFrame:
    """Errors of workflows, with what makes two of them the same error."""
    found = events[events.event_kind == "workflow_error"].copy()
    found["parts"] = found.payload.map(fingerprint_parts)
    found["context"] = found.payload.map(lambda payload: json.loads(payload)["original_context"])
    return found


def test_the_world_is_what_it_is_meant_to_be(world: World, events: pd.DataFrame) -> None:
    late = events[(events.emitter_id == world.late) & (events.load == 1)]
    assert (late.event_id.str.endswith("-7")).sum() == 2
    gaps = frame(world.database, "SELECT * FROM fct_gaps")
    assert set(gaps.emitter_id) == {world.overrun, world.purged}


def test_fct_events(world: World, events: pd.DataFrame) -> None:
    found = frame(world.database, "SELECT * FROM fct_events").set_index(KEY).sort_index()
    due = events.set_index(KEY).sort_index()
    assert found.index.equals(due.index)
    assert list(found.event_kind) == list(due.event_kind)
    assert list(found.is_error) == list(due.is_error)
    assert list(found.emitted_at) == list(due.emitted_at)
    assert list(found.payload_bytes) == [len(payload) for payload in due.payload]
    assert list(found.payload_kind) == [kind_of(json.loads(payload)) for payload in due.payload]
    assert found.load_id.nunique() == due.load.nunique() == 5


def test_fct_workflow_errors(world: World, errors: pd.DataFrame) -> None:
    found = (
        frame(world.database, "SELECT * FROM fct_workflow_errors")
        .set_index("event_id")
        .sort_index()
    )
    due = errors.set_index("event_id").sort_index()
    assert list(found.index) == list(due.index)
    for place, column in enumerate(("error_code", "message_normalised", "top_frame")):
        assert list(found[column]) == [parts[place] for parts in due.parts], column
    for column in ("workflow_id", "workflow_name", "deployment_id", "project_id", "trace_id"):
        assert list(found[column]) == [context[column] for context in due.context], column
    pairs = set(zip(found.fingerprint, due.parts, strict=True))
    assert len(pairs) == found.fingerprint.nunique() == due.parts.nunique()


def test_fct_error_groups(world: World, errors: pd.DataFrame) -> None:
    found = frame(world.database, "SELECT * FROM fct_error_groups")
    found = found.set_index(["error_code", "message_normalised", "top_frame"]).sort_index()
    errors = errors.assign(workflow=errors.context.map(lambda context: context["workflow_id"]))
    groups = errors.groupby("parts")
    due = groups.agg(
        first=("emitted_at", "min"),
        last=("emitted_at", "max"),
        errors=("event_id", "size"),
        workflows=("workflow", "nunique"),
    ).sort_index()
    assert list(found.index) == list(due.index)
    assert list(found["first_seen_at"]) == list(due["first"])
    assert list(found["last_seen_at"]) == list(due["last"])
    assert list(found["errors"]) == list(due["errors"])
    assert list(found["workflows"]) == list(due["workflows"])
    recent = (
        errors[errors.emitted_at > world.truth.now - pd.Timedelta("24h")].groupby("parts").size()
    )
    assert list(found["errors_24h"]) == list(recent.reindex(due.index, fill_value=0))
    assert list(found["is_new"]) == list(due["first"] > world.truth.now - pd.Timedelta("1D"))


def test_fct_emitter_hourly(world: World, events: pd.DataFrame) -> None:
    found = frame(world.database, "SELECT * FROM fct_emitter_hourly")
    query = "SELECT emitter_id, max(last_polled_at) AS at FROM pipedream.stream_status GROUP BY ALL"
    polled = frame(world.database, query).set_index("emitter_id")["at"].dt.floor("h")
    assert polled[world.deleted] < polled.max() == world.truth.now.floor("h")
    assert set(found.emitter_id) == set(events.emitter_id)
    for emitter, of in events.assign(hour=events.emitted_at.dt.floor("h")).groupby("emitter_id"):
        hours = pd.date_range(of.hour.min(), max(polled[emitter], of.hour.max()), freq="h")
        mine = found[found.emitter_id == emitter].set_index("hour_at").sort_index()
        assert list(mine.index) == list(hours)
        for column, rows in (("errors", of[of.is_error]), ("events", of[~of.is_error])):
            due = rows.groupby("hour").size().reindex(hours, fill_value=0)
            assert list(mine[column]) == list(due), (emitter, column)
        sizes = of.assign(size=of.payload.map(len)).groupby("hour")["size"].sum()
        assert list(mine.payload_bytes) == list(sizes.reindex(hours, fill_value=0))
        rate = of.groupby("hour").is_error.mean().reindex(hours)
        pd.testing.assert_series_equal(
            mine.error_rate, rate, check_names=False, check_freq=False, check_index_type=False
        )


def test_fct_workflow_health(world: World, events: pd.DataFrame) -> None:
    found = frame(world.database, "SELECT * FROM fct_workflow_health").set_index("workflow_id")
    now = world.truth.now
    assert set(found.index) >= set(events[events.emitter_id.str.startswith("p_")].emitter_id)
    for workflow, row in found.iterrows():
        of = events[events.emitter_id == workflow]
        emits, errors = of[~of.is_error].emitted_at, of[of.is_error].emitted_at
        for name, period in PERIODS.items():
            counts = [int((times > now - pd.Timedelta(period)).sum()) for times in (errors, emits)]
            assert [row[f"errors_{name}"], row[f"emits_{name}"]] == counts
            due = counts[0] / sum(counts) if sum(counts) else float("nan")
            assert row[f"error_rate_{name}"] == pytest.approx(due, nan_ok=True)
        assert row.last_success_at is emits.max() or row.last_success_at == emits.max()
        assert row.last_error_at is errors.max() or row.last_error_at == errors.max()
        assert row.error_streak == (errors > emits.max()).sum()
        assert row.as_of == now


def test_fct_gaps_and_fct_completeness(world: World, events: pd.DataFrame) -> None:
    """What was lost lies in the range that is told, and every day holds its events."""
    gaps = frame(world.database, "SELECT * FROM fct_gaps").set_index("emitter_id")
    emitted = world.truth.emitted()[world.overrun, ""]
    lost = emitted - len(events[events.emitter_id == world.overrun])
    gap = gaps.loc[world.overrun]
    assert lost > 0
    assert gap.lost_min <= lost <= gap.lost_max
    assert (gap.verdict, gap.emitter_name) == ("overrun", "Deploy hooks")
    assert gaps.loc[world.purged].verdict == "purged"
    days = frame(world.database, "SELECT * FROM fct_completeness")
    due = events.groupby(
        ["emitter_id", "channel", events.emitted_at.dt.strftime("%Y-%m-%d")]
    ).size()
    loaded = days[days.events_loaded > 0]
    index = [loaded.emitter_id, loaded.channel, loaded.day.dt.strftime("%Y-%m-%d")]
    assert dict(loaded.events_loaded.groupby(index).sum()) == dict(due)
    assert days[days.emitter_id == world.overrun].lost_max.sum() == gap.lost_max
    lossless = days[~days.emitter_id.isin([world.overrun, world.purged, world.deleted])]
    assert set(lossless.share_complete) == {1.0}
    last = days[(days.emitter_id == world.overrun)].sort_values("day").iloc[-1]
    assert 0 < last.share_complete < 1


def test_coverage_intervals_are_those_of_the_certificate(world: World) -> None:
    pipeline = dlt.pipeline(
        "pipedream_events",
        destination=dlt.destinations.duckdb(str(world.database)),
        dataset_name="pipedream",
        pipelines_dir=str(world.database.parent / "reading"),
    )
    due = coverage(pipeline)
    order = "emitter_id, channel, interval_number"
    query = f"SELECT * FROM int_pipedream__coverage_intervals ORDER BY {order}"
    found = frame(world.database, query).rename(columns={"started_at": "start", "ended_at": "end"})
    assert set(due.standing) == {"complete", "lost", "unknown", "ended"}
    assert set(due[due.standing == "ended"].emitter_id) == {world.deleted}
    found = found[list(due.columns)].astype({"lost_likely": "Int64", "lost_max": "Int64"})
    pd.testing.assert_frame_equal(found, due, check_dtype=False)


def test_dim_emitters(world: World, events: pd.DataFrame) -> None:
    found = frame(world.database, "SELECT * FROM dim_emitters")
    latest = found[found.is_latest].set_index("emitter_id")
    emitters = world.truth.emitters().set_index("emitter_id")
    sources = emitters[emitters.index.str.startswith("dc_")]
    assert set(latest[latest.emitter_type == "source"].index) == {*sources.index, world.deleted}
    assert set(latest[~latest.is_current].index) == {world.deleted}
    told = latest[["name", "is_active", "component_id"]].to_dict("index")
    for emitter, record in sources.record.items():
        due = {"name": record["name"], "is_active": record["active"]}
        assert told[emitter] == due | {"component_id": record["component_id"]}
    names = found[found.emitter_id == world.renamed].sort_values("version_number").name
    assert list(names) == ["Company blog", "The blog"]
    last = events.groupby("emitter_id").emitted_at.max()
    assert dict(latest.last_event_at.dropna()) == dict(last)


def test_dim_components(world: World) -> None:
    found = frame(world.database, "SELECT * FROM dim_components").set_index("component_id")
    workspace = world.truth.dumps[-1]["workspace"]
    components = {component["id"]: component for component in workspace["components"]}
    uses = Counter(
        e["record"]["component_id"] for e in workspace["emitters"] if e["id"].startswith("dc_")
    )
    assert {name: count for name, count in found.sources.items() if count} == dict(uses)
    for name, row in found.iterrows():
        assert row.is_readable
        assert row.code_characters == len(workspace["codes"][components[str(name)]["code"]])


def test_fct_subscriptions(world: World) -> None:
    found = frame(world.database, "SELECT * FROM fct_subscriptions").set_index("subscription_id")
    found = found.astype(object).where(found.notna(), None)
    workspace = world.truth.dumps[-1]["workspace"]
    names = {e["id"]: e["name"] for e in workspace["emitters"]}
    names |= {hook["id"]: hook["name"] or hook["url"] for hook in workspace["webhooks"]}
    due = {s["record"]["id"]: s["record"] for s in workspace["subscriptions"]}
    assert set(found.index) == set(due)
    for subscription, row in found.iterrows():
        told = due[subscription]
        assert (row.emitter_id, row.listener_id) == (told["emitter_id"], told["listener_id"])
        assert row.emitter_exists
        assert row.listener_exists
        for party, name in (
            (row.emitter_id, row.emitter_name),
            (row.listener_id, row.listener_name),
        ):
            # Of a workflow the API tells the name in its errors alone.
            assert name in (names.get(party, None), None), party
            assert name or not party.startswith(("dc_", "wh_"))


def test_fct_usage_daily(world: World) -> None:
    found = frame(world.database, "SELECT * FROM fct_usage_daily")
    for dump in world.truth.dumps:
        workspace = dump["workspace"]
        for owner, measure in [
            (workspace["user"], "invocations"),
            *((org, "credits") for org in workspace["orgs"]),
        ]:
            mine = found[found.owner_id == owner["id"]]
            # The reads of a load count nothing; days are days of this machine's clock.
            assert mine[f"{measure}_used"].max() >= owner[f"daily_{measure}_used"]
            assert set(mine[f"{measure}_quota"]) == {owner[f"daily_{measure}_quota"]}
    most = {
        owner["id"]: max(
            o["daily_credits_used"]
            for dump in world.truth.dumps
            for o in dump["workspace"]["orgs"]
            if o["id"] == owner["id"]
        )
        for owner in world.truth.dumps[0]["workspace"]["orgs"]
    }
    assert (
        dict(found.dropna(subset=["credits_used"]).groupby("owner_id").credits_used.max()) == most
    )
    assert found.groupby("owner_id").snapshots.sum().unique().tolist() == [5]
    of_workspaces = found.dropna(subset=["credits_used"])
    shares = of_workspaces.credits_used / of_workspaces.credits_quota
    assert list(of_workspaces.credits_share) == pytest.approx(list(shares))


def test_fct_payload_fields(world: World, events: pd.DataFrame) -> None:
    found = frame(world.database, "SELECT * FROM fct_payload_fields")
    assert set(found.fields_left_out) == {0}
    for (emitter, channel), of in events.groupby(["emitter_id", "channel"]):
        counts: Counter[str] = Counter()
        types: dict[str, set[str]] = {}
        times: dict[str, list[pd.Timestamp]] = {}
        for payload, at in zip(of.payload, of.emitted_at, strict=True):
            for path, kinds in fields_of(payload).items():
                counts[path] += 1
                types.setdefault(path, set()).add(", ".join(sorted(kinds)))
                times.setdefault(path, []).append(at)
        mine = found[(found.emitter_id == emitter) & (found.channel == channel)].set_index("path")
        assert dict(mine.events) == dict(counts), emitter
        assert dict(mine.types) == {
            path: " | ".join(sorted(kinds)) for path, kinds in types.items()
        }
        assert dict(mine.first_seen_at) == {path: min(at) for path, at in times.items()}
        assert dict(mine.last_seen_at) == {path: max(at) for path, at in times.items()}
        assert mine.share.to_dict() == pytest.approx(
            {path: n / len(of) for path, n in counts.items()}
        )
