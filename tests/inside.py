"""Ask an application in this process, without a network."""

from collections.abc import Mapping
from urllib.parse import urlencode

from ringful.http.connection import Answering
from ringful.http.exchange import Request, Response


async def asked(
    app: Answering,
    path: str,
    query: Mapping[str, str] | None = None,
    body: str | None = None,
    *,
    peer: str = "127.0.0.1",
    **headers: str,
) -> Response:
    """Ask with the *body*, if there is one; names of *headers* have _ for -."""
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    method = "GET" if body is None else "POST"
    question = urlencode(query or {}).encode()
    return await app.answer(Request(method, path, question, names, (body or "").encode(), peer))


def text_of(answer: Response) -> str:
    """Give what an answer says."""
    return answer.body if isinstance(answer.body, str) else answer.body.decode()
