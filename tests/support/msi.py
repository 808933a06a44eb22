"""Windows Installer packages of a small agent, made by ``wixl``."""

import subprocess
from pathlib import Path

_WXS = """<?xml version="1.0"?>
<Wix xmlns="http://schemas.microsoft.com/wix/2006/wi">
<Product Id="*" Name="Acme Agent" Version="{version}" Manufacturer="Acme" Language="1033"
  UpgradeCode="6E0C0F2B-0B7B-4D0E-9C59-2F6B9C1D7A11">
<Package InstallerVersion="200" Compressed="yes" InstallScope="perMachine"/>
<MajorUpgrade DowngradeErrorMessage="A newer version is installed."/>
{condition}
<Media Id="1" Cabinet="a.cab" EmbedCab="yes"/>
<Directory Id="TARGETDIR" Name="SourceDir"><Directory Id="ProgramFiles64Folder">
  <Directory Id="INSTALLDIR" Name="AcmeAgent">
    <Component Id="Main" Guid="*" Win64="yes"><File Id="F" Source="acme.txt" KeyPath="yes"/></Component>
  </Directory></Directory></Directory>
<Feature Id="All" Level="1"><ComponentRef Id="Main"/></Feature>
</Product></Wix>
"""
_FAILING = '<Condition Message="This host is not good enough.">0</Condition>'


def make(place: Path, version: str, kind: str = "acme") -> Path:
    """Make one package below *place*; the *kind* ``failing`` refuses every host."""
    work = place / f"{kind}-{version}"
    work.mkdir()
    (work / "acme.txt").write_text(version)
    (work / "acme.wxs").write_text(_WXS.format(version=version, condition=_FAILING if kind == "failing" else ""))
    made = place / f"{work.name}.msi"
    # wixl finds files beside it alone.
    subprocess.run(["wixl", "-a", "x64", "-o", str(made), "acme.wxs"], cwd=work, check=True, capture_output=True)
    return made
