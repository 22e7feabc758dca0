"""Serving with a certificate, on a real socket."""

from __future__ import annotations

import asyncio
import ssl
from contextlib import closing
from datetime import timedelta
from ipaddress import ip_address
from pathlib import Path
from socket import create_server

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
)
from fastapi import FastAPI

from shared.clock import real_now
from shared.errors import ConfigurationError
from shared.http import HttpServer

HOST = "127.0.0.1"


def certificate(folder: Path, encryption: KeySerializationEncryption | None = None) -> tuple[Path, Path]:
    """The chain and the key of a host that vouches for itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "test")])
    now = real_now()
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address(HOST))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    chain_file, key_file = folder / "chain.pem", folder / "key.pem"
    chain_file.write_bytes(made.public_bytes(Encoding.PEM))
    key_file.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption or NoEncryption()))
    return chain_file, key_file


def free_port() -> int:
    with closing(create_server((HOST, 0))) as taken:
        port: int = taken.getsockname()[1]
        return port


async def test_with_a_certificate_it_speaks_tls_and_nothing_else(tmp_path: Path) -> None:
    chain, key = certificate(tmp_path)
    app, port, stopping = FastAPI(), free_port(), asyncio.Event()

    @app.get("/")
    async def root() -> str:
        return "safe"

    running = asyncio.create_task(HttpServer(app, HOST, port, (chain, key)).run(stopping))
    try:
        async with httpx.AsyncClient(verify=ssl.create_default_context(cafile=str(chain)), trust_env=False) as client:
            async with asyncio.timeout(10):
                while True:
                    try:
                        assert (await client.get(f"https://{HOST}:{port}/")).json() == "safe"
                        break
                    except httpx.ConnectError:
                        await asyncio.sleep(0.02)  # the port is opened in a moment
            with pytest.raises(httpx.TransportError):
                await client.get(f"http://{HOST}:{port}/")
    finally:
        stopping.set()
        await running


def test_a_certificate_that_cannot_be_used_is_one_readable_message(tmp_path: Path) -> None:
    chain, _ = certificate(tmp_path)
    for key in (tmp_path / "missing.pem", chain):
        with pytest.raises(ConfigurationError, match="PUNCTUAL_TLS_CERTIFICATE and PUNCTUAL_TLS_KEY cannot be used"):
            HttpServer(FastAPI(), HOST, 1, (chain, key))


def test_a_key_with_a_password_is_refused_and_nobody_is_asked_for_it(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="cannot be used"):
        HttpServer(FastAPI(), HOST, 1, certificate(tmp_path, BestAvailableEncryption(b"secret")))
