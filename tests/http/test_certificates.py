"""A bad certificate, and whatever else keeps a connection from standing, is told in words."""

import ssl
import subprocess
from ipaddress import ip_network
from pathlib import Path

import pytest
import trio

from ringful.http.outward.guard import guarded_client
from ringful.http.outward.outbound import Outbound, OutboundError

LOOPBACK = (ip_network("127.0.0.0/8"),)


def certificate(folder: Path, *options: str) -> Path:
    """Make a certificate that vouches for itself; give the file of it and its key."""
    made = folder / "both.pem"
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=x"]
    files = ["-keyout", str(folder / "key.pem"), "-out", str(folder / "certificate.pem")]
    subprocess.run([*command, *files, *options], check=True, capture_output=True)
    made.write_bytes((folder / "key.pem").read_bytes() + (folder / "certificate.pem").read_bytes())
    return made


async def why(nursery: trio.Nursery, files: Path) -> str:
    """Fetch from a server that shows the certificate in *files*; give why that failed."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(files)

    async def serve(stream: trio.SSLStream[trio.SocketStream]) -> None:
        try:
            await stream.receive_some()
        except trio.BrokenResourceError:
            await trio.aclose_forcefully(stream)

    listeners = await trio.open_ssl_over_tcp_listeners(0, context, host="127.0.0.1")
    nursery.start_soon(trio.serve_listeners, serve, listeners)
    port = listeners[0].transport_listener.socket.getsockname()[1]  # type: ignore[attr-defined]
    async with guarded_client(LOOPBACK) as client:
        with pytest.raises(OutboundError) as caught:
            await Outbound(client).fetch(f"https://127.0.0.1:{port}/x", {}, 100)
    return str(caught.value)


async def test_one_that_vouches_for_itself(nursery: trio.Nursery, tmp_path: Path) -> None:
    told = await why(nursery, certificate(tmp_path, "-addext", "subjectAltName=IP:127.0.0.1"))
    assert told == "its certificate is not to be trusted: self-signed certificate"


async def test_one_of_another_host(
    nursery: trio.Nursery, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = certificate(tmp_path, "-addext", "subjectAltName=DNS:elsewhere.test")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "certificate.pem"))
    told = await why(nursery, files)
    assert told.startswith("its certificate is not to be trusted: IP address mismatch")


AUTHORITY = """
[ca]
default_ca = it
[it]
database = {folder}/index
new_certs_dir = {folder}
serial = {folder}/serial
default_md = sha256
policy = any
x509_extensions = names
[any]
commonName = supplied
[names]
subjectAltName = IP:127.0.0.1
"""


def expired(folder: Path) -> Path:
    """Make one that was good in January 2020; give the file of it and its key."""
    (folder / "ca.conf").write_text(AUTHORITY.format(folder=folder))
    (folder / "index").touch()
    (folder / "serial").write_text("01")
    key, asked, made = (str(folder / name) for name in ("key.pem", "asked.pem", "certificate.pem"))
    asking = ["req", "-new", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=x", "-keyout", key, "-out", asked]
    signing = ["ca", "-config", str(folder / "ca.conf"), "-selfsign", "-batch", "-notext", "-keyfile", key]
    dates = ["-startdate", "20200101000000Z", "-enddate", "20200201000000Z", "-in", asked, "-out", made]
    for command in (asking, [*signing, *dates]):
        subprocess.run(["openssl", *command], check=True, capture_output=True)
    both = folder / "both.pem"
    both.write_bytes(Path(key).read_bytes() + Path(made).read_bytes())
    return both


async def test_one_that_has_expired(
    nursery: trio.Nursery, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = expired(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "certificate.pem"))
    assert await why(nursery, files) == "its certificate is not to be trusted: certificate has expired"
