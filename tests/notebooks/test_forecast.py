"""Forecasts, on days whose end is known."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pandas as pd
import pytest

from notebooks.reading import forecast, usage

BEGIN = datetime(2026, 3, 1, tzinfo=UTC)


def totals(daily: list[float], step_h: int = 6) -> pd.DataFrame:
    """Return a rising total, read every few hours."""
    reached = np.concatenate([[0.0], np.cumsum(daily)])
    hours = np.arange(0, 24 * len(daily) + 1, step_h)
    times = [BEGIN + timedelta(hours=int(h)) for h in hours]
    credits = np.interp(hours / 24, np.arange(len(reached)), reached)
    return pd.DataFrame({"snapshot_at": pd.Series(times), "credits": credits, "ends": BEGIN})


def test_the_use_of_whole_days_is_read_off_a_total() -> None:
    assert list(forecast.daily_use(totals([10, 20, 30]))) == pytest.approx([10, 20, 30])
    assert forecast.daily_use(totals([10])[:3]).empty


def test_equal_days_leave_no_doubt() -> None:
    days = pd.Series([10.0] * 5)
    now, end = BEGIN + timedelta(days=5), BEGIN + timedelta(days=8, hours=12)
    found = forecast.forecast(50.0, days, now, end)
    assert [f.until for f in found] == [now + timedelta(days=d) for d in (1, 2, 3, 3.5)]
    assert found[-1].low == found[-1].likely == found[-1].high == 85.0


def test_too_little_was_seen() -> None:
    assert forecast.forecast(1.0, pd.Series([1.0, 2.0]), BEGIN, BEGIN + timedelta(days=9)) == []
    assert forecast.forecast(1.0, pd.Series([1.0] * 9), BEGIN, BEGIN) == []


@pytest.mark.parametrize("kind", ["steady", "bursty", "idle at times"])
def test_nine_of_ten_times_the_range_holds_the_truth(kind: str) -> None:
    random = np.random.default_rng(11)
    draw = {
        "steady": lambda n: random.normal(100, 15, n),
        "bursty": lambda n: random.exponential(100, n),
        "idle at times": lambda n: random.poisson(80, n) * (random.random(n) > 0.3),
    }[kind]
    held = 0
    for _ in range(300):
        seen, coming = np.maximum(draw(10), 0), np.maximum(draw(14), 0)
        now = BEGIN + timedelta(days=10)
        end = forecast.forecast(seen.sum(), pd.Series(seen), now, now + timedelta(days=14))[-1]
        held += end.low <= seen.sum() + coming.sum() <= end.high
    assert 0.8 <= held / 300 <= 0.99


def days(*used: float, quota: float | None = 100, hour: int = 12) -> pd.DataFrame:
    last = len(used) - 1
    day = [pd.Timestamp(BEGIN) + pd.Timedelta(days=i) for i in range(len(used))]
    until = [d + pd.Timedelta(hours=23 if i < last else hour) for i, d in enumerate(day)]
    frame = pd.DataFrame({"day": day, "until": until, "used": used, "quota": quota})
    return frame.assign(kind="workspace", id="o_1", owner="Acme", measure="credits")


@pytest.mark.parametrize(
    ("found", "said"),
    [
        (days(50, 50, 50, 50, 20), "stays under the quota"),
        (days(180, 180, 180, 20), "reaches the quota"),
        (days(20, 30, 40, 250, 60), "may reach the quota"),
        (days(20, 160, 170, 180, 60), "likely reaches the quota"),
        (days(50, 50, 50, 100), "the quota is used up"),
        (days(50, 50, 20), "nothing to forecast from: fewer than 3 whole days were seen"),
        (days(50, 50, 50, 50, quota=None), "there is no quota"),
    ],
)
def test_what_the_day_will_bring(found: pd.DataFrame, said: str) -> None:
    assert list(forecast.by_midnight(found)["outlook"]) == [said]


def test_half_a_day_more_brings_half_of_a_day() -> None:
    (told,) = forecast.by_midnight(days(40, 40, 40, 30)).to_dict("records")
    assert (told["low"], told["likely"], told["high"], told["days"]) == (50, 50, 50, 3)


def test_a_day_that_was_not_seen_to_its_end_is_not_a_whole_one() -> None:
    found = days(40, 40, 40, 30)
    found.loc[0, "until"] = pd.Timestamp(BEGIN) + pd.Timedelta(hours=3)
    (told,) = forecast.by_midnight(found).to_dict("records")
    assert told["days"] == 2


def test_owners_of_one_name_have_each_their_own_period() -> None:
    end = BEGIN + timedelta(days=8)
    one = totals([10] * 5).assign(kind="user", id="u_1", owner="ada", begins=BEGIN, ends=end)
    other = one.assign(kind="workspace", id="o_1", credits=one["credits"] * 2)
    earlier = other.assign(ends=BEGIN, credits=9_999)[:3]
    found = forecast.periods(pd.concat([one, earlier, other]))
    assert [p.owner for p in found] == ["ada (user)", "ada (workspace)"]
    assert [p.ahead[-1].likely for p in found] == [80, 160]
    assert len(found[1].totals) == len(other)
    said = forecast.period_words(found)
    assert "**ada (user)**: by 2026-03-09 00:00 likely **80 credits**" in said
    assert forecast.period_words([]) == "The API told of no billing period."


def test_a_period_that_has_no_end() -> None:
    endless = totals([10] * 5).assign(kind="user", id="u_1", owner="ada")
    endless["ends"] = pd.Series(pd.NaT, endless.index, "datetime64[us, UTC]")
    (found,) = forecast.periods(endless)
    assert found.ahead == []
    assert len(found.totals) == len(endless)


def snapshots(*read: tuple[str, float]) -> pd.DataFrame:
    """Return figures of one owner as they were read: day and time, and what was used."""
    times = pd.to_datetime([f"2026-03-{at}:00Z" for at, _ in read], utc=True)
    frame = pd.DataFrame({"snapshot_at": times, "used": [used for _, used in read]})
    return frame.assign(kind="user", id="u_1", owner="Me", measure="credits", quota=100)


@pytest.mark.parametrize(
    ("read", "by_day"),
    [
        # Still yesterday's: 95 at midnight is no 95 of the new day.
        ([("01T12:00", 50), ("01T23:50", 90), ("02T00:05", 95)], {1: 95}),
        ([("01T23:50", 90), ("02T00:05", 95), ("02T00:20", 1), ("02T06:00", 30)], {1: 95, 2: 30}),
        ([("01T23:50", 90), ("02T00:05", 2), ("02T00:20", 3)], {1: 90, 2: 3}),
        ([("01T23:50", 90), ("02T00:05", 0)], {1: 90, 2: 0}),
        ([("01T23:50", 90), ("02T00:05", 95), ("02T01:00", 97)], {1: 95, 2: 97}),
        # Loads once a day: a later figure is the day's own, though it has not fallen.
        ([("01T12:00", 40), ("02T12:00", 60), ("03T12:00", 70)], {1: 40, 2: 60, 3: 70}),
        ([("02T00:05", 95)], {2: 95}),
    ],
)
def test_a_figure_read_just_after_midnight(
    read: list[tuple[str, float]], by_day: dict[int, float]
) -> None:
    found = usage.days(snapshots(*read))
    assert dict(zip(found["day"].dt.day, found["used"], strict=True)) == by_day


def test_yesterdays_figure_makes_no_forecast_of_today() -> None:
    full = [(f"{day:02d}T{hour:02d}:00", hour * 4) for day in range(1, 6) for hour in (6, 12, 23)]
    found = forecast.by_midnight(usage.days(snapshots(*full, ("06T00:05", 92))))
    assert list(found["outlook"]) == ["stays under the quota"]
    assert list(found["used"]) == [92]
    assert list(found["likely"]) == [pytest.approx(92, abs=1)]
