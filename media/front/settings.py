"""What the SIP front is told, and the configuration of Kamailio that follows from it.  Pure."""

import hashlib
from collections.abc import Sequence
from importlib.resources import files
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path

from attrs import frozen

from ringful.media.trunks import Credentials, Trunk

PATIENCE = 3000
"""Milliseconds that the node may take to say who takes a call; then it is away."""
INTERVAL = 5
"""Seconds for which requests are counted."""
RATE = 300
"""New requests of one trunk address in a second; those beyond it get 503."""
WITHIN = 40
"""Requests within one call in a second."""
STRANGERS = 60
"""Requests of one stranger within two seconds; one that sends more is shut out until it is quiet."""
SHUT = 300
"""Seconds for which a stranger is shut out whose password was wrong again and again."""
FAILURES = 20
"""Wrong passwords within a minute that shut a stranger out."""
REALM = "ringful"
"""What a password that is asked for belongs to."""
LONGEST_MESSAGE = 16000
"""Bytes of a message: the gate of a worker shortens what its library cannot hold."""
_KEPT = (
    "^(Content-Type|Content-Disposition|Allow|Supported|Require|Expires|Session-Expires|Min-SE|Event"
    "|Subscription-State|Refer-To|Referred-By|RSeq|RAck|P-Asserted-Identity|Remote-Party-ID"
    "|P-Called-Party-ID|Privacy|Diversion|History-Info|Reason|Retry-After"
)
"""Headers that a worker makes use of, beside those that every message has."""


@frozen
class Certificate:
    """Who we are by TLS, and whom we believe."""

    certificate: Path
    key: Path
    authorities: Path
    """Certificates that those of trunks must follow from."""


@frozen
class FrontSettings:
    """Where the front stands."""

    address: str
    """Where the network reaches us; an address of this machine."""
    port: int
    trunks: tuple[Trunk, ...]
    folder: Path
    """Private to the front: its configuration, its log, and where it is asked."""
    worker_ports: tuple[int, int]
    """The first and the last port of workers on 127.0.0.1; the node asks trunks from the uppermost ones."""
    public_address: str = ""
    """What others know us by, where that is another address."""
    tcp: bool = False
    tls_port: int = 0
    """0: no TLS."""
    tls: Certificate | None = None
    longest_call: float = 14_400.0
    """Seconds after which a call that nobody has ended is forgotten."""
    shared_megabytes: int = 64

    @property
    def known_as(self) -> str:
        """The address and port that others send to."""
        return f"{self.public_address or self.address}:{self.port}"

    @property
    def asks_passwords(self) -> bool:
        """Whether somebody may call who is known by a password alone."""
        return any(trunk.theirs.username for trunk in self.trunks)


def render(settings: FrontSettings, inner: int, desk: int, secret: str) -> str:
    """Write Kamailio's configuration.

    *inner* is the port on 127.0.0.1 where it hears workers and the node, *desk* the port of the node's
    where it asks who takes a call; nonces are made with *secret*.
    """
    first, last = settings.worker_ports
    values = {
        "TCP": _tcp(settings),
        "LISTEN": "\n".join(_listen(settings, inner)),
        "MODULES": "\n".join(_modules(settings, secret)),
        "STRANGER": _stranger(settings),
        "SERVER_NAME": _server_name(settings),
        "SOCKETS": _sockets(settings),
        "KEEP": _KEPT,
        "INNER": inner,
        "DESK": desk,
        "FIRST": first,
        "LAST": last,
        "FOLDER": _quoted(str(settings.folder)),
        "PATIENCE": PATIENCE,
        "INTERVAL": INTERVAL,
        "RATE": RATE * INTERVAL,
        "WITHIN": WITHIN * INTERVAL,
        "STRANGERS": STRANGERS,
        "SHUT": SHUT,
        "LONGEST": int(settings.longest_call) + 600,
        "LONGEST_MESSAGE": LONGEST_MESSAGE,
    }
    written = files("ringful.media.front").joinpath("kamailio.cfg").read_text(encoding="utf-8")
    for name, value in values.items():
        written = written.replace(f"@{name}@", str(value))
    return written


def heard(networks: Sequence[tuple[str, IPv4Network | IPv6Network]]) -> str:
    """Write the file of those who are heard: each with the name of its trunk."""
    lines = (f"1 {one.network_address} {one.prefixlen} 0 {name}" for name, one in networks)
    # A file without a line is refused; this is an address that no packet comes from.
    return "\n".join([*lines, "1 255.255.255.255 32 0 nobody", ""])


def tls_table(tls: Certificate) -> str:
    """Write the file of what is asked of whom by TLS."""
    ours = f"certificate = {_quoted(str(tls.certificate))}\nprivate_key = {_quoted(str(tls.key))}\n"
    # Who calls us shows who they are by their address or their password.
    server = f"[server:default]\nmethod = TLSv1.2+\nverify_certificate = no\nrequire_certificate = no\n{ours}"
    client = (
        "[client:default]\nmethod = TLSv1.2+\nverify_certificate = yes\nrequire_certificate = yes\n"
        f"ca_list = {_quoted(str(tls.authorities))}\n{ours}"
    )
    return f"{server}\n{client}"


def _tcp(settings: FrontSettings) -> str:
    if not (settings.tcp or settings.tls):
        return "disable_tcp=yes"
    lines = [
        "tcp_children=1",
        "tcp_accept_no_cl=no",
        "tcp_connection_lifetime=3600",
        "tcp_connect_timeout=3",
        "tcp_send_timeout=3",
        "tcp_max_connections=256",
    ]
    if settings.tls:
        lines += ["enable_tls=yes", "tls_max_connections=256"]
    return "\n".join(lines)


def _listen(settings: FrontSettings, inner: int) -> list[str]:
    def one(transport: str, port: int) -> str:
        known = settings.public_address
        more = f" advertise {known}:{port}" if known and known != settings.address else ""
        return f"listen={transport}:{settings.address}:{port}{more}"

    lines = [f"listen=udp:127.0.0.1:{inner}", one("udp", settings.port)]
    if settings.tcp:
        lines.append(one("tcp", settings.port))
    if settings.tls:
        lines.append(one("tls", settings.tls_port))
    return lines


def _modules(settings: FrontSettings, secret: str) -> list[str]:
    lines = []
    if settings.asks_passwords:
        lines += [
            'loadmodule "auth.so"',
            f'modparam("auth", "secret", "{_quoted(secret)}")',
            'modparam("auth", "nonce_expire", 60)',
        ]
    if settings.tls:
        lines += [
            'loadmodule "tls.so"',
            f'modparam("tls", "config", "{_quoted(str(settings.folder))}/tls")',
            'modparam("tls", "xavp_cfg", "tls")',
        ]
    return lines


def _stranger(settings: FrontSettings) -> str:
    """Who is no trunk by address is dropped, unless a trunk is known by its password."""
    users = [trunk.theirs for trunk in settings.trunks if trunk.theirs.username]
    if not users:
        return "    drop;"
    return f"""\
    if (!pike_check_req() || $sht(shut=>$si) != $null) {{ update_stat("shut_out", "+1"); drop; }}
    if ($ml > @LONGEST_MESSAGE@ || !is_method("INVITE|ACK|BYE|CANCEL|UPDATE|INFO|PRACK") \
|| !sanity_check("21991", "15")) drop;
    if (has_totag()) {{ if (is_known_dlg()) return; drop; }}
    if (is_method("CANCEL|ACK")) return;
    if (!is_method("INVITE")) drop;
    if ($aU != $null) {{
{_passwords(users)}
        if ($shtinc(failed=>$si) >= {FAILURES}) {{
            $sht(shut=>$si) = 1;
            xlog("L_CRIT", "shut out for {SHUT} s: $si gave {FAILURES} wrong passwords within a minute\\n");
        }}
    }}
    auth_challenge("{REALM}", "1");
    exit;"""


def _passwords(users: Sequence[Credentials]) -> str:
    # Hashes alone stand there: nothing that somebody chose as a password can be read as configuration.
    return "\n".join(
        f'        if ($(aU{{s.md5}}) == "{_md5(one.username)}" && '
        f'pv_auth_check("{REALM}", "{_md5(f"{one.username}:{REALM}:{one.password}")}", "1", "0") > 0) '
        "{ consume_credentials(); return; }"
        for one in users
    )


def _md5(value: str) -> str:
    return hashlib.md5(value.encode(), usedforsecurity=False).hexdigest()


def _server_name(settings: FrontSettings) -> str:
    if not settings.tls:
        return ""
    return "$xavp(tls=>server_name) = $(hdr(X-Ringful-To){nameaddr.uri}{uri.user});"


def _sockets(settings: FrontSettings) -> str:
    """Say where what goes out leaves, by its transport."""
    lines = []
    for transport, port, there in (
        ("tls", settings.tls_port, settings.tls),
        ("tcp", settings.port, settings.tcp),
    ):
        if there:
            chosen = f'$fs = "{transport}:{settings.address}:{port}";'
        else:
            chosen = '{ sl_send_reply("503", "No Such Transport"); exit; }'
        lines.append(f'    if ($var(proto) == "{transport}") {chosen}\n    else')
    return " ".join(lines) + f' $fs = "udp:{settings.address}:{settings.port}";'


def _quoted(value: str) -> str:
    """Give *value* as it may stand between quotes.  Raises ValueError."""
    if any(one in value for one in '"\\$@|#') or not value.isprintable():
        raise ValueError(f'{value!r} has a character that cannot stand there: none of " \\ $ @ | #')
    return value
