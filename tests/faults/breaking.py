"""Ways to break a whole run: the key, the host, the budget, the first call, the environment."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from pipedream_source.running.destination.lock import hold_lock
from pipedream_source.running.destination.target import Target
from tests.faults.rates import throttled
from tests.faults.run_fault import Break, Given, Scene
from tests.faults.world import Load
from tests.integration.contract import Reply

WRONG_KEY = "pd_wrong_key_0123456789"
GIVE_UP_AFTER = 20


def nobody_listens(scene: Scene, given: Given) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    given.environment["PIPEDREAM_BASE_URL"] = f"http://127.0.0.1:{port}/v1"


@contextmanager
def no_such_host(scene: Scene, given: Given) -> Iterator[None]:
    def fail(*_: object, **__: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    given.environment["PIPEDREAM_BASE_URL"] = "https://api.invalid/v1"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket, "getaddrinfo", fail)
        yield


def no_tls(scene: Scene, given: Given) -> None:
    given.environment["PIPEDREAM_BASE_URL"] = scene.contract.url.replace("http:", "https:")


def wrong_key(scene: Scene, given: Given) -> None:
    given.environment["PIPEDREAM_API_KEY"] = WRONG_KEY


def asked_once_and_hidden(scene: Scene, load: Load) -> None:
    assert scene.contract.strangers == [f"Bearer {WRONG_KEY}"]
    assert WRONG_KEY not in load.out + load.err


def refused_after(requests: int) -> Break:
    """Refuse the key from some request on; one thread, so that the order is certain."""

    def inject(scene: Scene, given: Given) -> None:
        start = len(scene.contract.journal)
        scene.contract.key_works = lambda asked: asked - start < requests
        given.flags += ["--max-workers", "1"]

    return inject


def first_call(reply: Reply, *flags: str) -> Break:
    """Answer GET /users/me with this."""

    def inject(scene: Scene, given: Given) -> None:
        route = scene.contract._route
        given.flags += flags

        def instead(path: str, query: dict[str, str]) -> Reply:
            return reply if path == "/users/me" else route(path, query)

        scene.contract._route = instead  # type: ignore[method-assign]

    return inject


def only_windows(reply: Reply) -> Break:
    """Answer whatever is no window with this."""

    def inject(scene: Scene, given: Given) -> None:
        route = scene.contract._route

        def instead(path: str, query: dict[str, str]) -> Reply:
            return route(path, query) if path.endswith("/event_summaries") else reply

        scene.contract._route = instead  # type: ignore[method-assign]

    return inject


def lists_are_named(scene: Scene, load: Load) -> None:
    lists = {f"users/me/{kind}" for kind in ("sources", "subscriptions", "webhooks")}
    assert set(load.report["failures"]) == {"users/me", *lists}
    assert load.report["streams"]["failed"] == 0


def every_window(reply: Reply, *flags: str) -> Break:
    def inject(scene: Scene, given: Given) -> None:
        given.flags += flags
        for victim in scene.victims:
            victim.answer(then=reply)

    return inject


def one_window(reply: Reply, *flags: str) -> Break:
    """Answer the second window for ever with this; one thread, so that the order is certain."""

    def inject(scene: Scene, given: Given) -> None:
        given.flags += ["--max-workers", "1", *flags]
        scene.victims[1].answer(then=reply)

    return inject


def one_list(reply: Reply) -> Break:
    """Answer the list of subscriptions with this."""

    def inject(scene: Scene, given: Given) -> None:
        scene.contract.broken["/users/me/subscriptions", 0] = reply

    return inject


def rest_is_put_off(scene: Scene, load: Load) -> None:
    """Check that each stream left out is told of; the journal says that nothing was sent."""
    _, asked, *rest = scene.victims
    streams = load.report["streams"]
    assert (streams["polled"], streams["failed"], streams["deferred"]) == (1, 3, 3)
    put_off = {v.stream.emitter for v in (asked, *rest)}
    assert set(load.report["failures"]) == put_off
    assert all("deferred until" in why for why in load.report["failures"].values())
    status = {row[0]: row[1:] for row in load.tables["status"]}
    # Only what was asked and refused has failed; the others wait for their turn.
    assert [status[v.stream.emitter][2] for v in (asked, *rest)] == [1, 0, 0]
    assert all("deferred until" in status[emitter][3] for emitter in put_off)
    # Of those that were not sent for one reason the log tells once.
    assert load.err.count("deferred until") == 2


def all_is_put_off(scene: Scene, load: Load) -> None:
    assert load.report["streams"]["deferred"] == len(scene.victims)


def budget_runs_out(scene: Scene, given: Given) -> None:
    """Let each stream ask for a second, of which the run has two and a half."""
    given.flags += ["--retry-budget", "2.5", "--max-workers", "1"]
    for victim in scene.victims:
        victim.answer(throttled("1"))


def others_are_put_off(scene: Scene, load: Load) -> None:
    streams = load.report["streams"]
    assert (streams["polled"], streams["deferred"]) == (2, 2)


def gave_up(scene: Scene, load: Load) -> None:
    assert load.report["streams"] == {
        "polled": 0,
        "failed": GIVE_UP_AFTER,
        "skipped": len(scene.victims) - GIVE_UP_AFTER,
        "deferred": 0,
        "ended": 0,
    }


@contextmanager
def another_run(scene: Scene, given: Given) -> Iterator[None]:
    with hold_lock(Target(database=scene.database).folder / "lock"):
        yield


def environment(scene: Scene, given: Given) -> None:
    """Name proxies at which nobody listens, and credentials for every host."""
    for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "all_proxy", "ALL_PROXY"):
        given.environment[name] = "http://evil:evil@127.0.0.1:9"
    home = scene.folder.with_name(f"{scene.folder.name}-home")
    home.mkdir()
    file = home / ".netrc"
    file.write_text("machine 127.0.0.1 login evil password evil\ndefault login e password e\n")
    file.chmod(0o600)
    given.environment |= {"HOME": str(home), "NETRC": str(file)}


def only_the_key_was_sent(scene: Scene, load: Load) -> None:
    assert scene.contract.strangers == []


def option(name: str, value: str) -> Break:
    def inject(scene: Scene, given: Given) -> None:
        given.flags += [name, value]

    return inject


def variable(name: str, value: str) -> Break:
    def inject(scene: Scene, given: Given) -> None:
        given.environment[name] = value

    return inject


@contextmanager
def nothing_there(scene: Scene, given: Given) -> Iterator[None]:
    lists = scene.contract.lists
    kept, lists["/users/me/sources"] = lists["/users/me/sources"], []
    yield
    lists["/users/me/sources"] = kept


@contextmanager
def local_clock(scene: Scene, given: Given, ahead_s: float) -> Iterator[None]:
    true = time.time
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            "pipedream_source.resources.polls.polling.time.time", lambda: true() + ahead_s
        )
        yield


def clock(ahead_s: float) -> Break:
    return lambda scene, given: local_clock(scene, given, ahead_s)
