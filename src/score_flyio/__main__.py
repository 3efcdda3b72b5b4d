"""The process entry: answers `--version` before importing anything, then hands over to the CLI."""

import sys

from score_flyio._version import __version__


def main() -> None:
    """Run the command line of this process and exit with its exit code."""
    if sys.argv[1:] in (["--version"], ["-v"]):
        sys.stdout.write(f"score-flyio {__version__}\n")
        return
    import gc

    # Importing allocates much and frees nothing: each look for garbage meanwhile takes 10 to 50 ms.
    gc.set_threshold(200_000, 20, 20)
    # The command line of httpx itself, which nobody calls here, imports rich and pygments: 50 ms.
    sys.modules["httpx._main"] = None  # type: ignore[assignment]
    # Where trio is installed, httpcore imports it to ask whether it runs: here asyncio does. 40 ms.
    sys.modules["trio"] = None  # type: ignore[assignment]
    # Where h2 is installed, httpcore imports it for HTTP/2, which nobody here asks it for. 40 ms.
    for half in ("_async", "_sync"):
        sys.modules[f"httpcore.{half}.http2"] = None  # type: ignore[assignment]
    try:
        from score_flyio.cli.main import run

        exit_code = run(sys.argv[1:])
    except KeyboardInterrupt:  # while modules are imported, or once more while the end is told
        if sys.stderr is not None:
            sys.stderr.write("Error: interrupted\n")
        exit_code = 130
    _leave(exit_code)


def _leave(exit_code: int) -> None:
    """End the process without taking every module apart, which takes 30 ms.

    What is still held for a stream that fails was told of already, and a stream can be closed.
    """
    import os
    from contextlib import suppress

    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, AttributeError):
            stream.flush()
    os._exit(exit_code)


if __name__ == "__main__":
    main()
