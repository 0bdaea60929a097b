"""The configuration takes what it says it takes, and names the key of everything else."""

import re
from decimal import Decimal
from ipaddress import ip_network
from pathlib import Path

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringful.command.configuration import readers
from ringful.command.configuration.address import split_address
from ringful.command.configuration.config import Config, Http, Sip, load
from ringful.command.errors import CommandError
from ringful.command.serving.exposure import exposure, is_fronted
from ringful.interpreter.money.rates import Rate
from ringful.media.trunks import Credentials, Trunk
from ringful.messages.smpp.connection import SmppConnection

DOCS = Path(__file__).parents[2] / "docs"

EVERYTHING = """
[http]
bind = "0.0.0.0:80"
public_url = "https://voice.example.com"
metrics_allow = ["10.0.0.0/8"]
max_connections = 2000
metrics_queues = ["support"]
[sip]
bind = "10.0.0.1:5080"
front = "none"
public_address = "203.0.113.5"
front_folder = "/run/front"
worker_ports = "30000-30200"
tls_port = 5071
tls_certificate = "cert.pem"
tls_key = "key.pem"
tls_authorities = "all.pem"
trunk = "sip:trunk.example.com:5061;transport=tcp"
username = "me"
password = "12345"
transport = "tcp"
from_number = "+15125550000"
country = "GB"
allow_sip_uris = true
options = false
[media]
public_address = "203.0.113.6"
max_calls = 7
ports = "12000-13000"
folders = ["one", "/two"]
cache = "/var/cache/ringful"
ring_timeout = "1.5m"
max_duration = "30m"
silence_limit = "off"
symmetric_rtp = false
[store]
url = "postgresql://db/ringful"
recordings = "/srv/recordings"
min_free = "2GB"
keep = "90d"
[recordings]
keep = "12h"
public = false
link_lifetime = "1h"
[log]
format = "json"
level = "debug"
[fetch]
allow = ["127.0.0.0/8", "fd00::/8"]
answer_timeout = "4s"
[limits]
calls_per_second = 2
concurrent = 3
drain = "0s"
[rates]
currency = "EUR"
file = "rates.csv"
[[rates.table]]
per_minute = 0.10
[[rates.table]]
prefix = "+44"
per_minute = "0.012"
connection = 1
first = 60
following = 6
[sms]
source = "Ringful"
transport = "smpp"
validity = "1h"
window = "24h"
stop_reply = "bye"
start_reply = ""
help_reply = "help yourself"
[sms.mail]
server = "mail.example.com:587"
sender = "sms@example.com"
operators = { 1 = "{number}@txt.att.net", 4 = "{number}@vtext.com" }
username = "me"
password = "secret"
security = "starttls"
[[sms.smpp]]
address = "smsc.example.com:2775"
system_id = "me"
[[sms.smpp]]
address = "127.0.0.1:2776"
name = "backup"
system_id = "ringful"
password = "s3cret"
system_type = "VMS"
service_type = "CMT"
binds = 2
window = 50
throughput = 12.5
alphabet = "latin1"
receipt_ids = "hex-to-decimal"
validity = "none"
unsure = "fail"
source_ton = 0
source_npi = 1
destination_ton = 2
destination_npi = 8
response_timeout = "5s"
enquire_link = "1m"
tls = true
ca = "/etc/ssl/smsc.pem"
"""


CONNECTION = {"address": '"a:1"', "system_id": '"a"', "password": '"t0psecre"'}


@pytest.fixture
def written(tmp_path, monkeypatch):
    """Write a configuration, and load it under the name ringful.toml."""
    monkeypatch.chdir(tmp_path)

    def write_and_load(text, **environ):
        Path("ringful.toml").write_text(text, encoding="utf-8")
        return load(None, environ)

    return write_and_load


def refusal(load_it, *args, **kwargs):
    with pytest.raises(CommandError) as refused:
        load_it(*args, **kwargs)
    assert refused.value.code == 2
    assert "\n" not in str(refused.value)
    return str(refused.value)


def test_without_a_file_everything_has_a_default(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    config = load(None, {})
    assert config == Config()
    assert config.http.bind == "127.0.0.1:8080"
    assert config.store.url == "sqlite:///ringful.db"
    assert config.rates.rates.bill("15125550001", 3600) == 0


def test_every_key_can_be_written(written):
    config = written(EVERYTHING)
    networks = (ip_network("10.0.0.0/8"),)
    assert config.http == Http("0.0.0.0:80", "https://voice.example.com", 2000, networks, ("support",))
    assert (config.sip.trunk, config.sip.password) == ("sip:trunk.example.com:5061;transport=tcp", "12345")
    assert (config.sip.allow_sip_uris, config.sip.country) == (True, "GB")
    assert config.media.folders == (Path("one"), Path("/two"))
    assert (config.media.ring_timeout, config.media.max_duration) == (90.0, 1800.0)
    assert (config.media.ports, Config().media.ports) == ((12_000, 13_000), (10_000, 20_000))
    assert (config.media.silence_limit, Config().media.silence_limit) == (None, 60.0)
    assert (config.media.symmetric_rtp, Config().media.symmetric_rtp) == (False, True)
    assert config.fetch.allow == (ip_network("127.0.0.0/8"), ip_network("fd00::/8"))
    assert (config.limits.calls_per_second, config.limits.concurrent, config.limits.drain) == (2.0, 3, 0.0)
    assert config.rates.currency == "EUR"
    assert config.rates.table == (
        Rate("", Decimal("0.10")),
        Rate("44", Decimal("0.012"), Decimal(1), 60, 6),
    )
    mail = config.sms.mail
    assert mail
    assert (mail.host, mail.port, mail.sender) == ("mail.example.com", 587, "sms@example.com")
    assert mail.operators == {"1": "{number}@txt.att.net", "4": "{number}@vtext.com"}
    assert (mail.username, mail.password, mail.security, mail.ca) == ("me", "secret", "starttls", None)
    assert "secret" not in repr(config.sms)
    first, second = config.sms.smpp
    assert first == SmppConnection("smsc.example.com:2775", "me", name="smsc.example.com:2775")
    for key in attrs.fields(SmppConnection):
        assert getattr(first, key.name) != getattr(second, key.name), key.name
    assert (second.throughput, second.response_timeout, second.enquire_link) == (12.5, 5.0, 60.0)
    # No default is left, so no key is forgotten here or there.
    for section in attrs.fields(Config):
        for key in attrs.fields(type(getattr(config, section.name))):
            found, default = (getattr(getattr(one, section.name), key.name) for one in (config, Config()))
            # Where there are trunks by name, there is none in short.
            assert found != default or key.name == "trunks", f"{section.name}.{key.name}"


@pytest.mark.parametrize(
    ("size", "bytes_"), [("0", 0), ("7", 7), ('"100MB"', 10**8), ('"2 GB"', 2 * 10**9), ('"3k"', 3000)]
)
def test_sizes(written, size, bytes_):
    assert written(f"[store]\nmin_free = {size}\n").store.min_free == bytes_
    assert written("", RINGFUL_STORE__MIN_FREE=size.strip('"')).store.min_free == bytes_


def test_amounts_are_exactly_what_was_written(written):
    (rate,) = written("[[rates.table]]\nper_minute = 0.1000000000000000055511151231257827\n").rates.table
    assert str(rate.per_minute) == "0.1000000000000000055511151231257827"


NORTH = """
[sip.trunks.north]
address = "sip.example.com:5080"
transport = "tcp"
domain = "example.com"
prefixes = ["1", "44"]
order = 2
networks = ["203.0.113.0/28"]
username = "me"
password = "12345"
register = true
register_every = "2m"
from_number = "+15125550000"
country = "GB"
numbers = "national"
asserted = true
srtp = "optional"
redirects = 2
answer_within = "2s"
ring_within = "0s"
options_every = "30s"
[sip.trunks.south]
address = "203.0.113.5"
"""


def test_trunks_by_name_in_the_order_of_the_file(written):
    north, south = written(NORTH).sip.ways
    assert north == Trunk(
        "north",
        "sip.example.com",
        5080,
        "tcp",
        "example.com",
        ("1", "44"),
        2,
        (ip_network("203.0.113.0/28"),),
        Credentials("me", "12345"),
        register=True,
        register_every=120.0,
        from_number="+15125550000",
        country="GB",
        numbers="national",
        asserted=True,
        srtp="optional",
        redirects=2,
        answer_within=2.0,
        ring_within=0.0,
        options_every=30.0,
    )
    assert south == Trunk("south", "203.0.113.5", country="US")
    assert "12345" not in repr(north)


def test_one_trunk_in_short_is_one_as_well(written):
    short = 'trunk = "sip:h:5080;transport=tcp"\nusername = "u"\npassword = "p"\nfrom_number = "15125550000"'
    (way,) = written(f"[sip]\n{short}\n").sip.ways
    ours = Credentials("u", "p")
    assert way == Trunk("trunk", "h", 5080, "tcp", ours=ours, from_number="15125550000", country="US")
    assert [way.at_port for way in written("").sip.ways] == [5070]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ('address = ""', "sip.trunks.a.address: expected a host such as sip.example.com or 203.0.113.5:5080"),
        ('address = "h:0"', "sip.trunks.a.address: expected a host"),
        ('address = "h:65536"', "sip.trunks.a.address: expected a host"),
        ('address = "sip:h"', "sip.trunks.a.address: expected a host"),
        ('address = "[::1]:5060"', "sip.trunks.a.address: expected a host"),
        ('address = "h x"', "sip.trunks.a.address: expected a host"),
        ("address = 5", "sip.trunks.a.address: expected a host"),
        ('addres = "h"', "sip.trunks.a, a key: expected one of the keys address, transport,"),
        ("order = 1", "sip.trunks.a.address: expected the key address, not nothing"),
        ('transport = "sctp"', "sip.trunks.a.transport: expected one of udp, tcp, tls, not 'sctp'"),
        ('prefixes = "1"', 'sip.trunks.a.prefixes: expected a list of prefixes such as ["1", "44"]'),
        ("prefixes = []", "sip.trunks.a.prefixes: expected a list of prefixes"),
        ('prefixes = ["1", "+44"]', "sip.trunks.a.prefixes #2: expected digits of a number without +"),
        ("prefixes = [1]", "sip.trunks.a.prefixes #1: expected digits"),
        ("order = -1", "sip.trunks.a.order: expected a whole number from 0 to 1000, not -1"),
        ("order = true", "sip.trunks.a.order: expected a whole number"),
        ('networks = ["h"]', "sip.trunks.a.networks #1: expected a network such as 127.0.0.0/8, not 'h'"),
        ('username = "me"', "sip.trunks.a.password: expected both a username and a password, or neither"),
        ('password = "12345"', "sip.trunks.a.username: expected both a username and a password"),
        ('password = "a\\nb"', "not what it is (not shown"),
        ("password = 12345", "not what it is (not shown"),
        ('username = "a b"', "sip.trunks.a.username: expected a user such as alice"),
        ("register = true", "sip.trunks.a.register: expected a username, where we register, not True"),
        ("register = 1", "sip.trunks.a.register: expected true or false, not 1"),
        ('register_every = "5s"', "sip.trunks.a.register_every: expected a duration from 30s to 24h"),
        ('from_number = "x"', "sip.trunks.a.from_number: expected a number such as"),
        ('country = "USA"', "sip.trunks.a.country: expected a country's code"),
        ('numbers = "E164"', "sip.trunks.a.numbers: expected one of +e164, e164, 00, national"),
        ('asserted = "yes"', "sip.trunks.a.asserted: expected true or false"),
        ('srtp = "yes"', "sip.trunks.a.srtp: expected one of off, optional, required"),
        ("redirects = 6", "sip.trunks.a.redirects: expected a whole number from 0 to 5, not 6"),
        ('answer_within = "9s"', "sip.trunks.a.answer_within: expected a duration from 1s to 8s"),
        ('ring_within = "1s"', "sip.trunks.a.ring_within: expected a duration from 2s to 3m"),
        ('options_every = "-1s"', "sip.trunks.a.options_every: expected"),
        ('domain = "example.com:5060"', "sip.trunks.a.domain: expected a domain such as example.com"),
    ],
)
def test_a_trunk_that_cannot_be_is_refused_with_its_key(written, line, said):
    address = "" if line.startswith("addres") or line == "order = 1" else 'address = "h"\n'
    with pytest.raises(CommandError) as refused:
        written(f"[sip.trunks.a]\n{address}{line}\n")
    assert said in str(refused.value), refused.value
    assert "12345" not in str(refused.value)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            '[sip.trunks.A]\naddress = "h"\n',
            "sip.trunks, a name: expected a name of at most 32 small letters",
        ),
        ('[sip]\ntrunks = "h"\n', "sip.trunks: expected tables, each headed [sip.trunks.NAME], not 'h'"),
        ("[sip.trunks]\na = 5\n", "sip.trunks.a: expected a table"),
        (
            '[sip]\ntrunk = "sip:h"\n[sip.trunks.a]\naddress = "h"\n',
            "sip.trunks: where there are tables, sip has no keys trunk, username",
        ),
        (
            "".join(f'[sip.trunks.t{n}]\naddress = "h"\n' for n in range(31)),
            "sip.trunks: expected at most 30 trunks, not 31",
        ),
        (
            '[sip]\npublic_address = "h"\n',
            "sip.public_address: expected an address of IPv4 such as 203.0.113.5",
        ),
        ("[media]\npublic_address = 5\n", "media.public_address: expected an address of IPv4"),
    ],
)
def test_trunks_that_cannot_be(written, text, said):
    with pytest.raises(CommandError) as refused:
        written(text)
    assert said in str(refused.value), refused.value


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("store.keep", '"forever"', "expected off, or a duration such as 90d or 12h, not 'forever'"),
        ("store.keep", '"0d"', "expected off, or a duration such as 90d or 12h"),
        ("store.keep", "90", "expected off, or a duration such as 90d or 12h, not 90"),
        ("recordings.keep", "true", "expected off, or a duration such as 90d or 12h, not True"),
        ("recordings.public", '"no"', "expected true or false, not 'no'"),
        ("recordings.link_lifetime", '"0s"', "expected a duration above 0"),
        ("http.bind", '"127.0.0.1"', "expected an address such as 127.0.0.1:8080 or [::1]:8080, not '127.0"),
        ("http.bind", '"127.0.0.1:99999"', "expected an address such as"),
        ("http.bind", '"http://127.0.0.1:80"', "expected an address such as"),
        ("http.bind", "8080", "expected an address such as 127.0.0.1:8080 or [::1]:8080, not 8080"),
        ("http.bind", '"::1:8080"', "expected an address such as 127.0.0.1:8080 or [::1]:8080"),
        ("http.bind", '"[::g]:8080"', "expected an address such as"),
        ("http.bind", '"[::1]:70000"', "expected an address such as"),
        ("http.bind", '"[fe80::1%eth0]:80"', "expected an address such as"),
        ("sip.bind", '"[::1]:5060"', "expected an address such as 127.0.0.1:5060, not '[::1]:5060'"),
        ("log.format", '"xml"', "expected one of text, json"),
        ("log.level", '"loud"', "expected one of debug, info, warning, error"),
        ("store.min_free", '"much"', "expected a size such as 100MB or 2GB"),
        ("store.min_free", "-1", "expected a size such as"),
        ("store.min_free", "true", "expected a size such as"),
        ("http.metrics_allow", '["10.0.0.0/99"]', "expected a network such as"),
        ("http.metrics_queues", '["a", "a"]', "up to 100 names, each once"),
        ("http.metrics_queues", '"support"', "a list of names, such as"),
        ("http.public_url", '"voice.example.com"', "expected a URL such as https://voice.example.com"),
        ("http.public_url", '"https://x/?a=b"', "expected a URL"),
        ("sip.trunk", "5", "expected a SIP URI such as sip:127.0.0.1:5070, not 5"),
        ("sip.trunk", '"sips:x"', "expected a SIP URI"),
        ("sip.trunk", '"sip:x\\r\\nVia: y"', "expected a SIP URI"),
        ("sip.front", '"nginx"', "expected one of auto, kamailio, none, not 'nginx'"),
        ("sip.front", "[]", "expected one of auto, kamailio, none, not []"),
        ("sip.password", "12345", "expected a text, not 12345"),
        ("sip.allow_sip_uris", '"false"', "expected true or false, not 'false'"),
        ("sip.allow_sip_uris", "1", "expected true or false, not 1"),
        ("sip.country", '"us"', "expected a country's code of two letters such as US, not 'us'"),
        ("sip.from_number", '"anyone"', "expected a number such as +15125550000"),
        ("media.max_calls", '"60"', "expected a whole number of at least 1, not '60'"),
        ("media.max_calls", "0", "expected a whole number of at least 1, not 0"),
        ("media.max_calls", "true", "expected a whole number of at least 1, not True"),
        ("media.max_calls", "1.0", "expected a whole number of at least 1, not 1.0"),
        ("media.ring_timeout", "60", "expected a duration such as 60s, 2m or 4h, not 60"),
        ("media.ring_timeout", '"soon"', "expected a duration such as 60s, 2m or 4h, not 'soon'"),
        ("media.ring_timeout", '"0s"', "expected a duration above 0, not '0s'"),
        ("media.silence_limit", "60", """expected "off", or a duration of at least 1s, not 60"""),
        ("media.silence_limit", '"0.5s"', """expected "off", or a duration of at least 1s, not '0.5s'"""),
        ("media.folders", '"one"', "expected a list of paths such as [\"announcements\"], not 'one'"),
        ("media.folders", '["one", 2]', "#2: expected a path, not 2"),
        ("fetch.allow", '["10.0.0.0/8", "private"]', "#2: expected a network such as 127.0.0.0/8"),
        ("limits.calls_per_second", "0", "expected a number above 0, not 0"),
        ("limits.calls_per_second", "nan", "expected a number above 0, not NaN"),
        ("limits.calls_per_second", "inf", "expected a number above 0, not Infinity"),
        ("limits.calls_per_second", '"2"', "expected a number above 0, not '2'"),
        ("rates.currency", '"dollars"', "expected a currency's code of three letters such as USD"),
        ("rates.table", "1", "expected tables, each headed [[rates.table]], not 1"),
        ("rates.table", "[1]", "#1: expected a table, not 1"),
        ("rates.table", "[{per_minute = -1}]", "#1, per_minute: expected an amount such as 0.012, not -1"),
        ("rates.table", "[{connection = nan}]", "#1, connection: expected an amount such as 0.012, not NaN"),
        ("rates.table", "[{connection = true}]", "#1, connection: expected an amount"),
        (
            "rates.table",
            "[{per_minute = 1e999}]",
            "#1, per_minute: expected an amount such as 0.012, of 1000000",
        ),
        (
            "rates.table",
            "[{per_minute = 1e-99}]",
            "#1, per_minute: expected an amount such as 0.012, of 1000000",
        ),
        ("rates.table", '[{direction = "both"}]', "#1, direction: expected outbound or inbound, not 'both'"),
        (
            "rates.table",
            '[{from = "soon"}]',
            "#1, from: expected a time such as 2026-03-01 or 2026",
        ),
        ("rates.table", "[{from = 06:00:00}]", "#1, from: expected a time such as"),
        ("rates.file", "7", "expected a path, not 7"),
        ("rates.table", "[{}, {first = 0}]", "#2, first: expected a whole number of at least 1, not 0"),
        ("rates.table", '[{prefix = "x"}]', "#1, prefix: expected digits such as 1512, not 'x'"),
        (
            "rates.table",
            '[{prefix = "1"}, {prefix = "+1"}]',
            "#2, prefix: expected a prefix that no table above",
        ),
        (
            "rates.table",
            "[{per_second = 1}]",
            "#1, a key: expected one of the keys prefix, direction, per_minute,",
        ),
        (
            "sms.source",
            '"Größe"',
            "expected a number such as +15125550000, a short code, or a name of at most",
        ),
        ("sms.source", '"Twelve chars"', "expected a number such as"),
        ("sms.source", '" Ringful"', "expected a number such as"),
        ("sms.source", "12345", "expected a number such as"),
        ("sms.transport", '"post"', "expected one of smpp, sip, none, not 'post'"),
        ("sms.smpp", '"127.0.0.1:2775"', "sms.smpp: expected a table [sms.smpp], or tables each headed"),
        ("sms.smpp", "[1]", "sms.smpp[1]: expected a table, not what it is"),
        ("sms.smpp", "{}", "sms.smpp.address: expected the key address, not nothing"),
        ("sms.smpp", '[{address = "a:1"}]', "sms.smpp[1].system_id: expected the key system_id, not nothing"),
        ("sms.smpp", "[{windw = 1}]", "sms.smpp[1], a key: expected one of the keys address, system_id,"),
        ("sms.smpp", "{window = 1001}", "sms.smpp.address"),
    ],
)
def test_a_wrong_value_is_refused_with_its_key(written, key, value, said):
    section, name = key.split(".")
    message = refusal(written, f"[{section}]\n{name} = {value}\n")
    assert message.startswith(f"ringful.toml: {key}")
    assert said in message


def mail_table(**changes):
    keys = {
        "server": '"127.0.0.1:25"',
        "sender": '"a@b.test"',
        "operators": '{ 1 = "{number}@c.test" }',
        **changes,
    }
    return ", ".join(f"{name} = {value}" for name, value in keys.items() if value)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"sender": ""}, "mail, its keys: expected a key sender, not 'server, operators'"),
        ({"server": '"mail"'}, "mail, server: expected an address such as 127.0.0.1:5060, not 'mail'"),
        (
            {"sender": '"a@b\\r\\nBcc: c@d"'},
            "mail, sender: expected an e-mail address such as sms@example.com",
        ),
        ({"sender": '"me"'}, "mail, sender: expected an e-mail address such as sms@example.com, not 'me'"),
        ({"operators": "{}"}, "mail, operators: expected a table such as"),
        ({"operators": '{ 5 = "{number}@c.test" }'}, "a key: expected an operator from 1 to 4, not '5'"),
        ({"operators": '{ 1 = "number@c.test" }'}, "mail, operators, 1: expected an address such as"),
        ({"operators": '{ 2 = "{number} <a@c.test>" }'}, "mail, operators, 2: expected an address such as"),
        ({"operators": "{ 2 = 7 }"}, "mail, operators, 2: expected an address such as"),
        ({"security": '"ssl"'}, "mail, security: expected one of none, starttls, tls, not 'ssl'"),
        ({"ca": '"none.pem"'}, "mail, ca: expected a file of certificates in PEM, not 'none.pem'"),
        ({"ca": '"ringful.toml"'}, "mail, security: expected starttls or tls, where there is a ca"),
        ({"user": '"me"'}, "mail, a key: expected one of the keys server, sender, operators, username"),
        ({"username": '"me"'}, "mail, its keys: expected both a username and a password, or neither"),
        (
            {"server": '"mail.test:25"', "username": '"me"', "password": '"secret"'},
            "mail, security: expected starttls or tls, where a password is told, not 'none'",
        ),
    ],
)
def test_a_wrong_table_of_gateways_is_refused(written, changes, said):
    message = refusal(written, f"[sms]\nmail = {{ {mail_table(**changes)} }}\n")
    assert message.startswith("ringful.toml: sms.mail")
    assert said in message
    assert "secret" not in message


def test_gateways_in_the_environment(written):
    table = "{ " + mail_table() + " }"
    assert written("", RINGFUL_SMS__MAIL=table).sms.mail.port == 25
    assert written("[sms]\nmail = {}\n").sms.mail is None
    assert "expected a table such as" in refusal(written, "[sms]\nmail = 7\n")


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("address", '"127.0.0.1"', "expected an address such as"),
        ("system_id", '"sixteen letters!"', "expected a text of 1 to 15 characters, in ASCII"),
        ("system_id", '""', "expected a text of 1 to 15 characters, in ASCII, not ''"),
        ("system_type", '"thirteen char"', "expected a text of at most 12 characters"),
        ("service_type", '"é"', "expected a text of at most 5 characters, in ASCII"),
        ("name", "5", "expected a text of 1 to 40 characters"),
        ("binds", "0", "expected a whole number from 1 to 50, not 0"),
        ("window", "true", "expected a whole number from 1 to 1000, not True"),
        ("throughput", '"fast"', "expected a number above 0, not 'fast'"),
        ("alphabet", '"utf-8"', "expected one of gsm, latin1, not 'utf-8'"),
        ("receipt_ids", '"hex"', "expected one of same, hex-to-decimal, decimal-to-hex"),
        ("validity", '"long"', "expected one of relative, absolute, none"),
        ("unsure", '"lose"', "expected one of again, fail"),
        ("source_ton", "7", "expected a whole number from 0 to 6, not 7"),
        ("destination_npi", "-1", "expected a whole number from 0 to 18, not -1"),
        ("response_timeout", "30", "expected a duration such as"),
        ("enquire_link", '"0s"', "expected a duration above 0"),
        ("tls", '"yes"', "expected true or false"),
        ("ca", '""', "expected a path"),
    ],
)
def test_a_wrong_value_of_a_connection_is_refused_with_its_full_name(written, key, value, said):
    known = "".join(f"{name} = {text}\n" for name, text in CONNECTION.items() if name != key)
    message = refusal(written, f"[sms.smpp]\n{known}{key} = {value}\n")
    assert message.startswith(f"ringful.toml: sms.smpp.{key}: ")
    assert said in message
    two = f"[[sms.smpp]]\naddress = 'b:1'\nsystem_id = 'b'\n[[sms.smpp]]\n{known}{key} = {value}\n"
    assert refusal(written, two).startswith(f"ringful.toml: sms.smpp[2].{key}: ")
    table = ", ".join([*known.strip().split("\n"), f"{key} = {value}"])
    variable = refusal(written, "", RINGFUL_SMS__SMPP="{" + table + "}")
    assert variable.startswith(f"RINGFUL_SMS__SMPP.{key}: ")
    assert all("t0psecre" not in one for one in (message, variable))


@pytest.mark.parametrize(
    "text",
    ['password = "t0psecret"', "password = [{t0psecret = 1}]"],
)
def test_no_password_is_shown_where_it_is_wrong(written, text):
    message = refusal(written, f'[sms.smpp]\naddress = "a:1"\nsystem_id = "a"\n{text}\n')
    assert "sms.smpp.password: expected a text of at most 8 characters" in message
    assert "t0psecret" not in message
    for variable in ('[[{password = "t0psecret"}]]', "{t0psecret", "t0psecret"):
        assert "t0psecret" not in refusal(written, "", RINGFUL_SMS__SMPP=variable)


def test_a_transport_wants_its_connection(written):
    message = refusal(written, '[sms]\ntransport = "smpp"\n')
    assert message == "sms.transport: smpp wants a connection: [sms.smpp], address and system_id"


def test_connections_have_names_of_their_own(written):
    table = '[[sms.smpp]]\naddress = "a:1"\nsystem_id = "a"\n'
    assert "sms.smpp[2].name: expected a name that no connection above has" in refusal(written, table * 2)


def test_unknown_keys_and_sections_are_refused(written):
    message = refusal(written, '[sip]\ntrnk = "sip:x"\n')
    assert message.startswith(
        "ringful.toml: there is no key sip.trnk; there are: bind, front, public_address, "
    )
    message = refusal(written, "[sip]\n[sips]\n")
    assert message == (
        "ringful.toml: there is no section [sips]; there are: "
        "http, sip, media, store, recordings, fetch, limits, rates, sms, log"
    )
    assert refusal(written, "sip = 5\n") == "ringful.toml: sip must be a section, [sip]"


def test_a_file_that_cannot_be_read_is_said(written, tmp_path):
    assert "No such file" in refusal(load, tmp_path / "none.toml", {})
    assert refusal(load, tmp_path, {}).startswith(str(tmp_path))
    assert "line 1" in refusal(written, "[sip\n")
    (tmp_path / "latin.toml").write_bytes(b"# \xe9\n")
    assert "latin.toml" in refusal(load, tmp_path / "latin.toml", {})


def test_the_environment_wins_over_the_file(written):
    config = written(
        '[sip]\npassword = "file"\nusername = "file"\n',
        RINGFUL_SIP__PASSWORD="12345",
        RINGFUL_SIP__ALLOW_SIP_URIS="true",
        RINGFUL_HTTP__BIND="127.0.0.1:9000",
        RINGFUL_MEDIA__MAX_CALLS="4",
        RINGFUL_MEDIA__RING_TIMEOUT="5s",
        RINGFUL_MEDIA__FOLDERS="one, two",
        RINGFUL_LIMITS__CALLS_PER_SECOND="2.5",
        RINGFUL_FETCH__ALLOW='["127.0.0.0/8", "10.0.0.0/8"]',
        RINGFUL_RATES__TABLE="[{per_minute = 0.10}]",
        RINGFUL_TRACE="1",
        HOME="/root",
    )
    assert (config.sip.username, config.sip.password, config.sip.allow_sip_uris) == ("file", "12345", True)
    assert config.http.bind == "127.0.0.1:9000"
    assert (config.media.max_calls, config.media.ring_timeout) == (4, 5.0)
    assert config.media.folders == (Path("one"), Path("two"))
    assert config.limits.calls_per_second == 2.5
    assert config.fetch.allow == (ip_network("127.0.0.0/8"), ip_network("10.0.0.0/8"))
    assert str(config.rates.table[0].per_minute) == "0.10"


def test_rates_come_from_the_table_and_the_file_together(written):
    both = '[rates]\nfile = "rates.csv"\n[[rates.table]]\nper_minute = 0.1\n'
    Path("rates.csv").write_text("prefix,per_minute,from\n1512,0.2,\n1512,0.3,2030-01-01\n")
    table = written(both).rates.rates
    assert [str(table.bill(number, 60, 0.0)) for number in ("15121234567", "441234567890")] == ["0.2", "0.1"]
    assert str(table.bill("15121234567", 60)) == "0.3"
    assert written(both).rates.rates == table
    Path("rates.csv").write_text("prefix,per_minute\n1512,0.2\n,0.3\n")
    assert refusal(lambda: written(both).rates.rates).startswith(
        "rates.csv:3: outbound, no prefix has its price of calls in [[rates.table]] #1 already: leave one of"
    )
    Path("rates.csv").write_text("prefix,per_minute\nx,0.2\ny,0.3\n")
    assert refusal(lambda: written(both).rates.rates) == (
        "rates.csv:2: prefix: expected digits such as 1512, not 'x' (and 1 more: ringful rates check)"
    )
    Path("rates.csv").unlink()
    assert refusal(lambda: written(both).rates.rates) == "rates.csv: No such file or directory"


def test_a_table_with_a_gap_is_refused(written):
    table = written('[[rates.table]]\nprefix = "1"\nper_minute = 0.1\n').rates
    assert refusal(lambda: table.rates) == (
        "[[rates.table]] #1: no row says what outbound calls of all other numbers cost, and they would "
        "be free by accident: add one with an empty prefix and no `from` "
        "(per_minute 0, where they are to be free)"
    )


def test_one_network_needs_no_list_in_the_environment(written):
    assert written("", RINGFUL_FETCH__ALLOW="127.0.0.0/8").fetch.allow == (ip_network("127.0.0.0/8"),)
    assert written('[fetch]\nallow = ["::1/128"]\n', RINGFUL_FETCH__ALLOW="").fetch.allow == ()


@pytest.mark.parametrize(
    ("variable", "value", "said"),
    [
        ("RINGFUL_SIP__TRUNK", "5", "expected a SIP URI such as sip:127.0.0.1:5070, not '5'"),
        ("RINGFUL_MEDIA__MAX_CALLS", "many", "expected a whole number of at least 1, not 'many'"),
        ("RINGFUL_SIP__ALLOW_SIP_URIS", "yes", "expected true or false, not 'yes'"),
        ("RINGFUL_MEDIA__MAX_CALLS", "1\nother = 2", "expected a whole number"),
        ("RINGFUL_SIP__TRNK", "x", "there is no key sip.trnk"),
        ("RINGFUL_SMTP__HOST", "x", "there is no section smtp"),
    ],
)
def test_a_wrong_variable_is_refused_with_its_name(written, variable, value, said):
    message = refusal(written, "", **{variable: value})
    assert message.startswith(f"{variable}: ")
    assert said in message


@pytest.mark.parametrize("value", ["10000", "20000-10000", "80-9000", "10000-70000", "some", "10000-10000"])
def test_ports_that_are_none(written, value):
    assert '"any", or ports such as 10000-20000' in refusal(written, f'[media]\nports = "{value}"\n')


def test_any_ports(written):
    assert written("", RINGFUL_MEDIA__PORTS="any").media.ports == (0, 0)


@given(st.text())
def test_no_text_of_the_environment_is_too_odd(text):
    for read in (readers.whole, readers.boolean, readers.networks, readers.rates, readers.seconds):
        try:
            readers.from_text(text, read)
        except readers.Unfit as unfit:
            assert unfit.wanted  # noqa: PT017 (refusing is one of two good outcomes)


def test_the_configuration_of_the_documentation_is_taken(written):
    example, trunks = re.findall(r"```toml\n(.*?)```", (DOCS / "operation.md").read_text(), re.DOTALL)
    config = written(example)
    assert written(trunks).sip.ways == (Trunk("north", "sip.example.com", country="US"),)
    # It shows every key there is, and with its default, where it says nothing else.
    for section in attrs.fields(Config):
        for key in attrs.fields(type(getattr(config, section.name))):
            assert re.search(
                rf"^\[*{section.name}\b.*^(\[+(rates|sms)\.|# )?{key.name}\b",
                example,
                re.DOTALL | re.MULTILINE,
            )


def test_the_connection_of_the_documentation_is_taken(written):
    examples = re.findall(r"```toml\n(.*?)```", (DOCS / "messages.md").read_text(), re.DOTALL)
    (example,) = [one for one in examples if "[[sms.smpp]]" in one]
    (found,) = written(example.replace("…", "s3cret")).sms.smpp
    assert found.name == "example"
    for key in attrs.fields(SmppConnection):
        assert key.name in example, key.name


def at(bind, front="auto", http="127.0.0.1:8080"):
    return Config(http=Http(http), sip=Sip(bind=bind, front=front))


@pytest.fixture
def no_kamailio(monkeypatch):
    monkeypatch.setattr("ringful.command.serving.exposure.installed", lambda: "")


@pytest.fixture
def kamailio(monkeypatch):
    monkeypatch.setattr("ringful.command.serving.exposure.installed", lambda: "/usr/sbin/kamailio")


@pytest.mark.parametrize("host", ["10.1.2.3", "8.8.8.8"])
def test_a_front_is_there_where_calls_leave_this_machine(kamailio, host):
    assert exposure(at(f"{host}:5060")) == ()
    assert is_fronted(at(f"{host}:5060"))
    assert not is_fronted(at(f"{host}:5060", "none"))
    assert not is_fronted(at("127.0.0.1:5060"))
    assert is_fronted(at("127.0.0.1:5060", "kamailio"))
    known = Config(sip=Sip(bind="127.0.0.1:5060", public_address="203.0.113.5"))
    assert is_fronted(known)


def test_a_front_must_know_where_it_is(kamailio):
    said = refusal(exposure, at("0.0.0.0:5060"))
    assert "set sip.public_address, or bind to one address" in said
    assert exposure(Config(sip=Sip(bind="0.0.0.0:5060", public_address="203.0.113.5"))) == ()


def trunk(**more):
    return (Trunk("north", "sip.example.com", **more),)


@pytest.mark.parametrize(
    ("trunks", "key"),
    [
        (trunk(transport="tls"), "sip.trunks.north.transport: tls"),
        (trunk(theirs=Credentials("a", "b")), "sip.trunks.north.their_username"),
    ],
)
def test_what_a_front_alone_does_wants_one(no_kamailio, trunks, key):
    said = refusal(exposure, Config(sip=Sip(trunks=trunks)))
    assert said.startswith(f"{key} wants a SIP front; apt-get install kamailio")
    said = refusal(exposure, Config(sip=Sip(trunks=trunks, front="none")))
    assert said.endswith('say front = "kamailio"')


def test_tls_wants_a_certificate_that_is_there(kamailio, tmp_path):
    sip = Sip(trunks=trunk(transport="tls"))
    assert "wants sip.tls_certificate and sip.tls_key" in refusal(exposure, Config(sip=sip))
    missing = tmp_path / "cert.pem"
    said = refusal(exposure, Config(sip=attrs.evolve(sip, tls_certificate=missing, tls_key=missing)))
    assert said == f"sip.tls_certificate: there is no file {missing}"
    one = Config(sip=Sip(front="kamailio", tls_certificate=missing))
    assert "expected both" in refusal(exposure, one)


@pytest.mark.parametrize("host", ["127.0.0.1", "10.1.2.3", "192.168.0.7", "172.16.0.1"])
def test_private_addresses_need_no_front_but_lack_it(no_kamailio, host):
    (said,) = exposure(at(f"{host}:5060"))
    assert said.startswith("no SIP front: calls come in and go out on loopback")
    assert exposure(at(f"{host}:5060", "none")) == ()


@pytest.mark.parametrize("host", ["0.0.0.0", "8.8.8.8", "100.64.0.1"])
def test_an_open_network_needs_a_front_or_a_word(no_kamailio, host):
    said = refusal(exposure, at(f"{host}:5060"))
    assert said.startswith(f"sip.bind: {host} faces an open network and there is no SIP front")
    assert 'front = "none"' in said
    (warning,) = exposure(at(f"{host}:5060", "none"))
    assert warning.startswith(f"sip.bind: {host} faces an open network")


def test_what_cannot_be_had_is_refused(no_kamailio):
    assert refusal(exposure, at("127.0.0.1:5060", "kamailio")).startswith(
        "sip.front: kamailio is not installed"
    )
    assert refusal(exposure, at("localhost:5060")) == "sip.bind: expected an IP address, not localhost"


@pytest.mark.parametrize(
    ("bind", "warned"), [("0.0.0.0:80", True), ("8.8.8.8:80", True), ("localhost:80", False)]
)
def test_http_in_the_open_is_warned_about(bind, warned):
    assert any(line.startswith("http.bind") for line in exposure(at("127.0.0.1:5060", http=bind))) is warned


def test_addresses_are_split():
    assert split_address("127.0.0.1:5060") == ("127.0.0.1", 5060)
