"""Behind a reverse proxy, as a browser comes there; and who is not let in."""

import http.client
import http.server
import json
import threading
from contextlib import ExitStack, contextmanager, nullcontext

import pytest
from benches import apart
from browsers import AT_REST, ROOT, VIEW, choose_page, serving, settled
from proxies import HAPROXY, NGINX, haproxy, nginx
from streamlit.proto.BackMsg_pb2 import BackMsg
from tornado.httpclient import HTTPClientError
from tornado.websocket import WebSocketClosedError
from visitors import Session, gone

NAME = "explorer.example.org"  # under which browsers know the proxy
PREFIX = "/ica"
PROXIES = {
    "haproxy": lambda port: haproxy([port, port]),
    "haproxy with a prefix": lambda port: haproxy([port, port], PREFIX),
    "nginx with a prefix": nginx,
}
HERE = {"haproxy": HAPROXY, "nginx": NGINX}


def _port(url):
    return int(url.split(":")[2].split("/")[0])


@pytest.fixture(scope="module", params=PROXIES)
def behind(request, tmp_path_factory):
    """The address of a proxy that is known by its own and by a name."""
    if HERE[request.param.split()[0]] is None:
        pytest.skip(f"needs {request.param.split()[0]}")
    base = PREFIX if "prefix" in request.param else ""
    flags = (f"--server.baseUrlPath={base}", "--server.allowedHosts=127.0.0.1",
             f"--server.allowedHosts={NAME}")  # fmt: skip
    cache = str(tmp_path_factory.mktemp("cache"))
    with (
        serving(ROOT, base, flags, EXPLORER_CACHE=cache, EXPLORER_TRAIN="off") as url,
        PROXIES[request.param](_port(url)) as proxy,
    ):
        yield proxy


def _visited(url, **headers):
    """A page of it is opened and a knob moved."""
    session = Session(url, "infonce_sphere", **headers)

    async def visit():
        with gone([session]):
            await session.open()
            assert session.pictured and session.knob
            before = session.received
            await session.move()
            assert session.received > before + 10_000

    apart(visit)
    assert not session.faults


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_page_opens_and_a_knob_moves_under_the_proxys_name(behind, scheme):
    """By TLS, which the proxy ends, only what the browser says of where it is differs."""
    _visited(behind, Host=NAME, Origin=f"{scheme}://{NAME}")
    _visited(behind, Host=f"{NAME}:8080", Origin=f"{scheme}://{NAME}:8080")


@pytest.mark.parametrize("host, origin", [
    (NAME, "http://elsewhere.example"),
    (NAME, f"http://{NAME}.elsewhere.example"),
    (NAME, "null"),  # a frame that may do nothing
    ("elsewhere.example", "http://elsewhere.example"),  # whose name was led here
])  # fmt: skip
def test_a_page_of_another_site_opens_no_connection(behind, host, origin):
    with pytest.raises(HTTPClientError) as refused:
        _visited(behind, Host=host, Origin=origin)
    assert refused.value.code == 403


class _Word(http.server.BaseHTTPRequestHandler):
    """A server that says its own name, or shows one page."""

    def do_GET(self):
        body = self.server.word.encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *words):
        pass


@contextmanager
def saying(word):
    """The port of a server that answers with this word, whatever it is asked."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Word)
    server.word = word
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def got(url, path, method="GET", body=None, **headers):
    """The answer to a request, its body read."""
    line = http.client.HTTPConnection(url.split("/")[2], timeout=60)
    line.request(method, path, body, headers)
    answer = line.getresponse()
    answer.body = answer.read()
    line.close()
    return answer


@pytest.mark.skipif(HAPROXY is None, reason="needs haproxy")
def test_who_has_come_to_a_server_stays_with_it(monkeypatch):
    monkeypatch.setattr("browsers.well", lambda url, process: None)
    with ExitStack() as stack:
        ports = [stack.enter_context(saying(word)) for word in ("ok", "ok")]
        url = stack.enter_context(haproxy(ports))
        cookies = {got(url, "/").headers["Set-Cookie"].split(";")[0] for _ in range(20)}
        assert cookies == {"explorer=first", "explorer=second"}  # who is new goes to either
        for cookie in cookies:
            answers = [got(url, "/", Cookie=cookie) for _ in range(20)]
            assert all(each.headers["Set-Cookie"] is None for each in answers)


MENU = "[data-testid=stTopNavLink], [data-testid=stTopNavSection]"
PAGES = ("/", "/infonce_sphere", "/nosuch")
TOLD = ("/_stcore/health", "/_stcore/host-config", "/_stcore/metrics")
LIBRARY = "/app/static/plotly.min.js"


def test_the_servers_headers_are_as_the_docs_say(server):
    for path in (*PAGES, *TOLD, LIBRARY):
        answer = got(server, path, Origin="http://elsewhere.example")
        assert answer.status == 200 and answer.body
        shared = answer.headers["Access-Control-Allow-Origin"]
        assert shared == ("*" if path == LIBRARY else None), path
        for name in ("X-Frame-Options", "Content-Security-Policy"):
            assert answer.headers[name] is None, path
    assert got(server, LIBRARY).headers["X-Content-Type-Options"] == "nosniff"
    cookie = got(server, TOLD[0]).headers["Set-Cookie"]
    assert cookie.startswith("_streamlit_xsrf=") and "SameSite=Lax" in cookie
    assert json.loads(got(server, TOLD[1]).body)["allowedOrigins"] == []


def test_an_upload_needs_the_servers_own_token(server):
    """Which is asked for before whether there is such a session."""
    path, token = "/_stcore/upload_file/nobody/nothing", "_streamlit_xsrf"
    given = got(server, TOLD[0]).headers["Set-Cookie"].split(";")[0]
    assert got(server, path, "PUT", b"x").status == 403
    assert got(server, path, "PUT", b"x", Cookie=given).status == 403
    told = {"Cookie": given, "X-Xsrftoken": given.removeprefix(f"{token}=")}
    assert got(server, path, "PUT", b"x", **told).status == 400


def test_nobody_drives_the_app_but_through_a_page(server):
    assert got(server, "/_stcore/agent/interact", "POST", b"{}").status in (403, 404, 405)


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1:8501", "[::1]:8501"])
def test_a_server_of_this_machine_alone_answers_to_its_names(server, host):
    _visited(server, Host=host, Origin=f"http://{host}")


def test_a_name_that_was_led_to_this_machine_opens_no_connection(server):
    with pytest.raises(HTTPClientError) as refused:
        _visited(server, Host="elsewhere.example:8501", Origin="http://elsewhere.example:8501")
    assert refused.value.code == 403


@pytest.mark.parametrize("megabytes, closes", [(1, False), (21, True)])
def test_a_message_that_is_too_large_closes_its_connection(server, megabytes, closes):
    session = Session(server, "infonce_sphere")

    async def visit():
        with gone([session]):
            await session.open()
            session.query = "unknown=" + megabytes * 1_000_000 * "x"
            # closed while it is still being sent, or after it
            refusal = pytest.raises((WebSocketClosedError, ConnectionError))
            with refusal if closes else nullcontext():
                await session.run(BackMsg())

    apart(visit)
    assert not session.faults


@pytest.mark.browser
@pytest.mark.flat
@pytest.mark.skipif(HAPROXY is None, reason="needs haproxy")
def test_a_browser_sees_the_page_through_a_proxy_with_a_prefix(page, tmp_path):
    flags = (f"--server.baseUrlPath={PREFIX}",)
    with (
        serving(ROOT, PREFIX, flags, EXPLORER_CACHE=str(tmp_path), EXPLORER_TRAIN="off") as url,
        haproxy([_port(url)] * 2, PREFIX) as proxy,
    ):
        page.goto(f"{proxy}/infonce_sphere?kappa=3")
        page.wait_for_selector(VIEW)
        settled(page)
        assert page.url.startswith(f"{proxy}/infonce_sphere?kappa=3")
        choose_page(page, "Cross-entropy", "vMF clusters")
        page.wait_for_url(f"{proxy}/vmf_clusters*")
        settled(page)
        asked = [url for url in page.requested if not url.startswith("blob:")]
        assert asked and all(f":{_port(proxy)}{PREFIX}" in url for url in asked)


@pytest.mark.browser
@pytest.mark.flat
def test_a_page_of_another_site_shows_one_in_a_frame(page, server):
    frame = f'<iframe src="{server}/infonce_sphere?embed=true" width=1200 height=800></iframe>'
    with saying(frame) as port:
        page.goto(f"http://127.0.0.1:{port}/")
        inside = page.frames[1]
        inside.wait_for_selector(VIEW)
        inside.wait_for_function(f"() => {AT_REST}")
        assert inside.locator("[data-testid=stException]").count() == 0
        assert not inside.locator(MENU).count()
        page.goto(f"{server}/infonce_sphere")
        page.wait_for_selector(MENU)
