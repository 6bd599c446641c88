"""The server answers its own page on this machine, and nobody else."""

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from numpy_lstm.explore import server as served
from numpy_lstm.explore.server import LONGEST, Server, has_browser
from numpy_lstm.explore.views import respond, views_of

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def server():
    with Server(views_of(None), 0) as made:
        thread = threading.Thread(target=made.serve_forever)
        thread.start()
        yield made
        made.shutdown()
        thread.join()


def ask(server, method="POST", path="/ask", body=None, **headers):
    connection = http.client.HTTPConnection("127.0.0.1", server.server_port, timeout=20)
    headers = {name.replace("_", "-"): value for name, value in headers.items()}
    connection.request(method, path, body, headers)
    reply = connection.getresponse()
    text = reply.read().decode()
    connection.close()
    return reply, text


def ask_json(server, asked, **headers):
    reply, text = ask(server, body=json.dumps(asked), Content_Type="application/json", **headers)
    return reply.status, json.loads(text)


def test_the_page_comes_with_its_policy_and_is_not_kept(server):
    reply, text = ask(server, "GET", "/")
    assert reply.status == 200 and text.startswith("<!DOCTYPE html>\n<!-- numpy_lstm explore -->")
    assert reply.headers["Content-Type"] == "text/html; charset=utf-8"
    policy = reply.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy and "connect-src 'self'" in policy
    assert "frame-ancestors 'none'" in policy and "unsafe" not in policy
    assert reply.headers["Cache-Control"] == "no-store"
    assert reply.headers["X-Content-Type-Options"] == "nosniff"
    assert reply.headers["Server"] == "numpy_lstm"
    assert ask(server, "GET", "/?x=1")[0].status == 200


def test_an_answer_is_that_of_the_view(server):
    asked = {"view": "starting-weights", "setting": {"forget_bias": 3, "lag": 100}}
    status, answer = ask_json(server, asked)
    assert status == 200 and answer == json.loads(json.dumps(respond(server.views, asked)))
    status, outcome = ask_json(server, {"view": "starting-weights", "question": 0})
    assert status == 200 and outcome["right"] == "vanishes"


@pytest.mark.parametrize("host", ["localhost:{}", "127.0.0.1:{}", "LOCALHOST:{}"])
def test_its_own_names_are_answered(server, host):
    status, _ = ask_json(
        server, {"view": "words", "question": 0}, Host=host.format(server.server_port)
    )
    assert status == 200


@pytest.mark.parametrize(
    "host",
    ["evil.example", "127.0.0.1", "127.0.0.1:1", "localhost.evil.example:{}", "[::1]:{}", ""],
)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_other_hosts_names_are_refused(server, host, method):
    reply, text = ask(
        server, method, "/" if method == "GET" else "/ask", Host=host.format(server.server_port)
    )
    assert reply.status == 421 and "no other host" in json.loads(text)["error"]


@pytest.mark.parametrize(
    "origin", ["http://evil.example", "null", "https://127.0.0.1:{}", "http://127.0.0.1:1"]
)
def test_other_origins_are_refused(server, origin):
    asked = {"view": "words", "question": 0}
    status, answer = ask_json(server, asked, Origin=origin.format(server.server_port))
    assert status == 403 and answer == {"error": "Other pages may not ask."}
    origin = f"http://localhost:{server.server_port}"
    assert ask_json(server, asked, Origin=origin)[0] == 200


def test_a_question_has_a_length_and_not_too_great_a_one(server):
    for length in (str(LONGEST + 1), "9" * 30, 9 * "0" + "100000000", "-1", "x", "", "١"):
        reply, text = ask(server, body=b"", Content_Length=length.encode().decode("latin-1"))
        assert reply.status == 413 and "16,384" in text
    connection = http.client.HTTPConnection("127.0.0.1", server.server_port, timeout=20)
    connection.putrequest("POST", "/ask")
    connection.putheader("Content-Type", "application/json")
    connection.endheaders()  # no length at all
    assert connection.getresponse().status == 413
    connection.close()


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"", "Expecting value"),
        (b"{", "Expecting"),
        (b"\xff", "codec can't decode"),
        (b"[" * 16_000, ""),
        (b"NaN", "must name its `view`"),
        (b'{"view": "nothing"}', "`view` must be one of"),
        (b'{"view": "one-step", "setting": {"x": NaN}}', "`x` has no value"),
        (b'{"view": "one-step", "setting": {"x": 1e999}}', "`x` has no value"),
    ],
)
def test_what_makes_no_sense_is_an_error_of_one_sentence(server, body, message):
    reply, text = ask(server, body=body, Content_Type="application/json")
    assert reply.status == 400 and message in json.loads(text)["error"]


def test_own_text_may_be_as_long_as_it_may_be_in_any_script(server):
    asked = {"view": "words", "setting": {"example": "own", "text": "ß" * 2000}}
    assert ask_json(server, asked)[0] == 200
    assert ask_json(server, {**asked, "setting": {"example": "own", "text": "b" * 2001}})[0] == 400


def test_there_is_nothing_else(server):
    for path in (
        "/explore.js",
        "/../setup.cfg",
        "//etc/passwd",
        "/%2e%2e/setup.cfg",
        "/favicon.ico",
    ):
        assert ask(server, "GET", path)[0].status == 404
    assert ask(server, path="/", body=b"{}", Content_Type="application/json")[0].status == 404
    assert ask(server, body=b"{}", Content_Type="text/plain")[0].status == 404
    for method in ("PUT", "DELETE", "OPTIONS", "HEAD"):
        assert ask(server, method, "/")[0].status == 501


def test_it_listens_on_this_machine_alone(server):
    assert server.server_address[0] == "127.0.0.1"


def test_many_connections_at_once_wait_for_their_turn():
    with Server({}, 0) as made:
        waiting = [http.client.HTTPConnection("127.0.0.1", made.server_port) for _ in range(40)]
        for connection in waiting:
            connection.timeout = 20
            connection.request("GET", "/")  # nobody listens yet
        thread = threading.Thread(target=made.serve_forever)
        thread.start()
        for connection in waiting:
            assert connection.getresponse().status == 200
            connection.close()
        made.shutdown()
        thread.join()


def test_a_connection_that_says_nothing_is_closed(monkeypatch):
    monkeypatch.setattr(served.Handler, "timeout", 0.2)
    with Server({}, 0) as made:
        thread = threading.Thread(target=made.serve_forever)
        thread.start()
        with socket.create_connection(("127.0.0.1", made.server_port), timeout=5) as silent:
            silent.sendall(b"GET / HT")
            assert silent.recv(100) == b""
        made.shutdown()
        thread.join()


def test_a_port_that_is_taken_is_an_error_if_it_was_named_and_else_another_is_chosen(monkeypatch):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(OSError, match=f"`--port` {port}: "):
            Server({}, port)
        monkeypatch.setattr(served, "PORT", port)
        with Server({}, None) as other:
            assert other.server_port != port


@pytest.mark.parametrize(
    ("platform", "environment", "seen"),
    [
        ("linux", {}, False),
        ("linux", {"DISPLAY": ":0"}, True),
        ("linux", {"WAYLAND_DISPLAY": "wayland-0"}, True),
        ("linux", {"DISPLAY": ":10", "SSH_CONNECTION": "a b"}, False),
        ("darwin", {}, True),
        ("win32", {"SSH_CONNECTION": "a b"}, False),
    ],
)
def test_a_browser_is_opened_only_where_there_is_one(monkeypatch, platform, environment, seen):
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "SSH_CONNECTION"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(sys, "platform", platform)
    assert has_browser() is seen


@pytest.mark.skipif(sys.platform == "win32", reason="Windows sends no SIGINT to one process")
def test_the_command_prints_its_address_and_ends_on_ctrl_c(interruptible):
    command = [sys.executable, "-m", "numpy_lstm.explore", "--port", "0", "--no-browser"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
    ) as process:
        address = process.stdout.readline().split()[0]
        port = int(address.removeprefix("http://127.0.0.1:").rstrip("/"))
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
        connection.request("GET", "/")  # and stays open
        assert connection.getresponse().status == 200
        process.send_signal(signal.SIGINT)
        assert process.wait(10) == 0
        assert process.stderr.read() == ""
        connection.close()
