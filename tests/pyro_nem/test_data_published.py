"""Published files come from a real server, here one of this machine."""

import functools
import hashlib
import http.server
import threading

import pytest

from pyro_nem.data import PublishedFile, published_content
from pyro_nem.errors import DataError

CONTENT = bytes(range(256)) * 1000


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *args):
        """Print nothing, where the base class writes a line for each request."""


@pytest.fixture
def address(tmp_path, monkeypatch):
    monkeypatch.setenv("PYRO_NEM_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("PYRO_NEM_DATA", raising=False)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    (tmp_path / "served").mkdir()
    (tmp_path / "served" / "file.bin").write_bytes(CONTENT)
    handler = functools.partial(Quiet, directory=tmp_path / "served")
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


def published(*addresses):
    return PublishedFile("a file", "folder", addresses, hashlib.sha256(CONTENT).hexdigest())


def test_the_file_is_downloaded_and_kept(address, tmp_path):
    lines = []
    file = published(f"{address}/missing/file.bin", f"{address}/file.bin")
    assert published_content(file, lines.append) == CONTENT
    assert len(lines) == 2
    assert (tmp_path / "cache" / "folder" / "file.bin").read_bytes() == CONTENT
    assert published_content(file, pytest.fail) == CONTENT


def test_what_the_server_says_is_told(address):
    with pytest.raises(DataError, match=r"404 .*get missing\.bin by hand"):
        published_content(published(f"{address}/missing.bin"), str)
