"""What an engine is told of a call that it is to place."""

from collections.abc import Sequence

from attrs import frozen


@frozen
class Outgoing:
    """Whom to call, as whom, and by which trunk."""

    uri: str
    """Whom the INVITE asks for; its host is an address, but where *by* says where it goes."""
    caller_id: str | None = None
    """The user of ``From``, as the trunk writes it."""
    by: str = ""
    """Where the front is to send it, as a URI whose user is the host's name; empty: to *uri*."""
    trunk: str = ""
    """Whose credentials are used."""
    redirects: int = 0
    """How many 3xx in a row are followed, within *networks*, or to the same address alone."""
    networks: Sequence[str] = ()
    domain: str = ""
    """What stands behind ``@`` in ``From``; empty: our own address."""
    called: str = ""
    """The URI of ``To``; empty: *uri*."""
    asserted: bool = False
    """Whether the caller is told as ``P-Asserted-Identity`` as well (RFC 3325)."""
