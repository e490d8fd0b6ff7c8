"""TLS that cannot be verified is a matter of configuration; TLS that breaks is a matter of luck."""

from __future__ import annotations

import shutil
import ssl
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipedream_source.api.http import limiter as limiter_module
from pipedream_source.api.http.auth import BearerAuth
from pipedream_source.api.http.limiter import Limiter
from pipedream_source.api.http.transport import Transport
from pipedream_source.api.protocol import Request
from pipedream_source.exceptions import ConfigurationError, ConnectionFailed
from pipedream_source.settings import MAX_TRIES
from tests.integration.wire import KEY, OK, WireServer, everything_shown, serving

OPENSSL = shutil.which("openssl")
needs_openssl = pytest.mark.skipif(OPENSSL is None, reason="makes certificates with openssl")
ME = Request("/users/me")


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limiter_module, "BACKOFF_BASE_S", 0.0001)
    for name in ("REQUESTS_CA_BUNDLE", "SSL_CERT_FILE", "https_proxy", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)


def certificate(folder: Path, name: str) -> tuple[Path, ssl.SSLContext]:
    """Make a self-signed certificate for a name and a server's context with it."""
    cert, key = folder / "cert.pem", folder / "key.pem"
    command = (
        "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=x"
    )
    subprocess.run(
        [
            *(str(OPENSSL), *command.split(), "-addext", f"subjectAltName={name}"),
            *("-keyout", str(key), "-out", str(cert)),
        ],
        check=True,
        capture_output=True,
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)
    return cert, context


def transport(url: str, ca_bundle: str | None = None) -> Transport:
    return Transport(BearerAuth(KEY), url, Limiter(), request_timeout_s=30.0, ca_bundle=ca_bundle)


@pytest.fixture(params=["IP:127.0.0.1", "DNS:elsewhere.invalid"], ids=["right-name", "other-name"])
def tls(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[str, Path, WireServer]]:
    cert, context = certificate(tmp_path, request.param)
    with serving(context) as server:
        yield request.param, cert, server


@needs_openssl
def test_an_unknown_certificate_is_refused_at_once(tls: tuple[str, Path, WireServer]) -> None:
    _, _, server = tls
    sender = transport(server.url)
    with pytest.raises(ConfigurationError, match=f"127.0.0.1:{server.port}.*ca_bundle") as caught:
        sender.send(ME)
    sender.close()
    assert sender.requests == 1
    assert server.seen == []
    assert KEY not in everything_shown(caught.value)


@needs_openssl
def test_a_bundle_makes_it_known_but_no_other_name(tls: tuple[str, Path, WireServer]) -> None:
    name, cert, server = tls
    sender = transport(server.url, str(cert))
    if name.startswith("IP"):
        assert sender.send(ME).body == OK
    else:
        with pytest.raises(ConfigurationError):
            sender.send(ME)
    sender.close()


@needs_openssl
def test_the_environment_may_name_the_bundle(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cert, context = certificate(tmp_path, "IP:127.0.0.1")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(cert))
    with serving(context) as server:
        sender = transport(server.url)
        assert sender.send(ME).body == OK
        sender.close()


def test_a_bundle_that_is_not_there_is_refused_before_anything_is_sent(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="does not exist"):
        transport("https://127.0.0.1:1/v1", str(tmp_path / "none.pem"))


def test_a_bundle_that_is_none_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "bundle.pem"
    path.write_text("no certificate")
    with serving() as server:
        sender = transport(server.url.replace("http:", "https:"), str(path))
        with pytest.raises(ConfigurationError):
            sender.send(ME)
        sender.close()
    assert sender.requests == 1


@needs_openssl
def test_a_handshake_that_breaks_is_retried(tmp_path: Path) -> None:
    with serving() as server:
        # Without TLS the server reads a line of the handshake and closes.
        sender = transport(server.url.replace("http:", "https:"))
        with pytest.raises(ConnectionFailed, match=f"127.0.0.1:{server.port}"):
            sender.send(ME)
        sender.close()
    assert sender.requests == MAX_TRIES
