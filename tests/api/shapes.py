"""Requests that two readers might take for different ones, and the answers that the service gives them.

What is wrong with most of them has a number in RFC 9112 or a name in the literature on request smuggling.
"""

from typing import NamedTuple

from tests.api.serving import API

GET = b"GET /livez HTTP/1.1\r\nHost: x\r\n"
POST = f"POST {API}/runs/compare HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n".encode()
CHUNKED = POST + b"Transfer-Encoding: chunked\r\n"
ONE_CHUNK = b"2\r\n{}\r\n0\r\n\r\n"  # an empty object, which is no comparison: 422
HIDDEN = b"GET /hidden HTTP/1.1\r\nHost: x\r\n\r\n"


class Shape(NamedTuple):
    """head and body of a request; what is answered; whether a next request on the connection is, too."""

    head: bytes
    body: bytes
    status: int
    in_step: bool = False


def _refused(head: bytes, body: bytes = b"") -> Shape:
    return Shape(head, body, 400)


SHAPES = {
    # Two ways to tell a body's length, which may say two things.
    "Content-Length twice, the same": _refused(
        POST + b"Content-Length: 2\r\nContent-Length: 2\r\n\r\n", b"{}"
    ),
    "Content-Length twice, different": _refused(
        POST + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n", b"{}"
    ),
    "Content-Length as a list": _refused(POST + b"Content-Length: 2, 2\r\n\r\n", b"{}"),
    "Content-Length and chunks": _refused(CHUNKED + b"Content-Length: 2\r\n\r\n", ONE_CHUNK),
    "Content-Length, then chunks": _refused(
        POST + b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n", ONE_CHUNK
    ),
    # Lengths that are no decimal number.
    "Content-Length -2": _refused(POST + b"Content-Length: -2\r\n\r\n", b"{}"),
    "Content-Length +5": _refused(POST + b"Content-Length: +5\r\n\r\n", b"{}"),
    "Content-Length 0x2": _refused(POST + b"Content-Length: 0x2\r\n\r\n", b"{}"),
    "Content-Length 1_0": _refused(POST + b"Content-Length: 1_0\r\n\r\n", b"{}"),
    "Content-Length 2 3": _refused(POST + b"Content-Length: 2 3\r\n\r\n", b"{}"),
    "Content-Length of nothing": _refused(POST + b"Content-Length: \r\n\r\n"),
    "Content-Length above 64 bits": _refused(POST + b"Content-Length: 18446744073709551618\r\n\r\n", b"{}"),
    "Content-Length 002": Shape(POST + b"Content-Length: 002\r\n\r\n", b"{}", 422, in_step=True),
    # Codings that one reader knows and another does not.
    "chunked, identity": _refused(POST + b"Transfer-Encoding: chunked, identity\r\n\r\n", ONE_CHUNK),
    "chunked twice": _refused(CHUNKED + b"Transfer-Encoding: chunked\r\n\r\n", ONE_CHUNK),
    "chunked, then identity": _refused(CHUNKED + b"Transfer-Encoding: identity\r\n\r\n", ONE_CHUNK),
    "identity alone": _refused(POST + b"Transfer-Encoding: identity\r\n\r\n", ONE_CHUNK),
    "xchunked": _refused(POST + b"Transfer-Encoding: xchunked\r\n\r\n", ONE_CHUNK),
    '"chunked"': _refused(POST + b'Transfer-Encoding: "chunked"\r\n\r\n', ONE_CHUNK),
    "a vertical tab before chunked": _refused(POST + b"Transfer-Encoding:\x0bchunked\r\n\r\n", ONE_CHUNK),
    "CHUNKED": Shape(POST + b"Transfer-Encoding: CHUNKED\r\n\r\n", ONE_CHUNK, 422, in_step=True),
    "chunked in HTTP/1.0": Shape(
        CHUNKED.replace(b"HTTP/1.1", b"HTTP/1.0") + b"\r\n", ONE_CHUNK, 422, in_step=False
    ),
    # Headers that end, or begin, elsewhere for another reader.
    "Transfer-Encoding :": _refused(POST + b"Transfer-Encoding : chunked\r\n\r\n", ONE_CHUNK),
    "a space before a colon": _refused(GET + b"X-A : b\r\n\r\n"),
    "a folded header": _refused(GET + b"X-A: a\r\n b\r\n\r\n"),
    "a folded Transfer-Encoding": _refused(POST + b"Transfer-Encoding:\r\n chunked\r\n\r\n", ONE_CHUNK),
    "a folded first header": _refused(b"GET /livez HTTP/1.1\r\n X-A: a\r\nHost: x\r\n\r\n"),
    "bare LF": _refused(b"GET /livez HTTP/1.1\nHost: x\n\n"),
    "bare LF after a header": _refused(GET + b"X-A: b\nX-B: c\r\n\r\n"),
    "bare CR in a header": _refused(GET + b"X-A: b\rX-B: c\r\n\r\n"),
    "bare CR for line ends": _refused(b"GET /livez HTTP/1.1\rHost: x\r\r"),
    "NUL in a header": _refused(GET + b"X-A: b\x00c\r\n\r\n"),
    "NUL in a name": _refused(GET + b"X-\x00A: b\r\n\r\n"),
    "a control character in a header": _refused(GET + b"X-A: b\x01c\r\n\r\n"),
    "no name": _refused(GET + b": a\r\n\r\n"),
    "two hosts": _refused(GET + b"Host: y\r\n\r\n"),
    "129 headers": _refused(GET + b"X-A: a\r\n" * 128 + b"\r\n"),
    "128 headers": Shape(GET + b"X-A: a\r\n" * 127 + b"\r\n", b"", 200, in_step=True),
    "a header above 16 KiB": _refused(GET + b"X-A: " + b"a" * 17_000 + b"\r\n\r\n"),
    "a line above 16 KiB": _refused(b"GET /" + b"a" * 16_384 + b" HTTP/1.1\r\nHost: x\r\n\r\n"),
    # Chunks.
    "a chunk with an extension": Shape(CHUNKED + b"\r\n", b"2;a=b\r\n{}\r\n0\r\n\r\n", 422, in_step=True),
    "an extension that ends in LF": _refused(CHUNKED + b"\r\n", b"2;a\n{}\r\n0\r\n\r\n"),
    "a chunk size that ends in LF": _refused(CHUNKED + b"\r\n", b"2\n{}\r\n0\r\n\r\n"),
    "a space after a chunk size": _refused(CHUNKED + b"\r\n", b"2 \r\n{}\r\n0\r\n\r\n"),
    "no line end after a chunk": _refused(CHUNKED + b"\r\n", b"2\r\n{}XX0\r\n\r\n"),
    "a chunk of -2": _refused(CHUNKED + b"\r\n", b"-2\r\n{}\r\n0\r\n\r\n"),
    "a chunk of +2": _refused(CHUNKED + b"\r\n", b"+2\r\n{}\r\n0\r\n\r\n"),
    "a chunk of 0x2": _refused(CHUNKED + b"\r\n", b"0x2\r\n{}\r\n0\r\n\r\n"),
    "a chunk above 64 bits": _refused(CHUNKED + b"\r\n", b"10000000000000002\r\n{}\r\n0\r\n\r\n"),
    "a length among the trailers": _refused(CHUNKED + b"\r\n", b"2\r\n{}\r\n0\r\nContent-Length: 5\r\n\r\n"),
    "a trailer": Shape(CHUNKED + b"\r\n", b"2\r\n{}\r\n0\r\nX-A: b\r\n\r\n", 422, in_step=True),
    # Other versions of HTTP.
    "HTTP/0.9": _refused(b"GET /livez\r\n\r\n"),
    "HTTP/1.2": _refused(b"GET /livez HTTP/1.2\r\nHost: x\r\n\r\n"),
    "HTTP/2.0": _refused(b"GET /livez HTTP/2.0\r\nHost: x\r\n\r\n"),
    "the preface of HTTP/2": _refused(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
    "http/1.1": _refused(b"GET /livez http/1.1\r\nHost: x\r\n\r\n"),
    "an upgrade to HTTP/2": Shape(GET + b"Connection: Upgrade\r\nUpgrade: h2c\r\n\r\n", b"", 200),
    "an upgrade to a WebSocket": Shape(GET + b"Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n", b"", 200),
    "CONNECT": Shape(b"CONNECT x:80 HTTP/1.1\r\nHost: x:80\r\n\r\n", b"", 404, in_step=True),
    # A request within another.
    "a request as the body of a GET": Shape(
        GET + b"Content-Length: %d\r\n\r\n" % len(HIDDEN), HIDDEN, 200, in_step=True
    ),
    "a request as a chunk of a GET": Shape(
        GET + b"Transfer-Encoding: chunked\r\n\r\n",
        b"%x\r\n%b\r\n0\r\n\r\n" % (len(HIDDEN), HIDDEN),
        200,
        in_step=True,
    ),
    "empty lines before a request": Shape(b"\r\n\r\n" + GET + b"\r\n", b"", 200, in_step=True),
}
