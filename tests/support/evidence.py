"""A publisher with a code-signing certificate of its own, who signs a small Windows installer."""

import subprocess
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

_WIX = """<?xml version="1.0" encoding="utf-8"?>
<Wix xmlns="http://schemas.microsoft.com/wix/2006/wi">
  <Product Id="*" Name="Acme" Version="1.0.0" Manufacturer="Acme" Language="1033"
           UpgradeCode="6f9619ff-8b86-d011-b42d-00cf4fc964ff">
    <Package InstallerVersion="200" Compressed="yes" />
    <Directory Id="TARGETDIR" Name="SourceDir">
      <Component Id="One" Guid="6f9619ff-8b86-d011-b42d-00cf4fc964fe">
        <File Id="File" Source="acme.txt" KeyPath="yes" />
      </Component>
    </Directory>
    <Media Id="1" Cabinet="one.cab" EmbedCab="yes" />
    <Feature Id="All" Level="1"><ComponentRef Id="One" /></Feature>
  </Product>
</Wix>
"""


@dataclass
class Publisher:
    """Where key and certificate lie, and the digest that a record pins."""

    key: Path
    certificate: Path
    leaf_sha256: str

    def sign_installer(self, directory: Path) -> bytes:
        (directory / "acme.txt").write_text("acme")
        (directory / "acme.wxs").write_text(_WIX)
        subprocess.run(["wixl", "-o", "plain.msi", "acme.wxs"], cwd=directory, check=True, capture_output=True)
        command = ["osslsigncode", "sign", "-certs", str(self.certificate), "-key", str(self.key), "-h", "sha256"]
        command += ["-in", "plain.msi", "-out", "signed.msi"]
        subprocess.run(command, cwd=directory, check=True, capture_output=True)
        return (directory / "signed.msi").read_bytes()


def code_signer(directory: Path) -> Publisher:
    """Make a self-signed certificate for signing code."""
    key = rsa.generate_private_key(65537, 2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Acme")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=30))
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CODE_SIGNING]), critical=False)
        .sign(key, hashes.SHA256())
    )
    key_file, certificate_file = directory / "publisher.key", directory / "publisher.pem"
    key_file.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    certificate_file.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    leaf = sha256(certificate.public_bytes(serialization.Encoding.DER)).hexdigest()
    return Publisher(key_file, certificate_file, leaf)
