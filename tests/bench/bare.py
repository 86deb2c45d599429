"""The ceiling: an aiohttp handler on uvloop that answers one URL with bytes that it holds, and no more.

python -m tests.bench.bare --port 9000 --route /runs/{run_id} --body answer.json
"""

import argparse
from pathlib import Path

from aiohttp import web

from tests.bench.serving import serve


def application(method: str, route: str, status: int, body: bytes, etag: str) -> web.Application:
    """One route. A POST's body is read; a 304 bears an ETag and no body."""

    async def get(_request: web.Request) -> web.Response:
        return web.Response(body=body, content_type="application/json")

    async def post(request: web.Request) -> web.Response:
        await request.read()
        return web.Response(body=body, content_type="application/json")

    async def not_modified(_request: web.Request) -> web.Response:
        return web.Response(status=304, headers={"ETag": etag})

    app = web.Application()
    handler = not_modified if status == 304 else post if method == "POST" else get
    app.router.add_route(method, route, handler)
    return app


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.bare")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--method", default="GET")
    parser.add_argument("--route", required=True)
    parser.add_argument("--status", type=int, default=200)
    parser.add_argument("--body", type=Path, required=True)
    parser.add_argument("--etag", default="")
    given = parser.parse_args()
    app = application(given.method, given.route, given.status, given.body.read_bytes(), given.etag)
    serve(app, given.port)


if __name__ == "__main__":
    main()
