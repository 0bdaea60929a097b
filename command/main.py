"""The `ringful` command: which commands there are, and how they end.

Exit codes: 0 done, 1 the thing asked about is wrong, 2 usage or configuration.  An error is one
readable line on standard error, never a traceback.
"""

import sys

import cyclopts

from ringful.command import calls, demo, keys, phone, scripts, serve, sign
from ringful.command import test as cases
from ringful.command.errors import CommandError
from ringful.store.port import StoreError

app = cyclopts.App(
    name="ringful", help="A self-hosted programmable-voice server.", version_flags=["--version"]
)
app.command(serve.serve)
app.command(demo.demo)
app.command(phone.phone)
app.command(scripts.check)
app.command(scripts.format)
app.command(cases.simulate)
app.command(cases.test)
app.command(sign.sign)
app.command(keys.app)
app.command(calls.app)


def main() -> None:
    """Run the command that the arguments name."""
    try:
        app(exit_on_error=False, print_error=False)
    except cyclopts.CycloptsError as error:
        print(f"ringful: {' '.join(str(error).split())}", file=sys.stderr)
        sys.exit(2)
    except CommandError as error:
        print(f"ringful: {error}", file=sys.stderr)
        sys.exit(error.code)
    except StoreError as error:
        print(f"ringful: {error}", file=sys.stderr)
        sys.exit(2)
    except KeyboardInterrupt:
        sys.exit(130)
    except BrokenPipeError:
        sys.exit(1)


if __name__ == "__main__":
    main()
