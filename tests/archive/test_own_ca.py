"""A company's own certificate authority, by the variables that Python's programs know."""

from __future__ import annotations

import shutil
import ssl
import subprocess
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from pinner.archive.cache import Cache
from pinner.archive.fetch import Fetcher
from pinner.archive.network import Network
from pinner.errors import FetchError

pytestmark = pytest.mark.skipif(shutil.which("openssl") is None, reason="needs openssl")


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"ok")

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    folder = tmp_path_factory.mktemp("ca")
    certificate, key = folder / "ca.pem", folder / "key.pem"
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
    command += ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-days", "2"]
    command += ["-keyout", str(key), "-out", str(certificate)]
    subprocess.run(command, check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    service = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    service.socket = context.wrap_socket(service.socket, server_side=True)
    thread = threading.Thread(target=service.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"https://localhost:{service.server_address[1]}/", certificate
    finally:
        service.shutdown()
        thread.join()
        service.server_close()


@pytest.mark.parametrize("variable", ["REQUESTS_CA_BUNDLE", "SSL_CERT_FILE", ""])
def test_who_is_believed(
    server: tuple[str, Path], variable: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url, certificate = server
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE"):
        monkeypatch.delenv(name, raising=False)
    if variable:
        monkeypatch.setenv(variable, str(certificate))
    waits: list[float] = []
    fetcher = Fetcher(Network(Cache(tmp_path), datetime.now(UTC), wait=waits.append))
    try:
        if variable:
            assert fetcher.get(url, limit=10) == b"ok"
        else:
            with pytest.raises(FetchError):
                fetcher.get(url, limit=10)
    finally:
        fetcher.close()
