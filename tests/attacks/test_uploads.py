"""Candle files sent to `coinfarm serve` that are too large, unpack to too much, or have malicious names."""

import gzip
import io
import zipfile

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import requests

from coinfarm.candles.parquet_file import parquet_from_candles
from tests.support.demo_requests import demo_candles

pytestmark = pytest.mark.enable_socket

CANDLES = demo_candles(200)
PARQUET = parquet_from_candles(CANDLES)
PATHS = ("/predictions", "/candles")


@pytest.fixture(autouse=True)
def container():
    """Replaces the container of the unit tests: the server has its own."""


@pytest.fixture(autouse=True)
def alive(served):
    yield
    served.check_alive()


def post(served, path, data, **query):
    headers = {"content-type": "application/octet-stream"}
    return requests.post(f"{served.url}{path}", params=query, data=data, headers=headers, timeout=30)


def zipped(data, name="DEMOUSD-1m.csv"):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, data)
    return file.getvalue()


def parquet(table):
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink, compression="zstd", store_schema=False)
    return sink.getvalue().to_pybytes()


def feather(table):
    sink = pa.BufferOutputStream()
    with pa.ipc.new_file(sink, table.schema, options=pa.ipc.IpcWriteOptions(compression="zstd")) as file:
        file.write_table(table)
    return sink.getvalue().to_pybytes()


def ones(count):
    return pa.table({name: np.ones(count) for name in ("open_time", "open", "high", "low", "close", "volume")})


BOMBS = {
    "a body over the limit": lambda: bytes(6_000_001),
    "gzip": lambda: gzip.compress(bytes(200_000_000)),
    "gzip in gzip": lambda: gzip.compress(gzip.compress(bytes(200_000_000))),
    "zip": lambda: zipped(bytes(200_000_000)),
    "zip in zip": lambda: zipped(zipped(bytes(200_000_000)), "DEMOUSD-1m.zip"),
    "zstd": lambda: pa.compress(bytes(200_000_000), "zstd", asbytes=True),
    "Parquet of too many rows": lambda: parquet(ones(1_000_001)),
    "Feather of too many bytes": lambda: feather(ones(10_000_000)),
    "brackets": lambda: gzip.compress(b"[" + b"[]," * 20_000_000 + b"[]]"),
}


@pytest.mark.parametrize("make", BOMBS.values(), ids=BOMBS)
@pytest.mark.parametrize("path", PATHS)
def test_rejects_files_that_would_fill_the_memory(served, path, make):
    data = make()
    with served.limit_memory(120):
        response = post(served, path, data, symbol="DEMOUSD")
    assert (response.status_code, response.headers["content-type"]) == (413, "application/problem+json")


@pytest.mark.parametrize(
    "name",
    [
        "../../etc/passwd",
        "/etc/passwd",
        "symbol=../../x/interval=1m/date=2026-01-01.parquet",
        "<script>-1m.csv",
        "%00",
        "a" * 256,
        "\r\nX: 1",
    ],
)
@pytest.mark.parametrize("path", PATHS)
def test_a_malicious_name_is_a_client_error(served, path, name):
    """A name only says what the symbol may be: no file of that name is read or written."""
    response = post(served, path, PARQUET, fileName=name)
    assert response.status_code == 422
    assert "root:" not in response.text
    assert "X" not in response.headers


@pytest.mark.parametrize("name", ["../../DEMOUSD-1m.parquet", "symbol=<b>/interval=1m/a.parquet", "/etc/cron.d/evil"])
@pytest.mark.parametrize("path", PATHS)
def test_a_malicious_member_of_a_zip_is_read_in_memory(served, path, name):
    response = post(served, path, zipped(PARQUET, name))
    assert response.status_code == (200 if "DEMOUSD" in name else 422)
    assert "<b>" not in response.json().get("symbol", "")


@pytest.mark.parametrize("path", PATHS)
def test_no_damage_of_a_file_is_a_server_error(served, path):
    random = np.random.default_rng(1)
    for _ in range(100):
        damaged = bytearray(PARQUET)
        for at in random.integers(0, len(damaged), 3):
            damaged[at] = random.integers(256)
        assert post(served, path, bytes(damaged), symbol="DEMOUSD").status_code in (200, 413, 422)
