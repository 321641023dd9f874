"""The command line: `sealite`, or `python -m sealite`. What it does, says `sealite --help`."""

import signal
import sys

from ._native import run_command

__all__ = ["main"]


def main() -> int:
    """Runs the command line of the process; its exit code."""
    # Python's handler would only take a note, which nobody reads while a command runs.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    return run_command(["sealite", *sys.argv[1:]])


if __name__ == "__main__":
    sys.exit(main())
