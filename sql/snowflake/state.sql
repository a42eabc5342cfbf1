-- Only for [state] store = "warehouse": where personas_kit keeps what the destinations acknowledged, for a whole team.
-- Replace ANALYTICS by your own; run it after grants.sql, as a role that may create schemas in the database.
-- https://docs.snowflake.com/en/user-guide/security-access-control-privileges (read 2026-11-23)

-- The kit makes its tables there, and temporary stages while it writes them. What it makes belongs to the role it runs
-- as, so everyone who pushes uses the same one: [warehouse] role = "PERSONAS_READER".
CREATE SCHEMA IF NOT EXISTS ANALYTICS.PERSONAS;
GRANT USAGE, CREATE TABLE, CREATE STAGE ON SCHEMA ANALYTICS.PERSONAS TO ROLE PERSONAS_READER;

-- For those who only look, such as a dashboard:
CREATE ROLE IF NOT EXISTS PERSONAS_AUDITOR COMMENT = 'personas_kit: reads what was acknowledged';
GRANT USAGE ON DATABASE ANALYTICS TO ROLE PERSONAS_AUDITOR;
GRANT USAGE ON SCHEMA ANALYTICS.PERSONAS TO ROLE PERSONAS_AUDITOR;
GRANT SELECT ON ALL TABLES IN SCHEMA ANALYTICS.PERSONAS TO ROLE PERSONAS_AUDITOR;
GRANT SELECT ON FUTURE TABLES IN SCHEMA ANALYTICS.PERSONAS TO ROLE PERSONAS_AUDITOR;
