"""What will be used: a likely figure and a range, from the days that were seen.

Days are drawn again at random from those seen (a bootstrap), so that the range is as wide as the
days differ, and nothing is assumed of their shape. The spread is widened for few days, as a sample
shows less than there is. With fewer than three whole days nothing is forecast: one cannot tell an
ordinary day from a special one.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
import pandas as pd

from .words import harmless, moment

LEAST_DAYS = 3
_DRAWS = 4_000
_LOW, _HIGH = 0.05, 0.95


@dataclass(frozen=True, slots=True)
class Forecast:
    """What will have been used by an end, in nine of ten cases within the range.

    Attributes:
        low, likely, high: the total by then.
        days: how many whole days it rests on.
    """

    until: datetime
    low: float
    likely: float
    high: float
    days: int


def daily_use(totals: pd.DataFrame) -> pd.Series:
    """Return what each whole day used, from a rising total.

    Args:
        totals: columns snapshot_at and credits, of one billing period, in order of time.
    """
    times = totals["snapshot_at"]
    midnights = pd.date_range(times.min().ceil("D"), times.max().floor("D"), freq="D")
    if len(midnights) < 2:
        return pd.Series(dtype=float)
    origin = midnights[0]
    reached = np.interp(
        (midnights - origin).total_seconds(),
        (times - origin).dt.total_seconds(),
        totals["credits"].to_numpy(dtype=float),
    )
    return pd.Series(np.diff(reached), index=midnights[:-1])


def forecast(
    used: float, whole_days: pd.Series, now: datetime, end: datetime, *, seed: int = 7
) -> list[Forecast]:
    """Return the total day by day up to an end; nothing with too few whole days or none to come.

    Args:
        used: the total now.
        whole_days: what each whole day used.
        now: when the total was read.
        end: when counting begins anew.
        seed: of the draws, so that the same data gives the same figures.
    """
    seen = whole_days.to_numpy(dtype=float)
    left = (end - now).total_seconds() / 86_400
    if len(seen) < LEAST_DAYS or left <= 0:
        return []
    steps = [*range(1, int(left) + 1), *([left] if left % 1 else [])]
    random = np.random.default_rng(seed)
    draws = random.choice(seen, size=(_DRAWS, len(steps)))
    # The mean itself is uncertain too: one draw of it for each course of things.
    means = random.choice(seen, size=(_DRAWS, len(seen))).mean(axis=1, keepdims=True)
    spread = np.sqrt(len(seen) / (len(seen) - 1))
    courses = means + (draws - seen.mean()) * spread
    parts = np.diff([0.0, *steps])
    totals = used + np.maximum(np.cumsum(courses * parts, axis=1), 0.0)
    low, high = np.quantile(totals, [_LOW, _HIGH], axis=0)
    likely = used + seen.mean() * np.array(steps)
    return [
        Forecast(now + timedelta(days=float(after)), low[i], likely[i], high[i], len(seen))
        for i, after in enumerate(steps)
    ]


def by_midnight(daily: pd.DataFrame) -> pd.DataFrame:
    """Return what each owner will have used of each measure when the day ends (UTC).

    What is left of the day is taken to be as busy as the same part of the whole days seen.

    Args:
        daily: from `usage.days`.

    Returns:
        Columns owner, measure, used, quota, low, likely, high (none with too few whole days),
        days (whole ones), outlook (in words).
    """
    rows = []
    for _, own in daily.groupby(["kind", "id", "measure"], sort=False):
        last = own.iloc[-1]
        # A figure of yesterday's that was read after midnight changes no more.
        left = max(0.0, 1 - (last["until"] - last["day"]) / timedelta(days=1))
        before = own.iloc[:-1]
        # A day whose last snapshot was long before its end was not seen whole.
        whole = before.loc[before["until"] - before["day"] >= timedelta(hours=22), "used"]
        low, likely, high = _quantiles(whole, float(last["used"]), left)
        rows.append(
            {
                "owner": last["owner"],
                "measure": last["measure"],
                "used": last["used"],
                "quota": last["quota"],
                "low": low,
                "likely": likely,
                "high": high,
                "days": len(whole),
                "outlook": _outlook(float(last["used"]), low, likely, high, last["quota"]),
            }
        )
    columns = ["owner", "measure", "used", "quota", "low", "likely", "high", "days", "outlook"]
    return pd.DataFrame(rows, columns=columns)


def _quantiles(whole: pd.Series, used: float, left: float) -> tuple[float, float, float]:
    if len(whole) < LEAST_DAYS:
        return (float("nan"),) * 3
    low, likely, high = np.quantile(whole.to_numpy(dtype=float), [_LOW, 0.5, _HIGH])
    return used + low * left, used + likely * left, used + high * left


def _outlook(used: float, low: float, likely: float, high: float, quota: object) -> str:
    if quota is None or pd.isna(quota) or not quota:  # type: ignore[call-overload]
        return "there is no quota"
    limit = float(quota)  # type: ignore[arg-type]
    if used >= limit:
        return "the quota is used up"
    if np.isnan(likely):
        return f"nothing to forecast from: fewer than {LEAST_DAYS} whole days were seen"
    if high < limit:
        return "stays under the quota"
    return (
        "reaches the quota"
        if low >= limit
        else ("likely reaches the quota" if likely >= limit else "may reach the quota")
    )


@dataclass(frozen=True, slots=True)
class Period:
    """An owner's newest billing period.

    Attributes:
        totals: its snapshots, from `usage.billing`.
        ahead: the forecast, day by day; empty where nothing can be told.
    """

    owner: str
    totals: pd.DataFrame
    ahead: list[Forecast]


def periods(billing: pd.DataFrame) -> list[Period]:
    """Return each owner's newest billing period, from `usage.billing`."""
    return [_period(own) for _, own in billing.groupby(["kind", "id"], sort=False)]


def _period(totals: pd.DataFrame) -> Period:
    last = totals.iloc[-1]
    own = totals[totals["ends"] == last["ends"]] if pd.notna(last["ends"]) else totals
    ahead: list[Forecast] = []
    if pd.notna(last["ends"]):
        now, end = last["snapshot_at"].to_pydatetime(), last["ends"].to_pydatetime()
        ahead = forecast(float(last["credits"]), daily_use(own), now, end)
    return Period(f"{last['owner']} ({last['kind']})", own, ahead)


def period_words(found: list[Period]) -> str:
    """Say in Markdown what each owner will likely have used when its billing period ends."""
    if not found:
        return "The API told of no billing period."
    return "\n".join(f"- {_period_words(period)}" for period in found)


def _period_words(period: Period) -> str:
    owner = harmless(period.owner)
    if not period.ahead:
        return f"**{owner}**: fewer than {LEAST_DAYS} whole days were seen to forecast from."
    end = period.ahead[-1]
    return (
        f"**{owner}**: by {moment(end.until)} likely **{end.likely:,.0f} credits**, in "
        f"nine of ten cases {end.low:,.0f} to {end.high:,.0f} (from {end.days} whole days)."
    )
