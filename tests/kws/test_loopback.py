"""Whatever serves a page answers this machine's own name alone."""

import http.client
import urllib.parse

import pytest

from kws.loopback import is_here, only_here
from pipeline.cli.tensorboard import _server

HERE = ["127.0.0.1", "localhost", "127.0.0.1:6006", "LOCALHOST:80", "[::1]:6006"]
ELSEWHERE = [
    None, "", "evil.example", "evil.example:6006", "127.0.0.1.evil.example", "127.0.0.2",
    "localhost.evil.example", "localhost@evil.example", "evil.example@localhost", "[::1",
    "localhost:port", "0.0.0.0",
]  # fmt: skip


@pytest.mark.parametrize("host", HERE)
def test_this_machine_is_known_by_its_names(host):
    assert is_here(host)


@pytest.mark.parametrize("host", [*ELSEWHERE])
def test_any_other_name_is_not_this_machine(host):
    assert not is_here(host, 6006) and (host == "localhost:port" or not is_here(host))


def test_the_port_counts_where_it_is_known():
    assert is_here("localhost:6006", 6006)
    assert not is_here("localhost:6007", 6006) and not is_here("localhost", 6006)


def test_a_guarded_application_answers_nobody_else():
    said = []
    app = only_here(lambda environ, start_response: [b"secret"])
    assert app({"HTTP_HOST": "localhost:1"}, lambda *answer: said.append(answer)) == [b"secret"]
    assert app({"HTTP_HOST": "evil.example"}, lambda *answer: said.append(answer)) == [
        b"Only for this machine.\n"
    ]
    assert app({}, lambda *answer: said.append(answer)) == [b"Only for this machine.\n"]
    assert [status for status, _ in said] == ["403 Forbidden"] * 2


def test_tensorboard_refuses_a_foreign_host(tmp_path):
    from tensorboard import program

    board = program.TensorBoard(server_class=_server)
    board.configure(logdir=str(tmp_path), host="127.0.0.1", port=0, load_fast="false")
    address = urllib.parse.urlsplit(board.launch())

    def status(host: str, path: str = "/data/environment") -> int:
        connection = http.client.HTTPConnection("127.0.0.1", address.port, timeout=30)
        connection.putrequest("GET", path, skip_host=True)
        connection.putheader("Host", host)
        connection.endheaders()
        return connection.getresponse().status

    assert status(f"localhost:{address.port}") == status(f"127.0.0.1:{address.port}") == 200
    assert status(f"evil.example:{address.port}") == status("evil.example", "/") == 403
