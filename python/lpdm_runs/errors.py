"""How a command says what is wrong: one sentence, as the C++ part of the program does."""

BAD_USAGE = 2
FAILURE = 1


class UsageError(Exception):
    """What was asked for cannot be done; exit status 2."""


def sentence(error):
    """The message on one line."""
    if isinstance(error, OSError) and error.strerror:
        return error.strerror if error.filename is None else \
            f'cannot use "{error.filename}": {error.strerror}.'
    return " ".join(str(error).split())
