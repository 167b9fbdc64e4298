"""deploy/nginx.conf and deploy/Caddyfile, run as they are but for names, ports and certificates."""

import json
import os
import subprocess
from contextlib import closing
from http.client import HTTPConnection
from time import sleep
from urllib.parse import quote

import httpx
import pytest
from shop import eventually
from tcp_proxy import free_port
from tools import needed_program

from config.settings import PROJECT_ROOT

pytestmark = pytest.mark.tools

NGINX = """
user root;
daemon off;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{}}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    {site}
}}
"""
CADDY = "{{\n\tadmin off\n\tskip_install_trust\n\thttp_port {port}\n}}\n{site}"


@pytest.fixture
def server(start_server):
    settings = {"TRUSTED_PROXIES": "127.0.0.1", "RATE_LIMIT_LOGIN_ADDRESS": "2/minute"}
    return start_server(**settings).wait_until_ready()


def nginx(server, folder, port):
    program = needed_program("nginx", "/usr/sbin/nginx")
    openssl = needed_program("openssl")
    certificate = "req -x509 -newkey rsa:2048 -nodes -days 1 -subj /CN=localhost"
    files = ["-keyout", folder / "privkey.pem", "-out", folder / "fullchain.pem"]
    subprocess.run([openssl, *certificate.split(), *files], check=True, capture_output=True)
    site = (PROJECT_ROOT / "deploy/nginx.conf").read_text()
    for there, here in {
        "127.0.0.1:3000": f"127.0.0.1:{server.port}",
        "listen 443": f"listen 127.0.0.1:{port}",
        "/etc/ssl/talk.example.org": str(folder),
        "/var/log/nginx": str(folder),
    }.items():
        assert there in site
        site = site.replace(there, here)
    (folder / "nginx.conf").write_text(NGINX.format(folder=folder, site=site))
    return [program, "-c", folder / "nginx.conf"], {}


def caddy(server, folder, port):
    program = needed_program("caddy")
    site = (PROJECT_ROOT / "deploy/Caddyfile").read_text()
    (folder / "Caddyfile").write_text(CADDY.format(port=free_port(), site=site))
    names = {"DOMAIN": f"https://localhost:{port}", "UPSTREAM": f"127.0.0.1:{server.port}"}
    run = [program, "run", "--adapter", "caddyfile", "--config", folder / "Caddyfile"]
    return run, {**names, "XDG_DATA_HOME": str(folder), "XDG_CONFIG_HOME": str(folder)}


@pytest.fixture(params=[nginx, caddy], ids=["nginx", "Caddy"])
def proxy(request, server, tmp_path):
    """A client of the proxy."""
    port = free_port()
    command, environment = request.param(server, tmp_path, port)
    with (tmp_path / "proxy.log").open("wb") as log:
        process = subprocess.Popen(command, env=os.environ | environment, stdout=log, stderr=log)
    with httpx.Client(base_url=f"https://localhost:{port}", verify=False) as client:
        try:
            assert eventually(lambda: answers(client)), (tmp_path / "proxy.log").read_text()
            yield client
        finally:
            process.terminate()
            process.wait(30)


def answers(client):
    try:
        return client.get("/api/health-check").text == "OK"
    except httpx.TransportError:
        return False


def test_what_passes_and_what_does_not(proxy):
    answer = proxy.get("/api/readyz", headers={"X-Request-ID": "mine"})
    assert answer.status_code == 200
    assert answer.headers["X-Request-ID"] == "mine"
    assert answer.headers["Strict-Transport-Security"] == "max-age=31536000"
    assert [proxy.get(path).status_code for path in ("/metrics", "/metrics/")] == [404, 404]

    large = proxy.post("/api/auth/login", content=b"x" * 100_000)
    assert (large.status_code, large.json().keys()) == (413, {"detail", "error"})


def test_it_is_the_proxy_that_closes_an_idle_connection(server):
    """uvicorn's own limit of 5 s is shorter than any proxy's: requests met closed connections."""
    with closing(HTTPConnection("127.0.0.1", server.port, timeout=30)) as connection:
        for pause in (7, 0):
            connection.request("GET", "/api/livez")
            assert connection.getresponse().read() == b'{"status":"live"}'
            sleep(pause)


def test_a_stream_passes_as_it_comes_and_its_ticket_is_in_no_log(proxy, tmp_path):
    names = {"user_name": "gopher_anna", "first_name": "Anna", "last_name": "P"}
    password = {"password": "gopher1!", "password_confirm": "gopher1!"}
    made = proxy.post("/api/auth/register", json=names | password).json()
    headers = {"Authorization": f"Bearer {made['access_token']}"}
    ticket = proxy.post("/api/stream/ticket", headers=headers).json()["ticket"]
    with proxy.stream("GET", "/api/stream", params={"ticket": ticket}) as answer:
        lines = answer.iter_lines()
        assert next(lines).startswith(":")
        post = proxy.post("/api/posts", headers=headers, json={"text": "Hello"}).json()
        data = next(line for line in lines if line.startswith("data:"))
        assert json.loads(data.removeprefix("data: ")) == post
    proxy.get("/api/livez")
    sleep(0.5)
    logs = [path.read_text() for path in tmp_path.rglob("*.log") if path.name != "data.log"]
    assert not [text for text in logs if quote(ticket) in text or ticket in text]


def test_no_client_chooses_its_own_address(proxy):
    body = {"user_name": "gopher_anna", "password": "gopher1!"}
    statuses = [
        proxy.post(
            "/api/auth/login", json=body, headers={"X-Forwarded-For": f"192.0.2.{number}"}
        ).status_code
        for number in range(3)
    ]
    assert statuses == [401, 401, 429]
