"""JUnit XML: what continuous integration reads."""

import re
import xml.etree.ElementTree as ET
from collections.abc import Sequence

from ringful.simulation.cases.verdicts import Verdict

_FORBIDDEN = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What XML cannot hold, and ElementTree writes without complaint."""


def junit(verdicts: Sequence[Verdict]) -> str:
    """Show *verdicts* as one test suite, a test for each case."""
    failures = sum(verdict.state in ("failed", "broken") for verdict in verdicts)
    errors = sum(verdict.state == "wrong" for verdict in verdicts)
    counts = {
        "tests": str(len(verdicts)),
        "failures": str(failures),
        "errors": str(errors),
        "time": f"{sum(verdict.seconds for verdict in verdicts):.3f}",
    }
    suites = ET.Element("testsuites", counts)
    suite = ET.SubElement(suites, "testsuite", {"name": "ringful", "skipped": "0"} | counts)
    for verdict in verdicts:
        _add(suite, verdict)
    ET.indent(suites)
    return "<?xml version='1.0' encoding='utf-8'?>\n" + ET.tostring(suites, encoding="unicode") + "\n"


def _add(suite: ET.Element, verdict: Verdict) -> None:
    case = ET.SubElement(
        suite,
        "testcase",
        {
            "classname": _clean(str(verdict.path.parent).replace("/", ".").strip(".") or "cases"),
            "name": _clean(verdict.title),
            "time": f"{verdict.seconds:.3f}",
        },
    )
    if verdict.is_good:
        return
    word = "failure" if verdict.state in ("failed", "broken") else "error"
    first = "the trace is another" if verdict.state == "failed" else verdict.said.split("\n")[0]
    told = ET.SubElement(case, word, {"message": _clean(first), "type": verdict.state})
    told.text = _clean(f"{verdict.path}\n{verdict.said}\n")


def _clean(text: str) -> str:
    return _FORBIDDEN.sub("\N{REPLACEMENT CHARACTER}", text)
