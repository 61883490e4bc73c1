"""Certificates for servers of tests that speak TLS, and the authority that signs them."""

import ssl
import subprocess
from collections.abc import Mapping
from pathlib import Path

from deploy.local_servers.system import find_program


def make_certificates(directory: Path, names: Mapping[str, str]) -> None:
    """`authority.pem`, and for each of the names NAME.pem and NAME.key. `names`: whom it vouches for, as in
    `DNS:bank.example` or `IP:127.0.0.1`."""
    directory.mkdir()

    def openssl(*words: str) -> None:
        command = [find_program("openssl", ("openssl",)), *words]
        subprocess.run(command, cwd=directory, check=True, capture_output=True)

    fresh = ("-newkey", "rsa:2048", "-nodes", "-sha256")
    openssl("req", "-x509", *fresh, "-subj", "/CN=authority", "-keyout", "authority.key", "-out", "authority.pem",
            "-addext", "keyUsage=critical,keyCertSign,cRLSign")  # fmt: skip
    for name, vouched in names.items():
        # RFC 5280 (4.2.1.1) wants the authority's key named, and Python looks for it from 3.13 on
        extensions = directory / f"{name}.ext"
        extensions.write_text(f"subjectAltName={vouched}\nauthorityKeyIdentifier=keyid\nsubjectKeyIdentifier=hash\n")
        openssl("req", *fresh, "-subj", f"/CN={name}", "-keyout", f"{name}.key", "-out", f"{name}.csr")
        openssl("x509", "-req", "-in", f"{name}.csr", "-CA", "authority.pem", "-CAkey", "authority.key",
                "-CAcreateserial", "-extfile", extensions.name, "-out", f"{name}.pem")  # fmt: skip


def server_side(directory: Path, name: str) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(directory / f"{name}.pem", directory / f"{name}.key")
    return context
