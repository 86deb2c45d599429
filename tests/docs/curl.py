"""A stand-in for curl, for machines without it: the options that the documentation uses, and no others."""

from __future__ import annotations

import argparse
import sys
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import quote, urlsplit


def main() -> None:
    """Make one request, and print its answer as curl would."""
    parser = argparse.ArgumentParser(allow_abbrev=False)
    parser.add_argument("url")
    parser.add_argument("-s", action="store_true")
    parser.add_argument("-i", action="store_true")
    parser.add_argument("-H", action="append", default=[])
    parser.add_argument("-G", action="store_true")
    parser.add_argument("-d", action="append", default=[])
    parser.add_argument("--data-urlencode", action="append", default=[])
    parser.add_argument("-o", type=Path)
    parser.add_argument("--etag-save", type=Path)
    parser.add_argument("--etag-compare", type=Path)
    options = parser.parse_args()

    headers = dict(header.split(": ", 1) for header in options.H)
    if options.etag_compare:
        headers["If-None-Match"] = options.etag_compare.read_text().strip()
    url = urlsplit(options.url)
    connection = HTTPConnection(url.netloc, timeout=30)
    path = url.path + (f"?{url.query}" if url.query else "")
    data = "&".join([*options.d, *map(_encoded, options.data_urlencode)])
    if options.G and data:
        path += f"{'&' if url.query else '?'}{data}"
    is_post = bool(data) and not options.G
    connection.request("POST" if is_post else "GET", path, data if is_post else None, headers)
    response = connection.getresponse()
    body = response.read()
    if options.etag_save:
        options.etag_save.write_text(response.headers["ETag"] + "\n")
    if options.i:
        lines = [f"HTTP/1.1 {response.status} {response.reason}"]
        lines += [f"{name}: {value}" for name, value in response.headers.items()]
        body = "\r\n".join([*lines, "", ""]).encode() + body
    if options.o:
        options.o.write_bytes(body)
    else:
        sys.stdout.buffer.write(body)


def _encoded(data: str) -> str:
    name, _, value = data.partition("=")
    return f"{name}={quote(value, safe='')}"


if __name__ == "__main__":
    main()
