"""Connections to the two services, and the handle that goes with a call."""

import os
from collections.abc import Sequence
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import urlsplit

import grpc

Metadata = Sequence[tuple[str, str]]


def dial(address: str) -> grpc.Channel:
    """A channel to a Hubkeep service at "http://host:port" or "https://host:port".

    https takes the files in HUBKEEP_CA, HUBKEEP_CERT and HUBKEEP_KEY: your certificate is who you are. http is for
    services started with --dev, on this machine: nothing is encrypted or proven, and you are whom HUBKEEP_AS names (see
    `caller`).
    """
    at = urlsplit(address)
    if at.scheme == "https":
        ca, cert, key = (_file(name) for name in ("HUBKEEP_CA", "HUBKEEP_CERT", "HUBKEEP_KEY"))
        identity = grpc.ssl_channel_credentials(root_certificates=ca, private_key=key, certificate_chain=cert)
        return grpc.secure_channel(at.netloc, identity)
    if at.scheme == "http":
        if not _is_loopback(at.hostname or ""):
            raise ValueError(f"{address}: handles are secrets: use https://, or http:// on loopback only")
        return grpc.insecure_channel(at.netloc)
    raise ValueError(f"{address}: expected http://host:port or https://host:port")


def caller() -> Metadata:
    """Who we say we are, for --dev. Who has a certificate is whom that names, and must not say anything here."""
    if os.environ.get("HUBKEEP_CERT"):
        return []
    return [("hubkeep-caller", os.environ.get("HUBKEEP_AS", "example-python"))]


def showing(handle: str) -> Metadata:
    """The metadata of a call that is made with a handle."""
    return [("authorization", f"Bearer {handle}"), *caller()]


def _is_loopback(host: str) -> bool:
    """Whether what is sent to this host stays on this machine."""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _file(name: str) -> bytes:
    if not (path := os.environ.get(name)):
        raise ValueError(f"{name} must name a file: https takes certificates")
    return Path(path).read_bytes()
