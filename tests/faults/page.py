"""Writes docs/faults.md from the faults that are tested: `python -m tests.faults.page`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from tests.faults.elsewhere import ELSEWHERE
from tests.faults.fault import Fault
from tests.faults.groups import GROUPS
from tests.faults.lists import LISTS, ListFault
from tests.faults.run_fault import ALL, NO_EVENTS, NOTHING, SOME, RunFault
from tests.faults.runs import RUNS

PAGE = Path(__file__).resolve().parents[2] / "docs" / "faults.md"
_ROW = tuple[str, str, str, str]
_HEAD = """# What can go wrong, and what comes of it

Each line is a test: the fault is injected over real HTTP into a run of `pipedream-source load`
that fills a real DuckDB file. Exit code, tables and messages are compared with what is said here,
as this page is written from the tests (`python -m tests.faults.page`). In all of them

- a healthy stream beside the broken one is loaded whole by the same run;
- the exit code is that of the run if nothing else were wrong;
- once the fault is gone, the next load exits with 0 and brings every event that the API still
  has, none twice, and `stream_status` shows no failure any more;
- the key is in nothing that is printed, and no control character either.

"The cursor stays" means that `stream_status` shows the stream as `unknown` with `last_error` and
`failures`, that no event is taken for seen, and that no gap is claimed.
"""
_TABLE = (
    "| what happens | exit | what stands in the tables | what you are told |\n|---|---|---|---|"
)
_LEFT = {
    NOTHING: "nothing; no database was made",
    NO_EVENTS: "no event",
    SOME: "what was read before it",
    ALL: "every event",
}
_LIST_FAILED = "no source is closed; every stream known before is polled; `sources` stays as it was"


def page() -> str:
    """Return the page."""
    return "\n".join([_HEAD, *_sections()])


def _sections() -> Iterator[str]:
    for group in GROUPS:
        yield from _section(group.title, map(_of_stream, group.faults))
    yield from _section("A list fails", map(_of_list, LISTS))
    yield from _section("The whole run", map(_of_run, RUNS))
    yield "## Tested elsewhere\n"
    yield "| what happens | what comes of it | test |\n|---|---|---|"
    for happens, comes, test in ELSEWHERE:
        yield f"| {happens} | {comes} | `{test}` |"
    yield ""


def _section(title: str, rows: Iterable[_ROW]) -> Iterator[str]:
    yield f"## {title}\n"
    yield _TABLE
    for happens, code, stands, told in rows:
        yield f"| {_cell(happens)} | {code} | {_cell(stands)} | {_cell(told)} |"
    yield ""


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


def _of_stream(fault: Fault) -> _ROW:
    return fault.happens, str(fault.exit_code), "; ".join(_stands(fault)), _said(fault.told)


def _stands(fault: Fault) -> Iterator[str]:
    if fault.stored is None:
        yield "every other event" if _is_lost(fault) else "every event, once"
    else:
        yield f"the newest {fault.stored} events" if fault.stored else "no new event of this stream"
    if fault.exit_code:
        yield "the cursor stays"
    for reason in dict.fromkeys(fault.aside):
        yield f"`quarantine`: {reason} …"
    for verdict in fault.gaps:
        yield f"`event_gaps`: {verdict}"


def _is_lost(fault: Fault) -> bool:
    """Tell whether some row stands in quarantine only."""
    return any("surrogates" not in reason for reason in fault.aside)


def _of_list(fault: ListFault) -> _ROW:
    stands = _LIST_FAILED if fault.told else "every source, once"
    return fault.happens, "3" if fault.told else "0", stands, _said(fault.told)


def _of_run(fault: RunFault) -> _ROW:
    return fault.happens, str(fault.exit_code), _LEFT[fault.leaves], _said(fault.told)


def _said(told: str) -> str:
    return f"“… {told} …”" if told else ""


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
