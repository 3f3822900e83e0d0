"""Reverse proxies as docs/hosting.md has them: HAProxy by its file, nginx by its block of words."""

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from browsers import ROOT, free_port, well

PATH = f"{os.environ['PATH']}{os.pathsep}/usr/sbin"  # where servers are, which not everybody has
HAPROXY, NGINX = (shutil.which(name, path=PATH) for name in ("haproxy", "nginx"))
# all that a block needs around it, in one process of this user's
AROUND = """daemon off; master_process off; pid {folder}/pid; error_log {folder}/errors;
events {{}}
http {{
    access_log off;
    client_body_temp_path {folder}; proxy_temp_path {folder}; fastcgi_temp_path {folder};
    uwsgi_temp_path {folder}; scgi_temp_path {folder};
    server {{ listen 127.0.0.1:{port}; {block} }}
}}"""


@contextmanager
def process(words: list[str], **more: str) -> Iterator["subprocess.Popen[bytes]"]:
    """A quiet process of its own, ended at the end."""
    quiet = subprocess.DEVNULL
    began = subprocess.Popen(words, cwd=ROOT, env=os.environ | more, stdout=quiet, stderr=quiet)
    try:
        yield began
    finally:
        began.terminate()
        began.wait(30)


@contextmanager
def haproxy(ports: list[int], prefix: str = "") -> Iterator[str]:
    """The address of HAProxy before two servers on this machine, by docs/haproxy.cfg."""
    assert HAPROXY is not None
    names = dict(zip(("EXPLORER_FIRST", "EXPLORER_SECOND"), map(str, ports), strict=True))
    url = f"http://127.0.0.1:{(port := free_port())}{prefix}"
    with process([HAPROXY, "-f", "docs/haproxy.cfg"], EXPLORER_PORT=str(port),
                 EXPLORER_PREFIX=prefix, **names) as began:  # fmt: skip
        well(url, began)
        yield url


@contextmanager
def nginx(port: int) -> Iterator[str]:
    """The address of nginx before a server of this machine, by the block of docs/hosting.md."""
    assert NGINX is not None
    found = re.search(r"^location (/\w+)/ \{\n.*?^\}", (ROOT / "docs/hosting.md").read_text(),
                      re.M | re.S)  # fmt: skip
    assert found is not None
    at = free_port()
    with tempfile.TemporaryDirectory() as folder:
        block = found[0].replace("localhost:8501", f"localhost:{port}")
        settings = Path(folder) / "nginx.conf"
        settings.write_text(AROUND.format(folder=folder, port=at, block=block))
        url = f"http://127.0.0.1:{at}{found[1]}"
        with process([NGINX, "-p", folder, "-c", str(settings)]) as began:
            well(url, began)
            yield url
