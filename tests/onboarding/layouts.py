"""Three companies whose warehouses differ, as statements that make them; each has the same people who do the same.

Ann and Bo bought within a month before 2026-03-01, Cy half a year earlier; of Bo only a device is known at first. Ann
and Cy work at Acme, Bo at Acme and at Bolt.
"""

from __future__ import annotations

SEGMENT = """
CREATE TABLE users (id TEXT, email TEXT, plan TEXT, received_at TIMESTAMP, uuid_ts TIMESTAMP);
INSERT INTO users VALUES ('u1', 'ann@example.com', 'pro', '2026-02-01', '2026-02-01'),
  ('u2', 'bo@example.com', 'free', '2026-02-01', '2026-02-01'), ('u3', 'cy@example.com', NULL, '2026-02-01', NULL);
CREATE TABLE identifies (id TEXT, user_id TEXT, anonymous_id TEXT, email TEXT, timestamp TIMESTAMP);
INSERT INTO identifies VALUES ('i1', 'u1', 'x1', NULL, '2025-01-01'), ('i2', 'u2', 'x2', NULL, '2026-02-10');
CREATE TABLE accounts (id TEXT, name TEXT, employees INTEGER);
INSERT INTO accounts VALUES ('a1', 'Acme', 100), ('a2', 'Bolt', 5);
CREATE TABLE groups (id TEXT, user_id TEXT, group_id TEXT, anonymous_id TEXT, timestamp TIMESTAMP);
INSERT INTO groups VALUES ('g1', 'u1', 'a1', NULL, '2025-01-01'), ('g2', 'u2', 'a1', NULL, '2025-01-01'),
  ('g3', 'u2', 'a2', NULL, '2025-01-01'), ('g4', 'u3', 'a1', NULL, '2025-01-01'),
  ('g5', 'u1', 'a1', NULL, '2025-02-01');
CREATE TABLE tracks (id TEXT, event TEXT, event_text TEXT, user_id TEXT, anonymous_id TEXT, context_page TEXT,
  timestamp TIMESTAMP, received_at TIMESTAMP);
INSERT INTO tracks VALUES
  ('e1', 'order_completed', 'Order Completed', 'u1', 'x1', '/', '2026-02-20', '2026-02-20'),
  ('e2', 'order_completed', 'Order Completed', NULL, 'x2', '/', '2026-02-21', '2026-02-21'),
  ('e3', 'order_completed', 'Order Completed', 'u3', 'x3', '/', '2025-09-01', '2025-09-01'),
  ('e4', 'signed_in', 'Signed In', 'u1', 'x1', '/', '2026-02-20', '2026-02-20'),
  ('e5', 'never_synced', 'Never Synced', 'u1', 'x1', '/', '2026-02-20', '2026-02-20');
CREATE TABLE order_completed (id TEXT, event TEXT, event_text TEXT, user_id TEXT, anonymous_id TEXT,
  timestamp TIMESTAMP, revenue DECIMAL(10, 2), coupon TEXT);
INSERT INTO order_completed VALUES ('e1', 'order_completed', 'Order Completed', 'u1', 'x1', '2026-02-20', 10, 'A'),
  ('e2', 'order_completed', 'Order Completed', NULL, 'x2', '2026-02-21', 20, NULL),
  ('e3', 'order_completed', 'Order Completed', 'u3', 'x3', '2025-09-01', 30, NULL);
CREATE TABLE signed_in (id TEXT, event TEXT, event_text TEXT, user_id TEXT, anonymous_id TEXT, timestamp TIMESTAMP);
INSERT INTO signed_in VALUES ('e4', 'signed_in', 'Signed In', 'u1', 'x1', '2026-02-20');
CREATE TABLE pages (id TEXT, user_id TEXT, anonymous_id TEXT, timestamp TIMESTAMP);
"""

RUDDERSTACK = """
CREATE TABLE users (id TEXT, email TEXT, plan TEXT, received_at TIMESTAMP, uuid_ts TIMESTAMP);
INSERT INTO users VALUES ('u1', 'ann@example.com', 'pro', '2026-02-01', '2026-02-01'),
  ('u2', 'bo@example.com', 'free', '2026-02-01', '2026-02-01'), ('u3', 'cy@example.com', NULL, '2026-02-01', NULL);
CREATE TABLE identifies (id TEXT, user_id TEXT, anonymous_id TEXT, email TEXT, timestamp TIMESTAMP, channel TEXT);
INSERT INTO identifies VALUES ('i1', 'u1', 'x1', NULL, '2025-01-01', 'web'),
  ('i2', 'u2', 'x2', NULL, '2026-02-10', 'web');
CREATE TABLE groups (id TEXT, user_id TEXT, group_id TEXT, name TEXT, employees INTEGER, timestamp TIMESTAMP);
INSERT INTO groups VALUES ('g1', 'u1', 'a1', 'Acme', 90, '2025-01-01'), ('g2', 'u2', 'a1', 'Acme', 100, '2025-01-03'),
  ('g3', 'u2', 'a2', 'Bolt', 5, '2025-01-01'), ('g4', 'u3', 'a1', 'Acme', 95, '2025-01-02');
CREATE TABLE tracks (id TEXT, event TEXT, event_text TEXT, user_id TEXT, anonymous_id TEXT, channel TEXT,
  properties JSON, timestamp TIMESTAMP, original_timestamp TIMESTAMP);
INSERT INTO tracks VALUES
  ('e1', 'order_completed', 'Order Completed', 'u1', 'x1', 'web', '{"revenue": 10, "coupon": "A"}', '2026-02-20', NULL),
  ('e2', 'order_completed', 'Order Completed', NULL, 'x2', 'web', '{"revenue": 20, "coupon": null}', '2026-02-21',
    NULL),
  ('e3', 'order_completed', 'Order Completed', 'u3', 'x3', 'web', '{"revenue": 30}', '2025-09-01', NULL),
  ('e4', 'signed_in', 'Signed In', 'u1', 'x1', 'web', '{}', '2026-02-20', NULL);
CREATE TABLE rudder_discards (column_name TEXT, column_value TEXT);
"""

HOME_GROWN = """
CREATE TABLE dim_customers ("customerId" BIGINT, mail TEXT, plan TEXT, created TIMESTAMPTZ, "orgId" BIGINT);
INSERT INTO dim_customers VALUES (1, 'ann@example.com', 'pro', '2025-01-01 00:00:00+01:00', 10),
  (2, 'bo@example.com', 'free', '2025-01-01 00:00:00+01:00', 20), (3, 'cy@example.com', NULL, NULL, 10);
CREATE TABLE organisations (id BIGINT, title TEXT, size INTEGER);
INSERT INTO organisations VALUES (10, 'Acme', 100), (20, 'Bolt', 5);
CREATE TABLE org_members (customer_id BIGINT, organisation_id BIGINT, start_date DATE, end_date DATE);
INSERT INTO org_members VALUES (1, 10, '2025-01-01', NULL), (2, 10, '2025-01-01', NULL), (2, 20, '2025-01-01', NULL),
  (3, 10, '2025-01-01', NULL);
CREATE TABLE devices (device_id TEXT, customer_id BIGINT, linked_at TIMESTAMPTZ);
INSERT INTO devices VALUES ('x1', 1, '2025-01-01 00:00:00+00:00'), ('x2', 2, '2026-02-10 00:00:00+00:00');
CREATE TABLE activity_log (uuid TEXT, action TEXT, occurred_at TIMESTAMPTZ, customer_id BIGINT, device_id TEXT,
  org_id BIGINT, payload JSON);
INSERT INTO activity_log VALUES
  ('e1', 'Order Completed', '2026-02-20 01:00:00+01:00', 1, 'x1', 10, '{"revenue": 10, "coupon": "A"}'),
  ('e2', 'Order Completed', '2026-02-21 01:00:00+01:00', NULL, 'x2', 20, '{"revenue": 20}'),
  ('e3', 'Order Completed', '2025-09-01 01:00:00+01:00', 3, 'x3', 10, '{"revenue": 30}'),
  ('e4', 'Signed In', '2026-02-20 01:00:00+01:00', 1, 'x1', 10, '{}');
"""


def statements(script: str) -> list[str]:
    """The statements of a script."""
    return [part.strip() for part in script.split(";\n") if part.strip().rstrip(";")]
