"""Which part of a file is asked for: `Range`, RFC 9110 section 14.2.

What Quart does with it fails on the last bytes of a file, and behind its end; so it is given one plain
range, or none.
"""

from werkzeug.http import parse_range_header

from ringful.http.problems import Problem


def plain_range(asked: str | None, size: int) -> str | None:
    """Give the one range of a file of *size* bytes that *asked* means, with its ends; None: the whole file.

    What cannot be read, and several ranges, are the whole file as well.  Raises Problem (416) where the file
    has nothing of what is asked for.
    """
    wanted = parse_range_header(asked)
    if wanted is None or wanted.units != "bytes" or len(wanted.ranges) != 1:
        return None
    begin, end = wanted.ranges[0]
    begin = max(0, size + begin) if begin < 0 else begin
    end = size if end is None else min(end, size)
    if begin >= end:
        wrong = f"the file has {size} bytes, and nothing of {asked}"
        raise Problem(416, "range.outside", wrong, {"Content-Range": f"bytes */{size}"})
    return f"bytes={begin}-{end - 1}"
