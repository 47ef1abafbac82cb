"""Objects through sockets without files or threads: a server that de-identifies what one end sends to the other."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from dcmveil import Deidentifier, Policy, deidentify_file
from dcmveil.errors import DcmveilError, ParseError
from tests.hostile.forms import EXPLICIT
from tests.push.objects import PIXELS, held_back, image, noise
from tests.reversible.support import SECRET

POLICY = Policy(secret=SECRET)


class Server:
    """De-identifies each object that a connection brings, and sends it back on the same."""

    def __init__(self) -> None:
        self.errors: list[DcmveilError] = []
        self.gone_before_end = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        driver = Deidentifier(POLICY)
        try:
            while piece := await reader.read(1 << 16):
                for segment in driver.feed(piece):
                    self.gone_before_end += segment.length
                    writer.write(segment.data or b"")
                await writer.drain()
            writer.writelines(segment.data or b"" for segment in driver.finish())
            await writer.drain()
        except DcmveilError as error:
            self.errors.append(error)
        finally:
            writer.close()


async def sent(port: int, data: bytes) -> bytes:
    """What comes back."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)

    async def send() -> None:
        for at in range(0, len(data), 50_000):
            writer.write(data[at : at + 50_000])
            await writer.drain()
        writer.write_eof()

    _none, back = await asyncio.gather(send(), reader.read(-1))
    writer.close()
    return back


async def through(server: Server, objects: list[bytes]) -> list[bytes]:
    async with await asyncio.start_server(server.serve, "127.0.0.1", 0) as listening:
        port = listening.sockets[0].getsockname()[1]
        return await asyncio.gather(*(sent(port, data) for data in objects))


def test_many_at_once(tmp_path: Path) -> None:
    objects = list(held_back().values())
    server = Server()
    back = asyncio.run(asyncio.wait_for(through(server, objects), 60))
    for data, found in zip(objects, back, strict=True):
        (tmp_path / "in").write_bytes(data)
        deidentify_file(tmp_path / "in", tmp_path / "out", POLICY)
        assert found == (tmp_path / "out").read_bytes()
    assert server.errors == []
    assert server.gone_before_end > 0


def test_one_that_ends_too_soon_is_told_from_a_whole_one() -> None:
    data = image(EXPLICIT, EXPLICIT.element(PIXELS, "OW", noise(2 << 20)))[:-2]
    server = Server()
    (back,) = asyncio.run(asyncio.wait_for(through(server, [data]), 60))
    (error,) = server.errors
    assert isinstance(error, ParseError)
    assert error.discard == len(back) > 0


@pytest.mark.parametrize("data", [b"", b"VEILME0001, which is not DICOM"])
def test_nothing_comes_back_for_what_is_no_object(data: bytes) -> None:
    server = Server()
    assert asyncio.run(asyncio.wait_for(through(server, [data]), 60)) == [b""]
    assert len(server.errors) == 1
