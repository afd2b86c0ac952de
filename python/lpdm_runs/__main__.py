"""Starts a command: python3 -m lpdm_runs plot|report …

Where this Python lacks what the command needs, Debian's, which has Debian's packages, is tried.
"""

import os
import sys

from lpdm_runs.errors import BAD_USAGE, FAILURE, UsageError, sentence

DEBIAN_PYTHON = "/usr/bin/python3"


def require(modules):
    """Goes over to Debian's Python, or fails with a sentence, if a module is missing."""
    for module in modules:
        try:
            __import__(module)
        except ImportError:
            break
    else:
        return
    if "LPDM_PYTHON" not in os.environ and os.path.exists(DEBIAN_PYTHON):
        os.environ["LPDM_PYTHON"] = DEBIAN_PYTHON  # so that it is tried once
        os.execv(DEBIAN_PYTHON, [DEBIAN_PYTHON, "-B", "-m", "lpdm_runs", *sys.argv[1:]])
    raise UsageError(f"{sys.executable} has no {module}; install python3-matplotlib, or set "
                     "LPDM_PYTHON to a Python with numpy and matplotlib.")


def run(arguments):
    """Returns the exit status of a command and its arguments."""
    command, rest = arguments[0], arguments[1:]
    if command == "plot":
        require(["numpy", "matplotlib"])
        from lpdm_runs import plot
        return plot.main(rest)
    require(["numpy"])
    from lpdm_runs import report
    return report.main(rest)


def main():
    try:
        return run(sys.argv[1:])
    except UsageError as error:
        print(f"lpdm: {sentence(error)}", file=sys.stderr)
        return BAD_USAGE
    except BrokenPipeError:  # the reader of a pipe has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except OSError as error:
        print(f"lpdm: {sentence(error)}", file=sys.stderr)
        return FAILURE
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
