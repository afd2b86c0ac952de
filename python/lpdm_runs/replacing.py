"""Files that are written whole or not at all."""

import contextlib
import os


@contextlib.contextmanager
def replacing(path):
    """A path to write to; the file takes the place of `path` at the end, if nothing fails.

    Raises OSError that names `path`, where what was there before stays.
    """
    temporary = path.with_name(f".lpdm-{os.getpid()}-{path.name}")
    try:
        yield temporary
        os.replace(temporary, path)
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(path)) from error
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink()
