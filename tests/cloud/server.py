"""An S3 server in a process of its own: moto's, on a free port of this machine. `python -m tests.cloud.server [MIB]`.

It says its port on a line of its own and ends with its standard input. With MIB there is `bucket/large.dcm` from the
start, a native image with so many MiB of Pixel Data, which nobody has had to send.
"""

from __future__ import annotations

import sys

from moto.core import DEFAULT_ACCOUNT_ID
from moto.s3.models import s3_backends
from moto.server import ThreadedMotoServer

from tests.cloud.objects import native

BUCKET = "bucket"


def main() -> None:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    backend = s3_backends[DEFAULT_ACCOUNT_ID]["aws"]
    backend.create_bucket(BUCKET, "us-east-1")
    if len(sys.argv) > 1:
        backend.put_object(BUCKET, "large.dcm", b"".join(native(int(sys.argv[1]) << 20)))
    print(server.get_host_and_port()[1], flush=True)
    sys.stdin.read()
    server.stop()


if __name__ == "__main__":
    main()
