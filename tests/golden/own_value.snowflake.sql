WITH moment AS (
  SELECT
    CAST('2026-03-31 12:00:00' AS TIMESTAMPNTZ) AS as_of
), users_now AS (
  SELECT
    t.USER_ID AS user_id
  FROM USERS AS t
  WHERE
    t.USER_ID IS NOT NULL
), sql_1 AS (
  SELECT DISTINCT
    o.user_id,
    o.value
  FROM (
    SELECT
      user_id,
      COUNT(*) AS value
    FROM EVENTS AS events
    WHERE
      timestamp < (SELECT as_of FROM moment)
    GROUP BY
      user_id
  ) AS o
  WHERE
    o.user_id IS NOT NULL
)
SELECT DISTINCT
  users_now.user_id,
  sql_1.value AS value
FROM users_now
LEFT JOIN sql_1
  ON sql_1.user_id = users_now.user_id
WHERE
  sql_1.value IS NOT NULL

-- executed:

WITH users_now AS (
  SELECT
    t.USER_ID AS user_id
  FROM USERS AS t
  WHERE
    t.USER_ID IS NOT NULL
), sql_1 AS (
  SELECT DISTINCT
    o.user_id,
    o.value
  FROM (
    SELECT
      user_id,
      COUNT(*) AS value
    FROM EVENTS AS events
    WHERE
      timestamp < CAST(? AS TIMESTAMPNTZ)
    GROUP BY
      user_id
  ) AS o
  WHERE
    o.user_id IS NOT NULL
)
SELECT DISTINCT
  users_now.user_id,
  sql_1.value AS value
FROM users_now
LEFT JOIN sql_1
  ON sql_1.user_id = users_now.user_id
WHERE
  sql_1.value IS NOT NULL

-- with:
-- ['2026-03-31 12:00:00']
