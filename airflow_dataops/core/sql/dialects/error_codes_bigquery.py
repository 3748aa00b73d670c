"""BigQuery: told by the reason of the error, then by the HTTP status' class.

https://cloud.google.com/bigquery/docs/error-messages
"""

from __future__ import annotations

import re

from airflow_dataops.core.sql.dialects.error_codes import ErrorCodes, ErrorKind

BIGQUERY = ErrorCodes(
    title="BigQuery",
    modules=("google",),
    texts=(
        (
            re.compile(
                r"due to concurrent (?:update|write)|concurrent transaction"
                r"|too many (?:table update|DML) (?:operations|statements)",
                re.I,
            ),
            ErrorKind.CONFLICT,
        ),
        (re.compile(r"already exists", re.I), ErrorKind.EXISTS),
        (
            re.compile(
                r"session.*(?:not found|not exist|expired|terminated|aborted)"
                r"|invalid input session id",
                re.I,
            ),
            ErrorKind.LOST,
        ),
        (re.compile(r"rate ?limit|quota ?exceeded", re.I), ErrorKind.BUSY),
        (
            re.compile(
                r"division by zero|bad (?:int64|double|numeric|bool)|could not (?:cast|parse)"
                r"|out of range|overflow",
                re.I,
            ),
            ErrorKind.DATA,
        ),
        (
            re.compile(
                r"(?:dataset|table|project|model|routine|function) .*not found|not found: "
                r"|unrecognized name",
                re.I,
            ),
            ErrorKind.MISSING,
        ),
    ),
    reasons={
        "accessDenied": ErrorKind.DENIED,
        "backendError": ErrorKind.BUSY,
        "badRequest": ErrorKind.SYNTAX,
        "billingNotEnabled": ErrorKind.DENIED,
        "billingTierLimitExceeded": ErrorKind.UNSUPPORTED,
        "blocked": ErrorKind.DENIED,
        "bytesBilledLimitExceeded": ErrorKind.UNSUPPORTED,
        "duplicate": ErrorKind.EXISTS,
        "internalError": ErrorKind.BUSY,
        "invalid": ErrorKind.DATA,
        "invalidQuery": ErrorKind.SYNTAX,
        "invalidUser": ErrorKind.DENIED,
        "jobBackendError": ErrorKind.BUSY,
        "jobInternalError": ErrorKind.BUSY,
        "jobRateLimitExceeded": ErrorKind.BUSY,
        "notFound": ErrorKind.MISSING,
        "notImplemented": ErrorKind.UNSUPPORTED,
        "proxyAuthenticationRequired": ErrorKind.DENIED,
        "quotaExceeded": ErrorKind.BUSY,
        "rateLimitExceeded": ErrorKind.BUSY,
        "resourceInUse": ErrorKind.LOCKED,
        "responseTooLarge": ErrorKind.UNSUPPORTED,
        "stopped": ErrorKind.CANCELLED,
        "tableUnavailable": ErrorKind.BUSY,
        "timeout": ErrorKind.BUSY,
    },
    names={
        "NotFound": ErrorKind.MISSING,
        "Unauthorized": ErrorKind.DENIED,
        "Forbidden": ErrorKind.DENIED,
        "TooManyRequests": ErrorKind.BUSY,
        "ResourceExhausted": ErrorKind.BUSY,
        "Conflict": ErrorKind.EXISTS,
        "Cancelled": ErrorKind.CANCELLED,
        "BadRequest": ErrorKind.SYNTAX,
        "MethodNotImplemented": ErrorKind.UNSUPPORTED,
        "ServerError": ErrorKind.BUSY,
        "RetryError": ErrorKind.LOST,
        "TransportError": ErrorKind.LOST,
        "DefaultCredentialsError": ErrorKind.DENIED,
        "MutualTLSChannelError": ErrorKind.DENIED,
    },
)
