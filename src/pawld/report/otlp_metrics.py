"""The metrics as OpenTelemetry's. The only importer of the SDK's metrics; imported when it is needed."""

from collections.abc import Sequence
from datetime import datetime

from opentelemetry.exporter.otlp.proto.common.metrics_encoder import encode_metrics
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceResponse
from opentelemetry.sdk.metrics.export import (
    AggregationTemporality,
    Gauge,
    Metric,
    MetricsData,
    NumberDataPoint,
    ResourceMetrics,
    ScopeMetrics,
    Sum,
)

from pawld.report.metrics import Family
from pawld.report.otlp_records import SCOPE, kept_in_part, nanoseconds, resource_of

_UNKNOWN = 0  # when a counter began: it outlives every process


def encoded(families: Sequence[Family], now: datetime, host_id: str) -> bytes:
    """Return the request that exports *families* as they stand at *now*, under the names that Prometheus gives them."""
    metrics = [Metric(one.name, one.told, "1", _data(one, nanoseconds(now))) for one in families]
    scope = ScopeMetrics(SCOPE, metrics, "")
    request = encode_metrics(MetricsData([ResourceMetrics(resource_of(host_id), [scope], "")]))
    return bytes(request.SerializeToString())


def rejected(answer: bytes) -> tuple[int, str]:
    """Return how many points the collector rejected, and why; ``ValueError`` for what is no answer to an export."""
    partial = kept_in_part(ExportMetricsServiceResponse, answer)
    return partial.rejected_data_points, partial.error_message


def _data(family: Family, at: int) -> Gauge | Sum:
    points = [NumberDataPoint(dict(labels), _UNKNOWN, at, value) for labels, value in family.samples]
    if family.kind == "gauge":
        return Gauge(points)
    return Sum(points, AggregationTemporality.CUMULATIVE, is_monotonic=True)
