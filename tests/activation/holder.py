"""Holds a sync so many times, one process of several; says so and fails if somebody else holds it as well."""

import os
import sys
import time

from personas_kit.activation.store import WarehouseStore
from personas_kit.errors import SyncBusy
from personas_kit.warehouses.postgres import Postgres
from tests.activation.test_store import BUYERS

if __name__ == "__main__":
    schema, inside, rounds = sys.argv[1:]
    warehouse = Postgres("shop")
    store = WarehouseStore(warehouse, schema)
    held = 0
    while held < int(rounds):
        try:
            with store.lock(BUYERS):
                os.close(os.open(inside, os.O_CREAT | os.O_EXCL))  # fails if the file is there
                time.sleep(0.002)
                os.unlink(inside)  # noqa: PTH108  (beside its counterpart)
                held += 1
        except SyncBusy:
            time.sleep(0.001)
    warehouse.close()
