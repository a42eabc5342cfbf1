WITH moment AS (
  SELECT
    CAST('2026-03-31 12:00:00+00:00' AS TIMESTAMPTZ) AS as_of_tz
), users_now AS (
  SELECT
    t.USER_ID AS user_id
  FROM USERS AS t
  WHERE
    t.USER_ID IS NOT NULL
), count_1 AS (
  SELECT
    e.USER_ID AS user_id,
    COUNT(*) AS value
  FROM "Signed-Up" AS e
  WHERE
    e.TIMESTAMP > DATEADD(HOUR, -168, (SELECT as_of_tz FROM moment))
    AND e.TIMESTAMP <= (SELECT as_of_tz FROM moment)
  GROUP BY
    e.USER_ID
)
SELECT DISTINCT
  users_now.user_id
FROM users_now
LEFT JOIN count_1
  ON count_1.user_id = users_now.user_id
WHERE
  COALESCE(count_1.value, 0) >= 1

-- executed:

WITH users_now AS (
  SELECT
    t.USER_ID AS user_id
  FROM USERS AS t
  WHERE
    t.USER_ID IS NOT NULL
), count_1 AS (
  SELECT
    e.USER_ID AS user_id,
    COUNT(*) AS value
  FROM "Signed-Up" AS e
  WHERE
    e.TIMESTAMP > CAST(? AS TIMESTAMPTZ)
    AND e.TIMESTAMP <= CAST(? AS TIMESTAMPTZ)
  GROUP BY
    e.USER_ID
)
SELECT DISTINCT
  users_now.user_id
FROM users_now
LEFT JOIN count_1
  ON count_1.user_id = users_now.user_id
WHERE
  COALESCE(count_1.value, 0) >= ?

-- with:
-- ['2026-03-24 12:00:00+00:00', '2026-03-31 12:00:00+00:00', 1]
