"""The page about trunks: each of its configurations is one."""

import re
from pathlib import Path

import pytest

from ringful.command.configuration.config import load
from ringful.command.errors import CommandError
from ringful.command.serving.exposure import exposure

PAGE = (Path(__file__).parents[2] / "docs" / "trunks.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)


@pytest.mark.parametrize("example", EXAMPLES, ids=range(len(EXAMPLES)))
def test_a_configuration_of_the_page_is_taken(
    example: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ringful.command.serving.exposure.installed", lambda: "/usr/sbin/kamailio")
    for name in ("cert.pem", "key.pem", "all.pem"):
        (tmp_path / name).touch()
    (tmp_path / "ringful.toml").write_text(example.replace("/etc/ringful", str(tmp_path)))
    config = load(tmp_path / "ringful.toml", {"RINGFUL_SIP__TLS_AUTHORITIES": str(tmp_path / "all.pem")})
    assert all(way.host.endswith(".example") for way in config.sip.ways)
    exposure(config)


def test_the_page_shows_several() -> None:
    assert len(EXAMPLES) > 3


def test_what_the_page_says_is_refused_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ringful.command.serving.exposure.installed", lambda: "")
    (tmp_path / "ringful.toml").write_text('[sip.trunks.a]\naddress = "h"\ntransport = "tls"\n')
    with pytest.raises(CommandError, match="tls wants a SIP front"):
        exposure(load(tmp_path / "ringful.toml", {}))
