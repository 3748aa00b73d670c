"""Starts fakesnow once in each test process."""

from __future__ import annotations

import atexit
import datetime
import ipaddress
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack, contextmanager
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

from tests import accounts
from tests.emulators.snowflake_jobs import HOLD

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from airflow_dataops.core.ports import SqlRunner

_STARTED_WITHIN = 60.0


@lru_cache(maxsize=1)
def snowflake_connection() -> str:
    """Start the server unless it runs; return an Airflow connection, as JSON."""
    certificate, key = certificates()
    folder = certificate.parent
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    log = (folder / "log").open("w")
    command = [sys.executable, "-m", "tests.emulators.snowflake_server", str(port)]
    process = subprocess.Popen(
        [*command, str(certificate), str(key)],
        cwd=Path(__file__).parents[2],
        stdout=log,
        stderr=subprocess.STDOUT,
        env=os.environ | {HOLD: str(_hold())},
    )
    atexit.register(_end, process)
    _wait(process, port, folder / "log")
    os.environ["REQUESTS_CA_BUNDLE"] = str(certificate)
    extra = {
        "account": "emulated",
        "host": "localhost",
        "port": port,
        "database": "SHOP",
        "insecure_mode": True,
    }
    return json.dumps(
        {
            "conn_type": "snowflake",
            "login": "someone",
            "password": "secret",
            "schema": "PUBLIC",
            "extra": extra,
        }
    )


@contextmanager
def held() -> Iterator[None]:
    """Let no script come to its commit in the block."""
    _hold().touch()
    try:
        yield
    finally:
        _hold().unlink()


@lru_cache(maxsize=1)
def _hold() -> Path:
    return Path(tempfile.mkdtemp(prefix="snowflake-hold-")) / "hold"


@contextmanager
def sessions() -> Iterator[Callable[[], SqlRunner]]:
    """Give a function that opens sessions over Airflow's hook; they end with the block."""
    from airflow_dataops.hooks.sql_runner import open_session

    os.environ["AIRFLOW_CONN_EMULATED_SNOWFLAKE"] = (
        accounts.connection("snowflake") or snowflake_connection()
    )
    with ExitStack() as opened:
        yield lambda: opened.enter_context(open_session("emulated_snowflake"))


@lru_cache(maxsize=1)
def certificates() -> tuple[Path, Path]:
    """Write a self-signed certificate for this machine and its key.

    Whatever process is to trust it has REQUESTS_CA_BUNDLE set to it.
    """
    folder = Path(tempfile.mkdtemp(prefix="snowflake-"))
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=7))
        .add_extension(
            x509.SubjectAlternativeName(
                [
                    x509.DNSName("localhost"),
                    x509.IPAddress(ipaddress.ip_address("127.0.0.1")),
                ]
            ),
            critical=False,
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    written = folder / "certificate.pem", folder / "key.pem"
    written[0].write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    written[1].write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.TraditionalOpenSSL,
            serialization.NoEncryption(),
        )
    )
    return written


def _wait(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    deadline = time.monotonic() + _STARTED_WITHIN
    while time.monotonic() < deadline and process.poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    raise RuntimeError(f"the Snowflake emulator did not start: {log.read_text()}")


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    process.wait(10)
