"""`ringful lsp`: call scripts in editors."""

from importlib import metadata

from ringful.editor.server import make_server


def lsp(*, stdio: bool = True) -> None:
    """Speak the language server protocol on standard input and output, for editors.

    Parameters
    ----------
    stdio
        What many editors add; there is no other way.
    """
    make_server(metadata.version("ringful")).start_io()
