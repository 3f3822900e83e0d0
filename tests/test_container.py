"""The container file: built and run where there is a runtime, and its steps in a fresh folder."""

import json
import os
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from benches import apart
from browsers import ROOT, free_port, well
from visitors import Session, gone

FILE = ROOT / "Containerfile"
RUNTIMES = ("docker", "podman")
SHOWN = {  # by page, what it says first
    "infonce_sphere": "Contrastive learning finds the latents, up to a rotation",
    "scores": "How far to trust a score",
}


def steps() -> list[tuple[str, str]]:
    """The file's instructions, each with its words."""
    lines = [line for line in FILE.read_text("utf-8").splitlines() if line and line[0] != "#"]
    return [(verb, words) for verb, _, words in (line.partition(" ") for line in lines)]


def runtime() -> str | None:
    """A container runtime that works here, if any."""
    for name in filter(shutil.which, RUNTIMES):
        try:
            if subprocess.run([name, "info"], capture_output=True, timeout=20).returncode == 0:
                return name
        except subprocess.TimeoutExpired:
            continue
    return None


@contextmanager
def answering(command: list[str], port: int, **settings: object) -> Iterator[str]:
    """The address of the server that a command starts, once it is well."""
    server = subprocess.Popen(command, **settings)
    url = f"http://localhost:{port}"
    try:
        well(url, server)
        yield url
    finally:
        server.terminate()
        server.wait(60)


def drawn(url: str, page: str) -> None:
    """A page of it is drawn, and nothing went wrong."""
    session = Session(url, page)

    async def visit() -> None:
        with gone([session]):
            await session.open()

    apart(visit)
    assert not session.faults
    assert session.received > 10_000 and SHOWN[page] in session.headings


def test_the_steps_of_the_container_file_make_a_server_in_a_fresh_folder(tmp_path):
    """What pip would install is found instead in this environment: nothing is fetched."""
    home, port = tmp_path / "explorer", free_port()
    home.mkdir()
    packages = sysconfig.get_path("purelib")
    path = (
        f"{sys.base_prefix}/bin{os.pathsep}{os.environ['PATH']}"  # whose python3 is of this version
    )
    env = {"PATH": path, "PYTHONPATH": packages, "PIP_NO_INDEX": "1"}
    command: list[str] = []
    for verb, words in steps():
        if verb == "COPY":
            *sources, target = words.split()
            for each in sources:
                if (ROOT / each).is_dir():
                    unmade = shutil.ignore_patterns("__pycache__")
                    shutil.copytree(ROOT / each, home / target, ignore=unmade)
                else:
                    shutil.copy(ROOT / each, home / target)
        elif verb == "RUN":
            subprocess.run(words, shell=True, cwd=home, env=env, check=True, timeout=300)
        elif verb == "ENV":
            name, _, value = words.partition("=")
            env[name] = value.replace("/explorer", str(home)).replace("/tmp", str(tmp_path))
        elif verb == "CMD":
            command = json.loads(words)
        else:
            assert verb in ("FROM", "WORKDIR", "ARG", "USER", "EXPOSE"), verb
    assert command[-2:] == ["--server.address", "0.0.0.0"]  # in a container; here, loopback alone
    command = [*command[:-1], "127.0.0.1", "--server.port", str(port)]
    with answering(command, port, cwd=home, env=env | {"EXPLORER_TRAIN": "off"}) as url:
        for page in SHOWN:
            drawn(url, page)
    assert (home / "static").is_dir()
    assert {path.name for path in home.iterdir()} <= {
        ".venv", "static", "runs", "__pycache__", ".streamlit", "core", "pages", "ui", "app.py",
        "LICENSE", "CITATION.cff", "requirements.txt",
    }  # fmt: skip


def test_what_the_image_copies_is_all_that_a_server_needs_of_the_project():
    """No page asks for a file that lies elsewhere, and the build sends no more than it copies."""
    copied = {w for verb, words in steps() if verb == "COPY" for w in words.split()[:-1]}
    lines = (ROOT / ".dockerignore").read_text("utf-8").splitlines()
    sent = {line[1:] for line in lines if line.startswith("!")}
    tracked = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True)
    tops = {line.split("/")[0] for line in tracked.stdout.splitlines()}
    assert copied <= tops and sent == copied and "*" in lines
    assert {"core", "ui", "pages", "app.py", ".streamlit", "requirements.txt"} <= copied


def test_the_image_is_built_and_serves():
    name, port = runtime(), free_port()
    if name is None:
        pytest.skip("needs a container runtime that works")
    subprocess.run([name, "build", "-f", FILE.name, "-t", "explorer-test", "."],
                   cwd=ROOT, check=True)  # fmt: skip
    command = [name, "run", "--rm", "--init", "-p", f"127.0.0.1:{port}:8501", "explorer-test"]
    with answering(command, port) as url:
        for page in SHOWN:
            drawn(url, page)
