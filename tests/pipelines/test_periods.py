"""How a period is written: every step of a day is as long as was asked for."""

import pytest

from pipedream_source.cli.schedules.periods import cron_expressions, written
from pipedream_source.exceptions import ConfigurationError

DAY = 24 * 60
EVEN = [minutes for minutes in range(1, DAY + 1) if DAY % minutes == 0]


def values(field: str, size: int) -> set[int]:
    """What a field of cron stands for, as crontab(5) says."""
    found: set[int] = set()
    for part in field.split(","):
        span, _, step = part.partition("/")
        first, _, last = ("0", "", str(size - 1)) if span == "*" else span.partition("-")
        found |= set(range(int(first), int(last or first) + 1, int(step or 1)))
    assert found <= set(range(size))
    return found


def minutes_of_a_day(expressions: list[str]) -> list[int]:
    found: list[int] = []
    for expression in expressions:
        minute, hour, *rest = expression.split(" ")
        assert rest == ["*", "*", "*"]
        found += [60 * h + m for h in values(hour, 24) for m in values(minute, 60)]
    return sorted(found)


@pytest.mark.parametrize("first", [0, 3])
@pytest.mark.parametrize("step", EVEN)
def test_each_step_is_as_long_as_asked(step: int, first: int) -> None:
    expressions = cron_expressions(step * 60, "cron", first=first)
    assert minutes_of_a_day(expressions) == list(range(first % step, DAY, step))


@pytest.mark.parametrize(
    ("every_s", "expressions"),
    [
        (60, ["* * * * *"]),
        (300, ["*/5 * * * *"]),
        (1_800, ["0,30 * * * *"]),
        (3_600, ["0 * * * *"]),
        (5_400, ["0 */3 * * *", "30 1-23/3 * * *"]),
        (21_600, ["0 */6 * * *"]),
        (86_400, ["0 0 * * *"]),
    ],
)
def test_the_shortest_way(every_s: int, expressions: list[str]) -> None:
    assert cron_expressions(every_s, "cron") == expressions


@pytest.mark.parametrize(
    ("every_s", "told"),
    [
        (30, "more often than every 1m"),
        (90, "--every 1m or 2m"),
        (420, "--every 6m or 8m"),
        (5 * 3_600, "--every 288m or 6h"),
        (172_800, "--every 24h"),
    ],
)
def test_what_no_expression_says_is_refused(every_s: int, told: str) -> None:
    with pytest.raises(ConfigurationError, match=told) as refused:
        cron_expressions(every_s, "cron")
    assert "--as systemd" in str(refused.value)


def test_a_period_in_words() -> None:
    texts = [written(seconds) for seconds in (45, 60, 90, 5_400, 3_600, 86_400, 2.5)]
    assert texts == ["45s", "1m", "90s", "90m", "1h", "24h", "2.5s"]
