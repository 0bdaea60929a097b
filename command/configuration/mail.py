"""Reading how e-mail gateways are reached: the table ``sms.mail``."""

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from ringful.command.configuration import readers
from ringful.command.configuration.address import is_private, split_address
from ringful.command.configuration.readers import Unfit
from ringful.messages.mail_settings import MailSettings

_LOCAL, _DOMAIN = r"[A-Za-z0-9.!#$%&'*+/=?^_`|~-]+", r"[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*"
_ADDRESS = re.compile(f"{_LOCAL}@{_DOMAIN}")


def mail(value: Any) -> MailSettings | None:
    """Read the table; an empty one says that there are no gateways."""
    if value == {}:
        return None
    if not isinstance(value, dict):
        raise Unfit('a table such as { server = "127.0.0.1:25", sender = …, operators = … }')
    made: dict[str, Any] = {}
    for name, one in value.items():
        if name not in _READERS:
            raise Unfit(f"one of the keys {', '.join(_READERS)}", ", a key", name)
        try:
            made[name] = _READERS[name](one)
        except Unfit as unfit:
            raise Unfit(unfit.wanted, f", {name}{unfit.at}", unfit.found if unfit.at else one) from None
    for name in ("server", "sender", "operators"):
        if name not in made:
            raise Unfit(f"a key {name}", ", its keys", ", ".join(value))
    host, at_port = split_address(made.pop("server"))
    settings = MailSettings(host=host, port=at_port, **made)
    _check_secrets(settings)
    return settings


def _check_secrets(settings: MailSettings) -> None:
    if bool(settings.username) != bool(settings.password):
        raise Unfit("both a username and a password, or neither", ", its keys", "one of them")
    near = settings.host == "localhost" or is_private(settings.host)
    if settings.username and settings.security == "none" and not near:
        raise Unfit("starttls or tls, where a password is told", ", security", "none")
    if settings.ca and settings.security == "none":
        raise Unfit("starttls or tls, where there is a ca", ", security", "none")


def _address(value: Any) -> str:
    if not isinstance(value, str) or not _ADDRESS.fullmatch(value):
        raise Unfit("an e-mail address such as sms@example.com")
    return value


def _operators(value: Any) -> Mapping[str, str]:
    if not isinstance(value, dict) or not value:
        raise Unfit('a table such as { 1 = "{number}@gateway.example.com" }')
    for name, template in value.items():
        if name not in ("1", "2", "3", "4"):
            raise Unfit("an operator from 1 to 4", ", a key", name)
        is_text = isinstance(template, str) and template.count("{number}") == 1
        if not is_text or not _ADDRESS.fullmatch(template.replace("{number}", "15125550000")):
            raise Unfit('an address such as "{number}@gateway.example.com"', f", {name}", template)
    return dict(value)


def _ca(value: Any) -> Path:
    path = readers.path(value)
    if not path.is_file():
        raise Unfit("a file of certificates in PEM")
    return path


_READERS: dict[str, Callable[[Any], Any]] = {
    "server": readers.address,
    "sender": _address,
    "operators": _operators,
    "username": readers.text,
    "password": readers.text,
    "security": readers.one_of("none", "starttls", "tls"),
    "ca": _ca,
}
