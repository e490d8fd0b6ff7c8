"""Ids that repeat, run ahead, go back or are none; each event stands in its table once."""

from __future__ import annotations

from typing import Any

from tests.faults.fault import START, STEP_MS, Fault, Victim
from tests.integration.contract import make
from tests.integration.contract.server import KEPT

_DAY_MS = 86_400_000
NO_IDS: dict[str, tuple[str, bytes]] = {
    "uuid": ("a UUID", b'"0b7c1c1e-7a52-4f0a-9a4c-0d6f4f1f3b11"'),
    "empty": ("an empty id", b'""'),
    "null": ("`null`", b"null"),
    "number": ("a number", b"1589486981597"),
    "list": ("a list", b'["1-0"]'),
    "object": ("an object", b'{"id":"1-0"}'),
    "path": ("a path", b'"../../etc/passwd"'),
    "sql": ("SQL", b'"\' or 1=1; DROP TABLE quarantine; --"'),
    "three": ("three numbers", b'"1589486981597-0-1"'),
    "minus": ("a negative number", b'"-5-0"'),
    "zeros": ("a leading zero", b'"01589486981597-0"'),
    "blank": ("a blank behind it", b'"1589486981597-0 "'),
    "line": ("a line break behind it", b'"1589486981597-0\\n"'),
    "longMs": ("16 digits of milliseconds", b'"1234567890123456-0"'),
    "longSeq": ("21 digits of sequence", b'"1589486981597-111111111111111111111"'),
    "arabic": ("digits that are not ASCII", '"\u0661\u0662\u0663-\u0660"'.encode()),
    "half": ("half a surrogate pair", b'"\\ud83d"'),
    "escapes": ("terminal escapes", b'"\\u001b[2J"'),
    "nul": ("a NUL", b'"1589486981597-0\\u0000"'),
    "mega": ("10 MB", b'"' + b"9" * 10_000_000 + b'"'),
}


def no_id(name: str, happens: str, value: bytes) -> Fault:
    def inject(victim: Victim) -> None:
        victim.show(b'{"id":%s,"event":1,"metadata":{"emit_id":"e"}}' % value)
        victim.emit()

    return Fault(name, f"an id that is none: {happens}", inject, aside=("is not <ms>-<seq>",))


def no_id_at_all(victim: Victim) -> None:
    victim.show(b'{"event":1,"metadata":{}}')
    victim.emit()


def twice_in_a_page(victim: Victim) -> None:
    victim.emit()
    victim.stream.add(victim.stream.shown[-1])


def twice_across_pages(victim: Victim) -> None:
    victim.emit_many(10)
    victim.stream.most, victim.stream.after = 3, "inclusive"


def in_another_emitter(victim: Victim) -> None:
    other = Victim(victim.contract, f"{victim.stream.emitter[3:]}Other")
    other.emit(b'"other"', event_id=list(victim.expected)[-1][1])


def other_emitter_is_loaded(world: Any, victim: Victim) -> None:
    last = list(world.due[victim.stream.emitter])[-1]
    assert world.broken.events(f"{victim.stream.emitter}Other") == {last: b'"other"'}


def in_another_channel(victim: Victim) -> None:
    event_id = list(victim.expected)[-1][1]
    emitter = victim.stream.emitter
    victim.contract.subscribe(emitter, "extra")
    victim.contract.stream(emitter, "extra").emit(event_id, b'"extra"')
    victim.expected["extra", event_id] = b'"extra"'


def with_another_body(victim: Victim) -> None:
    """Show the newest id twice; the page begins with the later one."""
    victim.emit(b'"first in the page"')
    event_id = list(victim.expected)[-1][1]
    earlier = make(event_id, b'"second in the page"', emitter=victim.stream.emitter)
    victim.stream.shown.insert(-1, earlier)


def changed_later(victim: Victim) -> None:
    """Change the body of the newest event that is loaded."""
    shown = victim.stream.shown
    shown[-4] = make(shown[-4].id, b'"another"', emitter=victim.stream.emitter)


def sequences(victim: Victim) -> None:
    ms = victim.next_id().split("-")[0]
    for seq in (0, 9, 10, 11, 100, 10**17, 2**64 - 1):
        victim.emit(event_id=f"{ms}-{seq}")


def in_order(order: str) -> Any:
    def inject(victim: Victim) -> None:
        victim.emit_many(30)
        victim.stream.order, victim.stream.most = order, 7

    return inject


def ahead(victim: Victim) -> None:
    victim.emit(b'"ahead"', event_id=f"{START + 30 * _DAY_MS}-0")


def cursor_stays_behind(world: Any, victim: Victim) -> None:
    ((_, last_id, *_),) = world.broken.of("status", victim.stream.emitter)
    assert int(last_id.split("-")[0]) < START + _DAY_MS


def overrun(victim: Victim) -> None:
    """Emit more than the API keeps; what it threw away is expected nowhere."""
    kept = len(victim.expected) - 3
    for key in list(victim.expected)[kept:]:
        del victim.expected[key]
    for _ in range(40):
        victim.stream.emit(victim.next_id())
    victim.emit_many(KEPT)


def loss_is_in_the_range(world: Any, victim: Victim) -> None:
    ((_, least, most),) = world.broken.of("gaps", victim.stream.emitter)
    assert least <= 43 <= most


def emptied_and_filled(victim: Victim) -> None:
    victim.stream.shown.clear()
    for key in list(victim.expected)[-3:]:
        del victim.expected[key]
    victim.emit_many(2)


def amid(victim: Victim) -> None:
    """Show the last five of ten events of one millisecond, as somebody deleted all before."""
    victim.stream.shown.clear()
    for key in list(victim.expected)[-3:]:
        del victim.expected[key]
    ms = victim.next_id().split("-")[0]
    for seq in range(5, 10):
        victim.emit(event_id=f"{ms}-{seq}")


def five_are_missing(world: Any, victim: Victim) -> None:
    ((_, least, most),) = world.broken.of("gaps", victim.stream.emitter)
    assert (least, most) == (5, None)


def older_deleted(victim: Victim) -> None:
    del victim.stream.shown[:3]


def newest_deleted(victim: Victim) -> None:
    """Delete what is new and the newest of what is loaded."""
    del victim.stream.shown[-4:]
    for key in list(victim.expected)[-3:]:
        del victim.expected[key]


def back(victim: Victim) -> None:
    """Make the stream anew, with ids of a day before."""
    victim.stream.shown.clear()
    for key in list(victim.expected)[-3:]:
        del victim.expected[key]
    victim.at = START - _DAY_MS
    victim.emit_many(4)


def late(victim: Victim) -> None:
    """Show an event that is some seconds older than what was loaded."""
    loaded_ms = victim.at - 3 * STEP_MS
    victim.emit(b'"late"', event_id=f"{loaded_ms - 500}-0")
    row = victim.stream.shown.pop()
    victim.stream.shown.insert(-4, row)


FAULTS = (
    *(no_id(name, *parts) for name, parts in NO_IDS.items()),
    Fault("missing", "an event without an id", no_id_at_all, aside=("is not <ms>-<seq>",)),
    Fault("samePage", "an id twice in a page", twice_in_a_page),
    Fault("pages", "an id on two pages", twice_across_pages),
    Fault("emitter", "an id in two emitters", in_another_emitter, check=other_emitter_is_loaded),
    Fault("channel", "an id in two channels", in_another_channel),
    Fault(
        "body",
        "an id twice in a walk, with another body",
        with_another_body,
        told="came again with another event",
        aside=("the same id came twice",),
    ),
    Fault(
        "changed",
        "the newest loaded id with another body, as after a failover",
        changed_later,
        told="came again with another event",
        aside=("the id came again with another event",),
        needs_before=True,
    ),
    Fault("sequences", "sequences 0, 9, 10, 11, 100, 2⁶⁴ - 1 in one millisecond", sequences),
    Fault("oldest", "the oldest first", in_order("oldest")),
    Fault("shuffled", "rows in any order", in_order("shuffled")),
    Fault("ahead", "an id 30 days ahead", ahead, check=cursor_stays_behind),
    Fault("late", "an event that becomes visible seconds late", late, needs_before=True),
    Fault(
        "overrun",
        "143 events between two loads",
        overrun,
        told="overrun",
        verdict="overrun",
        gaps=("overrun",),
        check=loss_is_in_the_range,
        needs_before=True,
    ),
    Fault(
        "refilled",
        "all events deleted, two new ones",
        emptied_and_filled,
        told="purged",
        verdict="purged",
        gaps=("purged",),
        needs_before=True,
    ),
    Fault(
        "amid",
        "a window that begins with the 6th event of its millisecond",
        amid,
        told="purged",
        verdict="purged",
        gaps=("purged",),
        check=five_are_missing,
    ),
    Fault("deleted", "old events deleted between loads", older_deleted, needs_before=True),
    Fault(
        "cutOff",
        "the newest events deleted between loads",
        newest_deleted,
        told="regressed",
        verdict="regressed",
        gaps=("regressed",),
        needs_before=True,
    ),
    Fault(
        "back",
        "a stream made anew, its ids a day older",
        back,
        told="regressed",
        verdict="regressed",
        gaps=("regressed",),
        needs_before=True,
    ),
)
