"""Certificates that nobody should trust, made on the spot, and a server that shows them."""

from __future__ import annotations

import ssl
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.faults.run_fault import Break, Given, Scene
from tests.integration.wire import serving

_CA = """
[ca]
default_ca = own
[own]
database = {folder}/index.txt
serial = {folder}/serial
new_certs_dir = {folder}
default_md = sha256
policy = any
copy_extensions = copy
[any]
commonName = supplied
"""
_YEARS = {"valid": ("20200101000000Z", "20400101000000Z"), "expired": ("20200101000000Z",) * 2}


def certificate(folder: Path, name: str, years: str) -> Path:
    """Make a self-signed certificate for a name; its key stands in the same file."""
    folder.mkdir()
    (folder / "index.txt").touch()
    (folder / "serial").write_text("01\n")
    (folder / "ca.cnf").write_text(_CA.format(folder=folder))
    request, key, cert = folder / "request.pem", folder / "key.pem", folder / "cert.pem"
    _openssl(
        "req -new -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj /CN=x",
        *("-addext", f"subjectAltName={name}", "-keyout", key, "-out", request),
    )
    start, end = _YEARS[years]
    _openssl(
        f"ca -batch -selfsign -notext -startdate {start} -enddate {end}",
        *("-config", folder / "ca.cnf", "-keyfile", key, "-in", request, "-out", cert),
    )
    with cert.open("a") as both:
        both.write(key.read_text())
    return cert


def _openssl(words: str, *more: object) -> None:
    subprocess.run(["openssl", *words.split(), *map(str, more)], check=True, capture_output=True)


@contextmanager
def shown(scene: Scene, given: Given, *, name: str, years: str, trusted: bool) -> Iterator[None]:
    """Serve with such a certificate, outside of the folder that the run is examined in."""
    cert = certificate(scene.folder.with_name(f"{scene.folder.name}-tls"), name, years)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert)
    # What switches the verification off elsewhere has no effect here.
    given.environment |= {"PYTHONHTTPSVERIFY": "0", "CURL_CA_BUNDLE": ""}
    if trusted:
        given.flags += ["--ca-bundle", str(cert)]
    with serving(context) as server:
        given.environment["PIPEDREAM_BASE_URL"] = server.url
        yield
        assert server.seen == [], "the key was sent to somebody who could not be verified"


def untrusted(name: str = "IP:127.0.0.1", years: str = "valid", *, trusted: bool = False) -> Break:
    return lambda scene, given: shown(scene, given, name=name, years=years, trusted=trusted)
