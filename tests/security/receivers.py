"""Receivers that misbehave: plain sockets on this machine, with or without TLS, that answer whatever a test says."""

import contextlib
import datetime as dt
import ipaddress
import socket
import ssl
import threading

import httpcore
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from personas_kit.activation.transport import HttpTransport
from personas_kit.destinations import Request, find
from personas_kit.secret import Secret

OK = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 16\r\n\r\n" + b'{"success":true}'
PUBLIC = "93.184.216.34"
JSON = {"content-type": "application/json"}


def response(body=b"", *, status="200 OK", **headers):
    """A whole answer with a true length."""
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


class Receiver:
    """Takes connections; ``answer`` is given each with the request that came, and closes it by returning False.

    Attributes:
        requests: what came, head and body.
        names: the names that TLS was asked for.
    """

    def __init__(self, answer=OK, *, tls=None):
        self._answer = answer if callable(answer) else lambda connection, _: _sent(connection, answer)
        self._tls, self.requests, self.names = tls, [], []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._open: list[socket.socket] = []
        if tls is not None:
            tls.sni_callback = lambda _, name, __: self.names.append(name)

    @property
    def port(self):
        return self._listener.getsockname()[1]

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def __enter__(self):
        threading.Thread(target=self._take, daemon=True).start()
        return self

    def __exit__(self, *_):
        for opened in (self._listener, *self._open):
            with contextlib.suppress(OSError):
                opened.shutdown(socket.SHUT_RDWR)
            opened.close()

    def _take(self):
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self._open.append(connection)
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection):
        with contextlib.suppress(OSError):  # whoever is tested may hang up at any time
            if self._tls is not None:
                connection = self._tls.wrap_socket(connection, server_side=True)
            with connection:
                while (request := _request(connection)) is not None:
                    self.requests.append(request)
                    if self._answer(connection, request) is False:
                        return


def _sent(connection, answer):
    connection.sendall(answer)
    return True


def _request(connection):
    read = b""
    while b"\r\n\r\n" not in read:
        piece = connection.recv(65_536)
        if not piece:
            return None
        read += piece
    head, _, body = read.partition(b"\r\n\r\n")
    length = next(
        (int(line.partition(b":")[2]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length")), 0
    )
    while len(body) < length:
        body += connection.recv(65_536)
    return head + b"\r\n\r\n" + body


class Rerouted(httpcore.NetworkBackend):
    """Notes where connections go, and lets them end at a receiver of the test."""

    def __init__(self, port):
        self._port = port
        self.dialled = []

    def connect_tcp(self, host, port, timeout=None, local_address=None, socket_options=None):
        self.dialled.append((host, port))
        return httpcore.SyncBackend().connect_tcp("127.0.0.1", self._port, timeout)


def certificate(folder, name):
    """A self-signed certificate for a name or an address, and its key: the server's context, and the file to trust."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    try:
        alternative = x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        alternative = x509.DNSName(name)
    now, public = dt.datetime.now(dt.UTC), key.public_key()
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=30))
        .add_extension(x509.SubjectAlternativeName([alternative]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(public), critical=False)
        .sign(key, hashes.SHA256())
    )
    public_file, whole_file = folder / f"{name}.pem", folder / f"{name}.key"
    text = made.public_bytes(serialization.Encoding.PEM)
    public_file.write_bytes(text)
    whole_file.write_bytes(
        text
        + key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(whole_file)
    return context, public_file


def hook(url, *, timeout=5.0, allow_private=False, variable="HOOK_SECRET"):
    """A connection to a webhook; its secret lies in an environment variable."""
    return find("webhook").configure(
        "hook", {"secret": Secret("env", variable)}, url=url, timeout=timeout, allow_private=allow_private
    )


def segment(url=None, *, timeout=5.0, variable="WRITE_KEY"):
    """A connection to Segment; its key goes into a header."""
    return find("segment").configure("seg", {"write_key": Secret("env", variable)}, url=url, timeout=timeout)


def send(connection, content=b"[]", url=None, **how):
    """One request through a transport of its own."""
    opened = HttpTransport(connection, **how)
    try:
        return opened.send(Request("POST", url or connection.home, JSON, content))
    finally:
        opened.close()


def answered(answer, **how):
    """What becomes of a request to a receiver that answers so."""
    with Receiver(answer) as receiver:
        return send(hook(receiver.url, **how))
