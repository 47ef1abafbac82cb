"""A store to talk to, what is in it, and what has passed between it and a client."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import boto3

from tests.cloud.server import BUCKET

__all__ = ["BUCKET", "CREDENTIALS", "Passage", "Store", "passage", "served"]

ROOT = Path(__file__).parents[2]
CREDENTIALS = {
    "AWS_ACCESS_KEY_ID": "AKIAVEILME0001",
    "AWS_SECRET_ACCESS_KEY": "SECRETVEILME0001",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_EC2_METADATA_DISABLED": "true",
}


class Store(NamedTuple):
    """An S3 server on this machine, seen by another client than the one that is tested."""

    port: int

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def client(self) -> Any:
        return boto3.client(
            "s3", endpoint_url=self.endpoint, region_name="us-east-1", aws_access_key_id="a", aws_secret_access_key="b"
        )  # fmt: skip

    def put(self, key: str, data: bytes) -> str:
        """Returns its URL."""
        self.client.put_object(Bucket=BUCKET, Key=key, Body=data)
        return f"s3://{BUCKET}/{key}"

    def get(self, key: str) -> bytes:
        return bytes(self.client.get_object(Bucket=BUCKET, Key=key)["Body"].read())

    def names(self) -> list[str]:
        return [found["Key"] for found in self.client.list_objects_v2(Bucket=BUCKET).get("Contents", ())]

    def uploads(self) -> int:
        """How many have been begun and neither completed nor aborted."""
        return len(self.client.list_multipart_uploads(Bucket=BUCKET).get("Uploads", ()))


@contextmanager
def served(*arguments: str, least_part: int | None = None) -> Iterator[Store]:
    """A server. `least_part`: bytes that parts of an upload must have; 5 MiB as with AWS if it is None."""
    environment = {**os.environ, **CREDENTIALS}
    if least_part is not None:
        environment |= {"S3_UPLOAD_PART_MIN_SIZE": str(least_part), "MOTO_S3_DEFAULT_KEY_BUFFER_SIZE": str(1 << 20)}
    command = [sys.executable, "-m", "tests.cloud.server", *arguments]
    with subprocess.Popen(
        command, cwd=ROOT, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as server:
        assert server.stdin is not None
        assert server.stdout is not None
        try:
            yield Store(int(server.stdout.readline()))
        finally:
            server.stdin.close()
            server.terminate()


class Passage:
    """A port that leads to another one, and counts the bytes that come back through it."""

    def __init__(self, port: int) -> None:
        self._to = ("127.0.0.1", port)
        self._door = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._door.getsockname()[1])
        self.received = 0
        self._lock = threading.Lock()
        threading.Thread(target=self._open, daemon=True).start()

    def close(self) -> None:
        self._door.close()

    def _open(self) -> None:
        while True:
            try:
                outside, _address = self._door.accept()
            except OSError:
                return
            inside = socket.create_connection(self._to)
            threading.Thread(target=self._pass, args=(outside, inside, False), daemon=True).start()
            threading.Thread(target=self._pass, args=(inside, outside, True), daemon=True).start()

    def _pass(self, one: socket.socket, other: socket.socket, counts: bool) -> None:
        try:
            while data := one.recv(1 << 16):
                if counts:
                    with self._lock:
                        self.received += len(data)
                other.sendall(data)
        except OSError:
            pass
        finally:
            for end in (one, other):
                try:
                    end.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass


@contextmanager
def passage(store: Store) -> Iterator[Passage]:
    made = Passage(store.port)
    try:
        yield made
    finally:
        made.close()
