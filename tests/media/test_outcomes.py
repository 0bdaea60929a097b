"""What final SIP responses mean."""

import pytest

from ringful.media import port
from ringful.media.engine.outcomes import refusal, transfer_failure


@pytest.mark.parametrize(
    ("status", "rang", "reason"),
    [
        (486, True, "busy"),
        (600, False, "busy"),
        (603, True, "rejected"),
        (403, False, "rejected"),
        (480, False, "noanswer"),
        (408, True, "noanswer"),
        (408, False, "unreachable"),
        (404, False, "unreachable"),
        (503, False, "unreachable"),
    ],
)
def test_why_a_call_was_not_taken(status: int, rang: bool, reason: port.RefusalReason) -> None:
    assert refusal(status, rang) == reason


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        (405, "rejected"),
        (501, "rejected"),
        (603, "rejected"),
        (486, "busy"),
        (408, "noanswer"),
        (487, "noanswer"),
        (404, "unreachable"),
        (503, "unreachable"),
    ],
)
def test_why_a_transfer_came_to_nothing(status: int, reason: port.TransferFailure) -> None:
    assert transfer_failure(status) == reason
