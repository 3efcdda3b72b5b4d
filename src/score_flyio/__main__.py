"""The process entry: answers `--version` before importing anything, then hands over to the CLI."""

import sys

from score_flyio._version import __version__


def main() -> None:
    """Run the command line of this process and exit with its exit code."""
    if sys.argv[1:] in (["--version"], ["-v"]):
        sys.stdout.write(f"score-flyio {__version__}\n")
        return
    from score_flyio.cli.main import run

    sys.exit(run(sys.argv[1:]))


if __name__ == "__main__":
    main()
