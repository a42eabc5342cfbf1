-- Only for [state] store = "warehouse": where personas_kit keeps what the destinations acknowledged, for a whole team.
-- Replace shop by your own; run it after grants.sql, as somebody who may create schemas in the database.
-- https://www.postgresql.org/docs/current/sql-createschema.html (read 2026-11-26)

-- A schema that belongs to the kit's role: it makes its tables there, and drops those that it no longer needs. Everyone
-- who pushes logs in as this role, or takes it on: [warehouse] role = "personas_reader". So each may change what the
-- others made. The kit's sessions for the state switch default_transaction_read_only off, and only those.
CREATE SCHEMA IF NOT EXISTS personas AUTHORIZATION personas_reader;

-- For those who only look, such as a dashboard:
CREATE ROLE personas_auditor LOGIN;
GRANT CONNECT ON DATABASE shop TO personas_auditor;
GRANT USAGE ON SCHEMA personas TO personas_auditor;
ALTER DEFAULT PRIVILEGES FOR ROLE personas_reader IN SCHEMA personas GRANT SELECT ON TABLES TO personas_auditor;
