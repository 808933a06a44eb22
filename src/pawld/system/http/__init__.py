"""HTTP for every adapter that needs it; nothing else in pawld opens an outbound connection of its own."""

from pawld.system.http.answers import Answer, Headers, Reply
from pawld.system.http.body import Body
from pawld.system.http.client import Web
from pawld.system.http.dates import http_date
from pawld.system.http.faults import network_errors
from pawld.system.http.offline import OfflineWeb
from pawld.system.http.retry import retry_after
from pawld.system.http.urls import checked_url, shown

__all__ = [
    "Answer",
    "Body",
    "Headers",
    "OfflineWeb",
    "Reply",
    "Web",
    "checked_url",
    "http_date",
    "network_errors",
    "retry_after",
    "shown",
]
