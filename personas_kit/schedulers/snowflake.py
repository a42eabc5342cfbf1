"""A task of Snowflake that runs a container beside the data: a job of Snowpark Container Services.

Of the ways there are this one runs ``personas run`` as it is, with its exit code. A notebook of Snowflake's has an
environment of its own and ends without a code; a stored procedure has neither a folder nor time-outs of its own.

What is odd:

- A task that runs a job has no warehouse, and waits for it: the job may not be asynchronous.
  (https://docs.snowflake.com/en/developer-guide/snowpark-container-services/jobs-as-tasks, read 2026-11-27)
- The parameters of a job have an order, and its name may be left out: else the second run would find the first.
  (https://docs.snowflake.com/en/sql-reference/sql/execute-job-service, read 2026-11-27)
- Whose task it is has to have EXECUTE TASK ("privilege must be granted to owner role", says Snowflake), and EXECUTE
  MANAGED TASK, as no warehouse is named.
- After ten failures a task suspends itself, and it ends after an hour: neither is wanted.
  (https://docs.snowflake.com/en/sql-reference/sql/create-task, read 2026-11-27)
- Inside, Snowflake says its host, and leaves a token in a file.
  (https://docs.snowflake.com/en/developer-guide/snowpark-container-services/spcs-execute-sql, read 2026-11-27)
- Secrets become variables of the container.
  (https://docs.snowflake.com/en/developer-guide/snowpark-container-services/specification-reference, read 2026-11-27)

No account was contacted: the specification is read as YAML and what the container runs is run by the tests; Snowflake
itself has seen none of it.
"""

from __future__ import annotations

from personas_kit.schedulers.job import Job
from personas_kit.schedulers.ticks import ticks_of
from personas_kit.schedulers.words import AGAIN, commented, keeps_nothing, reasons

HOURS = 4
"""A first push of everybody may take so long."""
RUN = "personas run --approve guards"


def task(job: Job) -> str:
    """The statements, to be run by the role that shall own the task."""
    ticks = ticks_of(job.needs)
    notes = [
        *keeps_nothing(job, "a container of Snowflake"),
        *_not_snowflake(job),
        "To run in a worksheet, in the schema that shall hold the task, by a role that may EXECUTE TASK and EXECUTE",
        "MANAGED TASK in the account, and CREATE TASK and CREATE SERVICE in that schema.",
        *reasons(job, ticks),
        "The log: SYSTEM$GET_SERVICE_LOGS, or the event table. Failed runs: INFORMATION_SCHEMA.TASK_HISTORY.",
        "What has to be there first, under these names or others, in the schema public of a database personas:",
        "  personas_pool          a compute pool; CPU_X64_XS is enough to begin with",
        f"  personas_images        an image repository, with an image of {job.package}",
        f"                         whose folder to work in holds {job.file.rpartition('/')[2]}",
        "  personas               a warehouse, for what the container asks",
        f"  personas_destinations  an external access integration, to the hosts of {_destinations(job)}",
        *(f"  {name.lower():<22} a secret: TYPE = GENERIC_STRING" for name in job.variables),
    ]
    return f"""\
{commented(notes, "--")}CREATE OR REPLACE TASK personas_run
  SCHEDULE = 'USING CRON {ticks.cron} {ticks.zone}'
  USER_TASK_TIMEOUT_MS = {HOURS * 3_600_000}
  SUSPEND_TASK_AFTER_NUM_FAILURES = 0
AS
  EXECUTE JOB SERVICE
    IN COMPUTE POOL personas_pool
    FROM SPECIFICATION $$
{_specification(job)}$$
    QUERY_WAREHOUSE = personas
    EXTERNAL_ACCESS_INTEGRATIONS = (personas_destinations);
ALTER TASK personas_run RESUME;
"""


def _not_snowflake(job: Job) -> list[str]:
    if not job.warehouse or job.warehouse == "snowflake":
        return []
    return [f"*** THIS WILL NOT WORK YET: the warehouse is {job.warehouse}; how it is reached has to be in the image"]


def _destinations(job: Job) -> str:
    return ", ".join(dict.fromkeys(need.destination for need in job.needs))


def _specification(job: Job) -> str:
    return f"""\
    spec:
      containers:
      - name: personas
        image: /personas/public/personas_images/personas:{job.version}
        command: ["sh", "-c"]
        args:
        - |
{_connection(job)}          {AGAIN.format(run=RUN)}
          exit $code
{_secrets(job)}"""


def _secrets(job: Job) -> str:
    """Which secret becomes which variable: names alone."""
    each = """\
        - snowflakeSecret:
            objectName: personas.public.{secret}
          secretKeyRef: secret_string
          envVarName: {name}
"""
    listed = "".join(each.format(secret=name.lower(), name=name) for name in job.variables)
    return f"        secrets:\n{listed}" if listed else ""


def _connection(job: Job) -> str:
    """The connection that ``personas.toml`` names, made of what Snowflake says inside a container."""
    if job.warehouse != "snowflake":
        return ""
    lines = (
        "export SNOWFLAKE_HOME=/tmp/snowflake; mkdir -p $SNOWFLAKE_HOME; umask 077",
        "cat > $SNOWFLAKE_HOME/connections.toml <<END",
        f"[{job.connection}]",
        'host = "$SNOWFLAKE_HOST"',
        'account = "$SNOWFLAKE_ACCOUNT"',
        'authenticator = "oauth"',
        'token_file_path = "/snowflake/session/token"',
        "END",
    )
    return "".join(f"          {line}\n" for line in lines)
