"""What Python itself could show of a secret: objects, errors with their frames, dlt's trace."""

from __future__ import annotations

import io
import pickle
import subprocess
import sys
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import dlt
import pytest
from rich.console import Console
from rich.traceback import Traceback

from pipedream_source import PipedreamClient, PipedreamError, pipedream_source
from pipedream_source.api.http import limiter
from pipedream_source.resources.session.arguments import open_session
from pipedream_source.sandbox.server import Sandbox
from tests.integration.contract import KEY, Contract, Warehouse
from tests.integration.wire import everything_shown
from tests.security.canary import found_in, leaks

SECRETS = {"key": KEY}
WRONG: list[dict[str, Any]] = [
    {"source_ids": ["../etc"]},
    {"base_url": "http://example.com"},
    {"since": "whenever"},
    {"org_id": "dc_1"},
    {"max_workers": 0},
    {"max_workers": "many"},
    {"discover": False},
    {"ca_bundle": "/nowhere.pem"},
    {"nonsense": 1},
]


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limiter, "BACKOFF_BASE_S", 0.0001)


@pytest.fixture
def configured(monkeypatch: pytest.MonkeyPatch) -> None:
    """Give the key through dlt's configuration: no frame of the caller's ever holds it."""
    monkeypatch.setenv("SOURCES__PIPEDREAM__API_KEY", KEY)


def chain(error: BaseException) -> Iterator[BaseException]:
    """Yield an error and all that it came from."""
    todo, done = [error], list[BaseException]()
    while todo:
        one = todo.pop()
        done.append(one)
        yield one
        found = [one.__cause__, one.__context__, *getattr(one, "exceptions", ())]
        todo += [e for e in found if e is not None and e not in done]


def all_that_tools_show(error: BaseException) -> str:
    """Format an error as reporters with locals do: traceback, rich, pytest."""
    file = io.StringIO()
    console = Console(file=file, width=400)
    console.print(
        Traceback.from_exception(
            type(error), error, error.__traceback__, show_locals=True, locals_max_length=10_000
        )
    )
    pytest_l = pytest.ExceptionInfo.from_exception(error).getrepr(showlocals=True, funcargs=True)
    parts = [file.getvalue(), str(pytest_l), everything_shown(error)]
    for one in chain(error):
        shown = traceback.TracebackException.from_exception(one, capture_locals=True)
        notes = getattr(one, "__notes__", ())
        parts += [*shown.format(), repr(one.args), repr(vars(one)), repr(notes)]
    return "".join(parts)


def error_of(call: Callable[[], object]) -> BaseException:
    with pytest.raises(Exception) as caught:  # noqa: PT011 - any kind, its text is looked at
        call()
    return caught.value


@pytest.mark.usefixtures("configured")
@pytest.mark.parametrize("wrong", WRONG, ids=str)
def test_a_source_that_cannot_be_made_shows_no_key(wrong: dict[str, Any]) -> None:
    error = error_of(lambda: pipedream_source(**wrong))
    assert found_in(all_that_tools_show(error), SECRETS) == []


FAILURES: dict[str, Callable[[Contract], None]] = {
    "refused": lambda contract: setattr(contract, "key_works", lambda _: False),
    "refused in the midst": lambda contract: setattr(contract, "key_works", lambda n: n < 3),
    "gone": lambda contract: setattr(contract, "lists", {}),
}


@pytest.mark.usefixtures("configured")
@pytest.mark.parametrize(
    "failure",
    [
        "refused in the midst",
        *(pytest.param(f, marks=pytest.mark.chaos) for f in ("refused", "gone")),
    ],
)
def test_a_load_that_fails_shows_no_key(
    contract: Contract, warehouse: Warehouse, failure: str
) -> None:
    contract.stream("dc_a").emit_many(3, 1_700_000_000_000)
    FAILURES[failure](contract)
    pipeline = warehouse.pipeline()
    try:
        shown = str(pipeline.run(pipedream_source(base_url=contract.url)))
    except Exception as error:
        shown = all_that_tools_show(error)
    trace = pipeline.last_trace
    assert trace
    shown += repr(trace) + trace.asstr(verbosity=2)
    assert found_in(shown, SECRETS) == []
    assert leaks(warehouse.folder, SECRETS) == []


def pickled(thing: object) -> bytes:
    """Pickle a thing, if it lets itself be pickled."""
    try:
        return pickle.dumps(thing)
    except Exception as error:
        return repr(error).encode()


def test_no_object_shows_its_secret(contract: Contract, warehouse: Warehouse) -> None:
    contract.stream("dc_a").emit_many(3, 1_700_000_000_000)
    client = PipedreamClient(KEY, base_url=contract.url)
    session = open_session(client)
    source = warehouse.source()
    pipeline = warehouse.pipeline()
    pipeline.run(source)
    things: list[object] = [client, client.transport, client.limiter, session, source, pipeline]
    things += [*source.resources.values(), pipeline.last_trace, pipeline.state, source.schema]
    for thing in things:
        shown = repr(thing) + str(thing) + repr(getattr(thing, "__dict__", ""))
        assert found_in(shown, SECRETS) == [], thing
        assert found_in(pickled(thing), SECRETS) == [], thing
    client.close()


def test_dlts_trace_does_not_keep_what_stood_in_its_secrets(
    contract: Contract, tmp_path: Path
) -> None:
    """dlt notes in trace.pickle what was looked up; a load that ends early leaves it as it is."""
    contract.stream("dc_a").emit_many(3, 1_700_000_000_000)
    (tmp_path / ".dlt").mkdir()
    secrets = tmp_path / ".dlt" / "secrets.toml"
    secrets.write_text(
        f'[sources.pipedream]\napi_key = "{KEY}"\nclient_id = "{KEY[::2]}"\n', "utf-8"
    )
    program = (
        "import sys; from unittest import mock; from pipedream_source.cli import app\n"
        "sys.argv = ['pipedream-source', 'load']\n"
        "with mock.patch('dlt.Pipeline.normalize', side_effect=KeyboardInterrupt): app.main()"
    )
    environment = {"HOME": str(tmp_path), "PIPEDREAM_BASE_URL": contract.url, "PATH": "/bin"}
    environment |= {"PYTHONPATH": ":".join(sys.path), "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert done.returncode == 130, done.stderr
    assert [*tmp_path.rglob("trace.pickle")]
    assert leaks(tmp_path, {"key": KEY, "client": KEY[::2]}) == []


class OAuth:
    """The secrets of an OAuth client, the token that they were exchanged for included."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self.given: dict[str, Any] = {
            "client_id": sandbox.client_id,
            "client_secret": sandbox.client_secret,
        }

    def client(self, **settings: Any) -> PipedreamClient:
        return PipedreamClient(
            base_url=self.sandbox.url, org_id=self.sandbox.org_id, **self.given, **settings
        )

    def secrets(self, client: PipedreamClient) -> dict[str, str]:
        return {**self.given, "token": bearer_of(client)}


def bearer_of(client: PipedreamClient) -> str:
    """Return the token as a request carries it; the client offers no other way."""
    wire = client.transport._connection
    return str(wire._headers("GET")["Authorization"]).removeprefix("Bearer ")


@pytest.fixture(scope="module")
def oauth() -> Iterator[OAuth]:
    with Sandbox() as sandbox:
        yield OAuth(sandbox)


def test_nothing_of_an_oauth_client_is_left_behind(oauth: OAuth, tmp_path: Path) -> None:
    client = oauth.client()
    session = open_session(client)
    assert [*client.sources(oauth.sandbox.org_id)]
    secrets = oauth.secrets(client)
    things = [client, client.transport, client.limiter, session]
    shown = "".join(repr(thing) + repr(vars(thing)) for thing in things)
    assert found_in(shown, secrets) == []
    pipeline = dlt.pipeline(
        "by_hand",
        pipelines_dir=str(tmp_path / "dlt"),
        destination=dlt.destinations.duckdb(str(tmp_path / "events.duckdb")),
        dataset_name="pipedream",
    )
    source = pipedream_source(
        base_url=oauth.sandbox.url, org_id=oauth.sandbox.org_id, **oauth.given
    )
    pipeline.run(source)
    assert leaks(tmp_path, secrets) == []
    client.close()


def test_an_echo_of_an_oauth_client_is_redacted(oauth: OAuth) -> None:
    """A failing API may repeat everything that it was sent: the client's body, then its token."""
    client = oauth.client(retry_budget_s=0)
    assert [*client.sources(oauth.sandbox.org_id, maximum=1)]
    secrets = oauth.secrets(client)
    said = " ".join(secrets.values())
    for status in (400, 401, 403, 404, 422, 500):
        oauth.sandbox.fault(path="/v1/orgs/*", status=status, body=f'{{"error":"{said}"}}')
        with pytest.raises(PipedreamError) as caught:
            list(client.sources(oauth.sandbox.org_id))
        assert found_in(str(caught.value) + repr(vars(caught.value)), secrets) == []
        oauth.sandbox.clear_faults()
    client.close()
