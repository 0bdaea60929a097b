"""What an engine is told of a call that it is to place, and how long it waits for that."""

from collections.abc import Sequence

from attrs import define, frozen

from ringful.media.trunks import UNHEARD


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
    answer_within: float = 0.0
    """Seconds within which something has to be heard; 0: as the library has it."""
    ring_within: float = 0.0
    """Seconds within which it has to ring, or go on in some other way; 0: as long as anybody waits."""


@define
class Patience:
    """How long a far end may leave our INVITE without an answer, and without ringing.  Pure."""

    answer_within: float = 0.0
    ring_within: float = 0.0
    _answer_by: float | None = None
    _ring_by: float | None = None

    def begin(self, now: float) -> None:
        """Take it that the call begins."""
        self._answer_by = now + self.answer_within if self.answer_within else None
        self._ring_by = now + self.ring_within if self.ring_within else None

    def asked(self, now: float) -> None:
        """Take it that an INVITE was sent, the first or one with credentials."""
        if self.answer_within:
            self._answer_by = now + self.answer_within

    def heard(self, status: int) -> None:
        """Take the *status* of a response."""
        self._answer_by = None
        if status > 100 and status not in (401, 407):
            self._ring_by = None

    @property
    def waits(self) -> bool:
        """Whether something is waited for."""
        return self._answer_by is not None or self._ring_by is not None

    def why_over(self, now: float) -> str:
        """Say why nothing is waited for any more; nothing while it is."""
        if self._answer_by is not None and now >= self._answer_by:
            return f"{UNHEARD} within {self.answer_within:g} s"
        if self._ring_by is not None and now >= self._ring_by:
            return f"nothing rang within {self.ring_within:g} s"
        return ""
