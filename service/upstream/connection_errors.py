"""What errors of aiohttp and the system mean, when a request to MLflow meets them."""

from __future__ import annotations

import errno
import os
import socket

import aiohttp

from service import errors
from service.upstream.failures import NoResources, NotMlflow, Unreachable
from service.upstream.wording import Mask

MAX_HEADER = 65_536  # bytes of a header: proxies add policies, links and cookies of tens of kilobytes

_TOO_LONG = "Got more than"  # so begins aiohttp's message about a longer one
_NO_DESCRIPTOR = (errno.EMFILE, errno.ENFILE)
_NO_RESOURCES = (errno.EADDRNOTAVAIL, errno.ENOBUFS, errno.ENOMEM)


def translate(endpoint: str, error: Exception, mask: Mask) -> errors.UpstreamFailure:
    """The failure that an error of a request is. Its cause holds no credentials and no byte of the answer."""
    # TimeoutError first: aiohttp's time-outs are ClientErrors, too.
    if isinstance(error, TimeoutError):
        return errors.UpstreamTimeout(f"{endpoint}: {_describe(error)}")
    cause = f"{endpoint}: {mask(_describe(error))}"
    if isinstance(error, aiohttp.ClientResponseError) and error.message.startswith(_TOO_LONG):
        return NotMlflow(f"{endpoint}: a header of the answer is longer than {MAX_HEADER} bytes")
    if isinstance(error, OSError) and _lacks_descriptors(error):
        return NoResources(f"{cause}: raise this process's limit of open files (ulimit -n)")
    if isinstance(error, OSError) and error.errno in _NO_RESOURCES:
        return NoResources(cause)
    if isinstance(error, aiohttp.ClientConnectorError):
        return Unreachable(cause)
    return errors.UpstreamError(cause)


def _lacks_descriptors(error: OSError) -> bool:
    if error.errno in _NO_DESCRIPTOR:
        return True
    # A lookup that fails for want of a descriptor is reported as a failure of the name service.
    cause = error.os_error if isinstance(error, aiohttp.ClientConnectorDNSError) else error
    if not isinstance(cause, socket.gaierror):
        return False
    try:
        os.close(os.open(os.devnull, os.O_RDONLY))
    except OSError as own:
        return own.errno in _NO_DESCRIPTOR
    return False


def _describe(error: Exception) -> str:
    if isinstance(error, aiohttp.ClientResponseError):  # its message ends with bytes of the answer
        reason = error.message.partition("\n\n")[0].partition(" b'")[0]
        return f"{type(error).__name__}: {' '.join(reason.split())}"
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
