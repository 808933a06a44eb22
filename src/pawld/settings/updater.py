"""``[updater]`` and ``[report]``: how pawld itself works on this host, and whom it tells."""

import sys
from datetime import timedelta
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, StrictBool, StrictInt

from pawld.settings.forms import AbsolutePath, Duration, Mirror, Proxy, Rate, Size, Url
from pawld.settings.places import state_directory
from pawld.settings.section import Credential, Section
from pawld.settings.units import is_loopback


def _loopback(listen: str) -> str:
    host, colon, port = listen.rpartition(":")
    if not colon or not port.isdigit() or not 0 < int(port) < 1 << 16 or not is_loopback(host.strip("[]")):
        raise ValueError('metrics are served on a loopback address alone, such as "127.0.0.1:9469"')
    return listen


class Updater(Section):
    """``[updater]``."""

    state_dir: AbsolutePath = Field(
        default_factory=lambda: state_directory(sys.platform),
        description="Journal, history, marks and trust metadata; default: the operating system's place.",
        examples=["/var/lib/pawld"],
    )
    check_every: Duration = Field(
        timedelta(hours=1), description="How often it looks; spread by this host's cohort, never in step with others."
    )
    max_staleness: Duration = Field(
        timedelta(days=3), description="After so long without a good refresh of trust the status turns to an alarm."
    )
    host_id: str | None = Field(
        None,
        pattern=r"^[A-Za-z0-9._:-]{1,128}$",
        description="What this host is called in rollouts, locks and campaigns; default: the machine's own id, hashed.",
    )
    mirrors: tuple[Mirror, ...] = Field(
        (),
        description="Tried first, in order: /sha256/HEX below each, or where one says {sha256}, or the source's own "
        "address through a proxy+http://HOST:PORT; never trusted.",
        examples=[["https://cache.site.example", "proxy+http://127.0.0.1:4001"]],
    )
    proxy: Proxy | None = Field(None, description="The proxy for everything but loopback.")
    user: str | None = Field(
        None,
        pattern=r"^[a-z_][a-z0-9_-]{0,31}$",
        description="Who reads what comes from the network, without privileges; default: pawld, if there is that user.",
    )
    unsafe_parse_as_root: StrictBool = Field(
        default=False, description="Read it in the process that installs, as root, though there is a user for it."
    )
    ca_file: AbsolutePath | None = Field(
        None, description="Certificates to trust beside the system's.", examples=["/etc/pawld/corporate-ca.pem"]
    )
    rate_limit: Rate | None = Field(None, description="The most that a download takes; default: no limit.")
    stall: Duration = Field(timedelta(seconds=30), description="A transfer that brings nothing for so long is cut.")
    download_deadline: Duration = Field(
        timedelta(hours=12), description="One download may take so long in all; the next goes on where it ended."
    )
    max_build: Size = Field(8 << 30, description="A larger build is refused, whatever its record says.")


class Report(Section):
    """``[report]``."""

    log_level: Literal["debug", "info", "warning", "error"] = Field("info", description="What is logged at least.")
    log_format: Literal["auto", "text", "json", "journal"] = Field(
        "auto", description="One line an event; auto: for journald under systemd, else text."
    )
    webhook_url: Url | None = Field(
        None,
        description="Every outcome is posted there as JSON; logs name it: a secret belongs into webhook_token.",
    )
    webhook_token: Credential | None = Field(None, description="a bearer token for the webhook.")
    otlp_url: Url | None = Field(
        None,
        description="Every outcome is posted below it by OpenTelemetry's OTLP/HTTP; needs pawld[otel].",
        examples=["https://collector.example.com:4318"],
    )
    otlp_headers: Credential | None = Field(
        None, description='headers for otlp_url: "Authorization=Bearer%20…,Name=value".'
    )
    otlp_metrics: StrictBool = Field(
        default=False, description="The metrics go to otlp_url too, after each cycle: for hosts that nobody can scrape."
    )
    metrics_file: AbsolutePath | None = Field(
        None,
        description="Prometheus metrics for the node exporter's textfile collector; default: none.",
        examples=["/var/lib/node_exporter/pawld.prom"],
    )
    metrics_listen: Annotated[str, AfterValidator(_loopback)] | None = Field(
        None, description="Prometheus metrics on a loopback address; default: none.", examples=["127.0.0.1:9469"]
    )
    spool: Size = Field(1 << 20, description="Reports that could not be sent wait on disk, up to this size a receiver.")
    history: StrictInt = Field(
        1000, ge=10, le=1_000_000, description="How many events the history keeps for each agent."
    )
