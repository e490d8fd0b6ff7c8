"""Ctrl-C and SIGTERM end a load early, keep what was read, and the next load completes it."""

import json
import signal
import time

import pytest

from tests.integration.contract import Contract, Warehouse
from tests.integration.contract.command import Command

START = int(time.time() * 1000) - 3_600_000


@pytest.mark.parametrize(
    ("number", "code"),
    [pytest.param(signal.SIGINT, 130, marks=pytest.mark.chaos), (signal.SIGTERM, 143)],
)
def test_a_signal_during_polling_keeps_what_was_read(
    contract: Contract, warehouse: Warehouse, number: signal.Signals, code: int
) -> None:
    for n in range(30):
        contract.stream(f"dc_{n:02}").emit_many(10, START)
    contract.slow_s = 0.25
    with Command(warehouse).start("load", "--json", "--max-workers", "2") as process:
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline and len(contract.journal) < 12:
            time.sleep(0.02)
        process.send_signal(number)
        out, err = process.communicate(timeout=30)
    assert process.returncode == code, err
    assert "Traceback" not in err
    summary = json.loads(out)
    assert summary["exit_code"] == code
    assert summary["streams"]["skipped"] > 0
    seen = summary["rows"]["source_event_summaries"]
    assert 0 < seen < 300
    contract.slow_s = 0
    # What was read is kept although the API forgets it.
    for stream in contract.streams.values():
        stream.shown = []
    assert warehouse.load().exit_code == 0
    found = warehouse.events()
    assert len(found) == seen
    assert found.items() <= contract.emitted().items()
    for stream in contract.streams.values():
        stream.shown = list(stream.emitted)
    assert warehouse.load(full_window=True).exit_code == 0
    assert warehouse.events() == contract.emitted()


@pytest.mark.parametrize(
    ("number", "codes"),
    [
        (signal.SIGINT, (130,)),
        pytest.param(signal.SIGTERM, (143, -signal.SIGTERM), marks=pytest.mark.chaos),
    ],
)
def test_a_second_signal_ends_the_process_at_once(
    contract: Contract, warehouse: Warehouse, number: signal.Signals, codes: tuple[int, ...]
) -> None:
    for n in range(20):
        contract.stream(f"dc_{n:02}").emit_many(10, START)
    contract.slow_s = 60
    with Command(warehouse).start("load", "--json", "--max-workers", "2") as process:
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline and not any("event_s" in p for p, _ in contract.journal):
            time.sleep(0.02)
        deadline = time.monotonic() + 30  # an answer that it waited for takes longer
        while time.monotonic() < deadline and process.poll() is None:
            # A busy machine takes two for one, so it may be told more often.
            process.send_signal(number)
            time.sleep(1.0)
        _, err = process.communicate(timeout=1)
    assert process.returncode in codes, err
    assert "Traceback" not in err
    contract.slow_s = 0
    assert warehouse.load().exit_code == 0
    assert warehouse.events() == contract.emitted()
