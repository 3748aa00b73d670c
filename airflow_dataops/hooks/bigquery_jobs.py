"""BigQuery's jobs, which go on by themselves when nobody waits for them."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from google.cloud.bigquery import LoadJob, QueryJob


def wait(job: LoadJob | QueryJob) -> None:
    """Wait until a job has ended; cancel it if a signal or a timeout ends the waiting.

    Raises:
        GoogleAPICallError: the job failed.
    """
    try:
        job.result()
    except Exception:  # what the job or the network said: nobody asked it to stop
        raise
    except BaseException:  # a timeout or a signal: the job would go on without us
        job.cancel()
        raise
