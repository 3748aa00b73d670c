"""Amazon CloudWatch by PutMetricData, through boto3.

Limits are those of the API: 1,000 data of at most 30 dimensions and 150 values in one request of
1 MB (docs.aws.amazon.com/AmazonCloudWatch, "PutMetricData").
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from airflow_dataops.adapters.sinks.options import options_of, seconds_of
from airflow_dataops.errors import ConfigError, MissingExtraError

if TYPE_CHECKING:
    from airflow_dataops.core.metrics.batch import Batch, Series, Timing
    from airflow_dataops.core.metrics.settings import SinkSpec

NAMESPACE = "Airflow/DataOps"
MOST_DIMENSIONS = 30
_OPTIONS = ("region", "namespace", "endpoint", "timeout")


class CloudWatchSink:
    """Puts metric data. AWS bills each distinct set of dimensions as a metric: deny tags."""

    limit = 500

    def __init__(self, client: Any, namespace: str) -> None:
        self._client = client
        self._namespace = namespace

    def send(self, batch: Batch) -> None:
        """Send a batch.

        Raises:
            ConfigError: AWS refused the credentials or what they may do.
            botocore.exceptions.BotoCoreError: AWS was not reached.
        """
        from botocore.exceptions import ClientError, NoCredentialsError

        try:
            self._client.put_metric_data(Namespace=self._namespace, MetricData=_data(batch))
        except NoCredentialsError as error:
            raise ConfigError(
                "no AWS credentials were found. Give the task a role, or use a connection: "
                "conn:my_cloudwatch"
            ) from error
        except ClientError as error:
            raise ConfigError(f"AWS refused the metrics: {error}") from error


def open_sink(spec: SinkSpec) -> CloudWatchSink:
    """Open `cloudwatch://?region=...&namespace=...`; login and password are an access key."""
    options = options_of(spec, _OPTIONS)
    try:
        import boto3
        from botocore.config import Config
        from botocore.exceptions import NoRegionError
    except ModuleNotFoundError as error:
        raise MissingExtraError("sink cloudwatch", "cloudwatch") from error
    timeout = seconds_of(spec, 5)
    # No retries by botocore: a batch whose answer is lost would count twice without a word.
    config = Config(
        connect_timeout=timeout, read_timeout=timeout, retries={"total_max_attempts": 1}
    )
    try:
        client = boto3.client(
            "cloudwatch",
            region_name=options.get("region"),
            endpoint_url=options.get("endpoint"),
            aws_access_key_id=spec.login or None,
            aws_secret_access_key=spec.password or None,
            config=config,
        )
    except NoRegionError as error:
        raise ConfigError("no AWS region: write cloudwatch://?region=eu-central-1") from error
    return CloudWatchSink(client, options.get("namespace", NAMESPACE))


def _data(batch: Batch) -> list[dict[str, Any]]:
    return [
        *(_of(s) | {"Unit": "Count", "Value": value} for s, value in batch.counters.items()),
        *(_of(s) | {"Unit": "None", "Value": value} for s, value in batch.gauges.items()),
        *(_of(s) | {"Unit": "Seconds"} | _values(t) for s, t in batch.timings.items()),
    ]


def _of(series: Series) -> dict[str, Any]:
    dimensions = [{"Name": k, "Value": v} for k, v in series.tags[:MOST_DIMENSIONS]]
    return {"MetricName": series.name, "Dimensions": dimensions}


def _values(timing: Timing) -> dict[str, Any]:
    if timing.is_complete:
        counts = Counter(timing.values)
        return {"Values": list(counts), "Counts": [float(n) for n in counts.values()]}
    return {
        "StatisticValues": {
            "SampleCount": timing.count,
            "Sum": timing.total,
            "Minimum": timing.least,
            "Maximum": timing.greatest,
        }
    }
