-- The least that personas_kit needs in PostgreSQL: a role that reads what the definitions are about, and nothing else.
-- Replace shop and public by your own; run it as the owner of the tables.
-- https://www.postgresql.org/docs/current/ddl-priv.html (read 2026-11-23)

CREATE ROLE personas_reader LOGIN;
GRANT CONNECT ON DATABASE shop TO personas_reader;
GRANT USAGE ON SCHEMA public TO personas_reader;
GRANT SELECT ON ALL TABLES IN SCHEMA public TO personas_reader;
ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT ON TABLES TO personas_reader;

-- What the kit sets for its own sessions anyway, for everything else that logs in so:
ALTER ROLE personas_reader SET default_transaction_read_only = on;
