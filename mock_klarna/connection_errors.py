"""Why a connection was not possible or ended, in words: of a client of a sandbox, the command line, and a database."""

import os


def cause_of(error: Exception) -> str:
    """Return why a connection was not possible or ended: in the words of the operating system, or of TLS.

    error: as the socket, aiohttp, urllib or the driver of a database raises it.
    """
    import ssl

    within = (getattr(error, name, None) for name in ("os_error", "reason"))  # of aiohttp and urllib
    cause = next((each for each in within if isinstance(each, Exception)), error)
    text = getattr(cause, "reason", None) or str(cause)  # TLS keeps a name there, urllib a text
    if isinstance(cause, ssl.SSLError):
        return f"no TLS connection: {text.replace('_', ' ').lower()}"
    if isinstance(cause, OSError) and (cause.errno or 0) > 0:  # those of name resolution are below 0
        return os.strerror(cause.errno or 0)
    return getattr(cause, "strerror", None) or text.strip() or type(error).__name__
