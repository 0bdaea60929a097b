"""How e-mail gateways are reached: what the configuration says of them."""

from collections.abc import Mapping
from pathlib import Path
from typing import Literal, TypeAlias

from attrs import field, frozen

Security: TypeAlias = Literal["none", "starttls", "tls"]


@frozen
class MailSettings:
    """A mail server that takes what we send, and the operators' gateways behind it."""

    host: str
    port: int
    sender: str
    """The address that the mail comes from."""
    operators: Mapping[str, str]
    """Addresses with ``{number}`` in them, by the operators' names: ``1`` to ``4``, in the seed's words."""
    username: str = ""
    password: str = field(default="", repr=False)
    security: Security = "none"
    """``starttls``: the session turns to TLS before anything is said; ``tls``: it begins with it."""
    ca: Path | None = None
    """Who signed the server's certificate, where that is none of those whom this machine trusts."""
