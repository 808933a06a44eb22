"""The types of the settings' fields: what ``units`` reads, as pydantic and the JSON Schema know it."""

from datetime import timedelta
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field, PlainSerializer, StringConstraints, WithJsonSchema

from pawld.settings.units import (
    checked_command,
    checked_mirror,
    checked_path,
    checked_proxy,
    checked_template,
    checked_url,
    read_duration,
    read_rate,
    read_size,
    shown_duration,
    shown_rate,
    shown_size,
)

Duration = Annotated[
    timedelta,
    BeforeValidator(read_duration),
    PlainSerializer(shown_duration),
    WithJsonSchema({"type": "string", "pattern": r"^\d{1,9}(s|m|h|d)$", "examples": ["90s", "1h", "7d"]}),
]
Size = Annotated[
    int,
    BeforeValidator(read_size),
    PlainSerializer(shown_size),
    WithJsonSchema({"type": "string", "pattern": r"^\d{1,9}(B|KiB|MiB|GiB)$", "examples": ["512MiB"]}),
]
Rate = Annotated[
    int,
    BeforeValidator(read_rate),
    PlainSerializer(shown_rate),
    WithJsonSchema({"type": "string", "pattern": r"^\d{1,9}(B|KiB|MiB|GiB)/s$", "examples": ["2MiB/s"]}),
]
Url = Annotated[str, AfterValidator(checked_url), Field(examples=["https://updates.example.com/metadata"])]
UrlTemplate = Annotated[
    str, AfterValidator(checked_template), Field(examples=["https://downloads.example.com/agent/{version}/SHA256SUMS"])
]
Mirror = Annotated[
    str, AfterValidator(checked_mirror), Field(examples=["http://127.0.0.1:16000/namespace/agents/blobs/{sha256}"])
]
Proxy = Annotated[str, AfterValidator(checked_proxy), Field(examples=["http://proxy.example:3128"])]
Command = Annotated[
    tuple[str, ...], AfterValidator(checked_command), Field(examples=[["{current}/bin/acme", "--version"]])
]
AbsolutePath = Annotated[Path, AfterValidator(checked_path), Field(examples=["/etc/pawld/acme.token"])]
Word = Annotated[
    str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._+-]{0,127}$"), Field(examples=["stable", "acme-agent"])
]
Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$"), Field(examples=["9f86d081884c7d65…64 digits"])]
Host = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9.-]{1,253}$"), Field(examples=["objects.example.com"])]
