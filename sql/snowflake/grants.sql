-- The least that personas_kit needs in Snowflake: a role that reads what the definitions are about, and nothing else.
-- Replace ANALYTICS, SEGMENT and JANE by your own. Run it as ACCOUNTADMIN; or the warehouse and the schema as SYSADMIN, the
-- role, the user and the grants as SECURITYADMIN, which may make neither of the former.
-- https://docs.snowflake.com/en/user-guide/security-access-control-overview (read 2026-11-27)

CREATE ROLE IF NOT EXISTS PERSONAS_READER COMMENT = 'personas_kit: reads users, accounts and events';

-- A warehouse to run queries on. One of its own shows what audiences cost, and a resource monitor can cap it.
CREATE WAREHOUSE IF NOT EXISTS PERSONAS
  WAREHOUSE_SIZE = 'XSMALL' AUTO_SUSPEND = 60 AUTO_RESUME = TRUE INITIALLY_SUSPENDED = TRUE;
GRANT USAGE ON WAREHOUSE PERSONAS TO ROLE PERSONAS_READER;

-- The tables and views that [source] names. Name them one by one, or the whole schema as here.
GRANT USAGE ON DATABASE ANALYTICS TO ROLE PERSONAS_READER;
GRANT USAGE ON SCHEMA ANALYTICS.SEGMENT TO ROLE PERSONAS_READER;
GRANT SELECT ON ALL TABLES IN SCHEMA ANALYTICS.SEGMENT TO ROLE PERSONAS_READER;
GRANT SELECT ON ALL VIEWS IN SCHEMA ANALYTICS.SEGMENT TO ROLE PERSONAS_READER;
GRANT SELECT ON FUTURE TABLES IN SCHEMA ANALYTICS.SEGMENT TO ROLE PERSONAS_READER;
GRANT SELECT ON FUTURE VIEWS IN SCHEMA ANALYTICS.SEGMENT TO ROLE PERSONAS_READER;

-- Only for `personas check --live`, which writes one small table and drops it again: a schema of its own.
CREATE SCHEMA IF NOT EXISTS ANALYTICS.PERSONAS;
GRANT USAGE, CREATE TABLE, CREATE STAGE ON SCHEMA ANALYTICS.PERSONAS TO ROLE PERSONAS_READER;

-- Whoever runs the kit. A service user without a password for schedules:
CREATE USER IF NOT EXISTS PERSONAS_SERVICE
  TYPE = SERVICE DEFAULT_ROLE = PERSONAS_READER DEFAULT_WAREHOUSE = PERSONAS;
GRANT ROLE PERSONAS_READER TO USER PERSONAS_SERVICE;
GRANT ROLE PERSONAS_READER TO USER JANE;
