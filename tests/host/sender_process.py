"""A sender in a process of its own: `python sender_process.py LEDGER_URL`, until it is killed."""

from __future__ import annotations

import sys
from threading import Event

from airflow_dataops.adapters.ledger.store import LedgerStore
from airflow_dataops.adapters.outbox.sender import Sender
from airflow_dataops.core.alerts.config import AlertsConfig
from airflow_dataops.hooks.alerts import SystemClock
from airflow_dataops.hooks.receivers import open_receiver

if __name__ == "__main__":
    store = LedgerStore(sys.argv[1])
    sender = Sender(store.database, AlertsConfig(), open_receiver, SystemClock())
    sender.run(Event(), 0.1)
