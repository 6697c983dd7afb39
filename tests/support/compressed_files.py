"""Compressed files of every kind."""

import bz2
import gzip
import io
import lzma
import zipfile

import pyarrow as pa


def zipped(members: dict[str, bytes]) -> bytes:
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED) as file:
        for name, data in members.items():
            file.writestr(name, data)
    return sink.getvalue()


def zip_of_one(data: bytes) -> bytes:
    return zipped({"inside.csv": data})


def gzipped(data: bytes) -> bytes:
    return gzip.compress(data, 1)


def zstd(data: bytes) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.CompressedOutputStream(sink, "zstd") as stream:
        stream.write(data)
    return bytes(sink.getvalue())


STREAMS = {"gzip": gzipped, "bzip2": bz2.compress, "xz": lzma.compress, "zstd": zstd}
COMPRESSIONS = {**STREAMS, "zip": zip_of_one}
