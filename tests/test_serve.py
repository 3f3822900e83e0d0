"""How a server is started: a port that is free, and a word where it is not the usual one."""

import http.client
import os
import re
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from browsers import free_port, well

from core.run.bounds import Bounds
from core.run.crew import cuda_usable
from ui.window import serve

ROOT = Path(__file__).parents[1]


@pytest.fixture
def taken():
    """A port of this machine on which somebody listens."""
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        yield other.getsockname()[1]


def test_a_taken_port_is_passed_over_and_said(taken, monkeypatch, capsys):
    monkeypatch.setattr(serve, "PORT", taken)
    words = serve.arguments(["--server.baseUrlPath", "/ica"])
    port = int(words[-1])
    assert port != taken and words[-2] == "--server.port" and "/ica" in words
    assert f"Port {taken} is taken: the explorer is at {port}." in capsys.readouterr().out


def test_a_port_that_is_asked_for_is_left_to_streamlit(taken, monkeypatch, capsys):
    monkeypatch.setattr(serve, "PORT", taken)
    for words in (["--server.port", "9"], ["--server.port=9"]):
        assert serve.arguments(words) == ["run", str(ROOT / "app.py"), *words]
    assert not capsys.readouterr().out


@pytest.mark.parametrize("words, environment, added", [
    ([], {}, []),
    (["--server.address", "127.0.0.1"], {}, []),
    (["--server.address=0.0.0.0"], {}, ["--server.allowedHosts", "*"]),
    ([], {"STREAMLIT_SERVER_ADDRESS": "::"}, ["--server.allowedHosts", "*"]),
    (["--server.address", "0.0.0.0", "--server.allowedHosts", "a.example"], {}, []),
    (["--server.address", "0.0.0.0"], {"STREAMLIT_SERVER_ALLOWED_HOSTS": "a.example"}, []),
])  # fmt: skip
def test_who_listens_to_others_answers_to_any_name_unless_told(
    words, environment, added, monkeypatch
):
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    words = ["--server.port", "9", *words]
    assert serve.arguments(words) == ["run", str(ROOT / "app.py"), *words, *added]


def test_a_port_of_the_environment_is_left_to_streamlit(taken, monkeypatch, capsys):
    monkeypatch.setattr(serve, "PORT", taken)
    monkeypatch.setenv("STREAMLIT_SERVER_PORT", "9")
    assert serve.arguments([]) == ["run", str(ROOT / "app.py")] and not capsys.readouterr().out


def test_a_bad_setting_is_said_before_anybody_comes():
    ended = subprocess.run(
        [sys.executable, "-m", "ui.window.serve"], cwd=ROOT, text=True, stderr=subprocess.PIPE,
        env=os.environ | {"EXPLORER_MOST_QUEUED": "many"},
    )  # fmt: skip
    assert ended.returncode == 1 and ended.stderr.startswith("error: EXPLORER_MOST_QUEUED='many'")


@pytest.mark.skipif(cuda_usable(), reason="there is a GPU here")
def test_a_gpu_that_is_not_there_is_said_before_anybody_comes():
    for words in ("ui.window.serve", "core run infonce --steps 2"):
        ended = subprocess.run(
            [sys.executable, "-m", *words.split()], cwd=ROOT, text=True, stderr=subprocess.PIPE,
            env=os.environ | {"EXPLORER_DEVICE": "cuda"}, timeout=120,
        )  # fmt: skip
        assert ended.returncode in (1, 2) and "there is no GPU here" in ended.stderr
        assert ended.stderr.count("\n") == 1


def test_every_fault_of_the_table_has_its_test():
    lines = (ROOT / "docs/reliability.md").read_text().split("## A classroom")[0].splitlines()
    rows = [line.split("|") for line in lines if line.startswith("| ")][1:]
    assert len(rows) > 20
    everything = "".join(path.read_text() for path in (ROOT / "tests").glob("test_*.py"))
    for row in rows:
        named = re.findall(r"`(test_\w+)`", row[4])
        assert named, row[1]
        for name in named:
            assert f"def {name}(" in everything, name


def test_every_setting_is_listed_and_none_besides():
    listed = set(re.findall(r"`(EXPLORER_\w+)`", (ROOT / "docs/hosting.md").read_text()))
    source = "".join(p.read_text() for top in ("core", "ui") for p in (ROOT / top).rglob("*.py"))
    read = set(re.findall(r'environ(?:\.get\(|\[)"(EXPLORER_\w+)"', source))
    assert listed == read | {f"EXPLORER_{name.upper()}" for name in Bounds.model_fields}


def test_no_service_in_the_network_is_asked_where_this_machine_is(tmp_path):
    """Neither at the start of one that listens to everybody, nor by what another site sends."""
    port = free_port()
    spy = tmp_path / "sitecustomize.py"
    spy.write_text("import requests\n\n\ndef get(*words, **more):\n    print('ASKED', words)\n"
                   "    raise OSError\n\n\nrequests.get = get\n")  # fmt: skip
    words = [
        "-u",
        "-m",
        "ui.window.serve",
        "--server.port",
        str(port),
        "--server.address",
        "0.0.0.0",
    ]
    server = subprocess.Popen([sys.executable, *words], cwd=ROOT, text=True, stdout=subprocess.PIPE,
                              env=os.environ | {"PYTHONPATH": str(tmp_path)})  # fmt: skip
    try:
        said = ""
        while "URL" not in said:
            line = server.stdout.readline()
            assert line, said
            said += line
        line = http.client.HTTPConnection("localhost", port, timeout=60)
        line.request("GET", "/_stcore/stream", headers={
            "Origin": "http://elsewhere.example", "Connection": "Upgrade", "Upgrade": "websocket",
            "Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
        })  # fmt: skip
        assert line.getresponse().status == 403
    finally:
        server.terminate()
        said += server.communicate()[0]
    assert "ASKED" not in said


def test_no_free_port_is_an_error(monkeypatch):
    monkeypatch.setattr(serve, "listened", lambda host, port: True)
    with pytest.raises(OSError, match="are all taken"):
        serve.free_port(9000)


def test_a_server_answers_on_its_port_and_on_loopback_only(tmp_path):
    port = free_port()
    words = ["-m", "ui.window.serve", "--server.port", str(port)]
    server = subprocess.Popen([sys.executable, *words], cwd=ROOT, stdout=subprocess.PIPE)
    try:
        well(f"http://localhost:{port}", server)
        import psutil

        listens = {c.laddr.ip for c in psutil.Process(server.pid).net_connections("tcp")
                   if c.status == psutil.CONN_LISTEN}  # fmt: skip
        assert listens <= {"127.0.0.1", "::1"} and listens
    finally:
        server.terminate()
        server.communicate()


@pytest.mark.parametrize("words, at", [
    ([], "http://localhost:9/"),
    (["--server.address", "0.0.0.0", "--server.baseUrlPath=/ica/"], "http://localhost:9/ica"),
    (["--server.address", "::1", "--server.sslCertFile", "a.pem"], "https://[::1]:9/"),
])  # fmt: skip
def test_where_to_open_the_browser(words, at):
    assert serve.home(["--server.port", "9", *words]) == at


@pytest.mark.parametrize("settings, words", [
    ({"EXPLORER_DEVICE": "cpu", "EXPLORER_WORKERS": "1"}, "Trains on the CPU, by 1 worker."),
    ({"EXPLORER_DEVICE": "cuda"}, "Trains on a GPU, by 1 worker."),
    ({"EXPLORER_SCHEDULER": "tcp://a:1"}, "Trains on the workers of tcp://a:1."),
    ({"EXPLORER_TRAIN": "off"}, "Trains nothing: EXPLORER_TRAIN is off."),
])  # fmt: skip
def test_what_trains_is_said_before_anything_starts(settings, words, monkeypatch):
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    assert serve.trains(Bounds.of_environment()) == words


def test_the_workers_are_ready_before_anybody_comes(tmp_path):
    port = free_port()
    words = ["-u", "-m", "ui.window.serve", "--server.port", str(port)]
    server = subprocess.Popen(
        [sys.executable, *words], cwd=ROOT, stdout=subprocess.PIPE, text=True,
        env=os.environ | {"EXPLORER_CACHE": str(tmp_path), "EXPLORER_WORKERS": "1"},
    )  # fmt: skip
    try:
        said = [server.stdout.readline(), server.stdout.readline()]
        assert said[0] == f"Open http://localhost:{port}/\n" and said[1].startswith("Trains on ")
        while not said[-1].startswith("  Trains on: 1 × "):  # what a worker with torch answers
            said.append(server.stdout.readline())
            assert said[-1], said
    finally:
        server.terminate()
        server.communicate()
