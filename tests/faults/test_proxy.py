"""The proxy itself: it must break what it is told to break, or the fault suite would prove nothing."""

import socket
import threading
from collections.abc import Iterator

import pytest

from tests.faults.proxy import Proxy, running_proxy


@pytest.fixture
def echo_port() -> Iterator[int]:
    """A server that says everything back."""
    listener = socket.create_server(("127.0.0.1", 0))

    def echo(connection: socket.socket) -> None:
        with connection:
            try:
                while block := connection.recv(1024):
                    connection.sendall(block)
            except OSError:
                pass

    def serve() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=echo, args=(connection,), daemon=True).start()

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    yield listener.getsockname()[1]
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()
    thread.join(5)


@pytest.fixture
def proxy(echo_port: int) -> Iterator[Proxy]:
    with running_proxy(echo_port) as running:
        yield running


def connect(proxy: Proxy) -> socket.socket:
    return socket.create_connection(("127.0.0.1", proxy.port), timeout=5)


def say(connection: socket.socket, words: bytes) -> bytes:
    connection.sendall(words)
    return connection.recv(1024)


def test_bytes_pass_both_ways(proxy: Proxy) -> None:
    with connect(proxy) as one, connect(proxy) as other:
        assert say(one, b"one") == b"one"
        assert say(other, b"other") == b"other"
        assert proxy.open_connections == 2


def test_a_reset_breaks_what_is_open_and_lets_new_ones_in(proxy: Proxy) -> None:
    with connect(proxy) as one:
        say(one, b"one")
        assert proxy.reset_all() == 1
        with pytest.raises(ConnectionResetError):
            one.recv(1024)
    with connect(proxy) as again:
        assert say(again, b"again") == b"again"


def test_a_refusing_proxy_takes_nobody_until_it_is_told_to(proxy: Proxy) -> None:
    proxy.refuse(True)
    with pytest.raises(ConnectionError), connect(proxy) as refused:
        say(refused, b"let me in")
    proxy.refuse(False)
    with connect(proxy) as taken:
        assert say(taken, b"thanks") == b"thanks"


def test_a_stalled_connection_stays_open_and_goes_on_later(proxy: Proxy) -> None:
    with connect(proxy) as one:
        say(one, b"one")
        proxy.stall(True)
        one.sendall(b"held")
        one.settimeout(0.3)
        with pytest.raises(TimeoutError):
            one.recv(1024)
        proxy.stall(False)
        one.settimeout(5)
        assert one.recv(1024) == b"held"
