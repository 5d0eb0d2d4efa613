"""The server answers this machine, under its own name, and nobody else."""

import http.client
import threading

import pytest

from kws.report.server import Answer, NotHere, serve


def site(path, query):
    if path == "/fails":
        raise ValueError("no such thing")
    if path != "/":
        raise NotHere(f"Nothing at {path}.")
    return Answer(content=f"part={query.get('part')}".encode())


@pytest.fixture
def server():
    made = serve(site, 0)
    thread = threading.Thread(target=made.serve_forever, daemon=True)
    thread.start()
    yield made
    made.shutdown()
    made.server_close()


def _get(server, path: str, host: str | None = None, method: str = "GET"):
    name, port = server.server_address[:2]
    connection = http.client.HTTPConnection(name, port, timeout=10)
    connection.request(method, path, headers={"Host": host or f"{name}:{port}"})
    answer = connection.getresponse()
    return answer, answer.read().decode()


def test_it_listens_on_loopback_alone(server):
    assert server.server_address[0] == "127.0.0.1"


def test_a_page_is_sent_with_its_query_and_a_policy_that_forbids_other_places(server):
    answer, text = _get(server, "/?part=label_yes")
    assert (answer.status, text) == (200, "part=label_yes")
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize("host", ["rebound.example", "rebound.example:80", "127.0.0.1", ""])
def test_a_request_under_another_name_is_refused(server, host):
    answer, text = _get(server, "/", host or " ")
    assert answer.status == 403 and "part" not in text


def test_localhost_is_this_machine_too(server):
    assert _get(server, "/", f"localhost:{server.server_address[1]}")[0].status == 200


def test_what_is_not_there_and_what_fails_is_one_line(server):
    assert _get(server, "/nope")[0].status == 404
    answer, text = _get(server, "/fails")
    assert answer.status == 500 and text == "ValueError: no such thing\n"


def test_nothing_can_be_changed(server):
    assert _get(server, "/", method="POST")[0].status == 501
