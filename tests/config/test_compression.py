"""Which answers are compressed."""

import gzip

import pytest
from django.http import HttpResponse, StreamingHttpResponse
from django.test import AsyncRequestFactory

from config.compression import CompressStaticFiles

CHUNKS = [b"export const price = 1;\n" * 400, b"export const size = 2;\n" * 400]
SCRIPT = "/static/streaming/live.js"


class Files:
    """What serves files; counts how often one was read."""

    def __init__(self, *, status=200, kind="text/javascript", tag='"t1"'):
        self.status, self.kind, self.tag, self.reads = status, kind, tag, 0

    async def __call__(self, request):
        response = StreamingHttpResponse(self._chunks(), status=self.status, content_type=self.kind)
        if self.tag:
            response["ETag"] = self.tag
        return response

    async def _chunks(self):
        self.reads += 1
        for chunk in CHUNKS:
            yield chunk


async def asked(middleware, path=SCRIPT, accepted="gzip, deflate"):
    return await middleware(AsyncRequestFactory().get(path, headers={"Accept-Encoding": accepted}))


async def test_a_script_is_one_compressed_file_however_many_chunks_it_came_in():
    response = await asked(CompressStaticFiles(Files()))
    assert response["Content-Encoding"] == "gzip"
    # One member: what comes behind the first, browsers do not read.
    assert gzip.decompress(response.content) == b"".join(CHUNKS)
    assert response.content.count(b"\x1f\x8b\x08") == 1
    assert int(response["Content-Length"]) == len(response.content) < 500
    assert (response["ETag"], response["Vary"]) == ('W/"t1"', "Accept-Encoding")


async def test_a_file_is_compressed_once_until_it_changes():
    files = Files()
    middleware = CompressStaticFiles(files)
    first, second = await asked(middleware), await asked(middleware)
    assert (files.reads, first.content) == (1, second.content)
    files.tag = '"t2"'
    await asked(middleware)
    assert files.reads == 2


async def test_a_file_without_a_tag_is_never_an_old_one():
    files = Files(tag="")
    middleware = CompressStaticFiles(files)
    for _ in range(2):
        assert "ETag" not in await asked(middleware)
    assert files.reads == 2


@pytest.mark.parametrize("accepted", ["", "identity", "br", "gzip;q=0", "gzip; q=0.0, br"])
async def test_a_client_that_takes_no_gzip_gets_none(accepted):
    response = await asked(CompressStaticFiles(Files()), accepted=accepted)
    assert ("Content-Encoding" in response, response["Vary"]) == (False, "Accept-Encoding")
    assert [chunk async for chunk in response] == CHUNKS


@pytest.mark.parametrize("path", ["/", "/keys/", "/trading/products", "/admin/", "/staticky"])
async def test_what_is_no_file_of_the_pages_is_left_alone(path):
    assert "Content-Encoding" not in await asked(CompressStaticFiles(Files()), path)


@pytest.mark.parametrize(
    "files", [Files(status=206), Files(status=404), Files(kind="image/png"), Files(kind="font/woff2")]
)
async def test_parts_refusals_and_what_is_compressed_already_are_left_alone(files):
    assert "Content-Encoding" not in await asked(CompressStaticFiles(files))


async def test_an_answer_without_a_body_is_left_alone():
    async def unchanged(request):
        return HttpResponse(status=304)

    assert "Content-Encoding" not in await asked(CompressStaticFiles(unchanged))
