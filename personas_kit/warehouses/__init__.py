"""The warehouses that the kit reads: one small module each, all answering alike (``base.Warehouse``)."""
