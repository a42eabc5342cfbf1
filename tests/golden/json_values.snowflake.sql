WITH moment AS (
  SELECT
    CAST('2026-03-31 12:00:00' AS TIMESTAMPNTZ) AS as_of
), users_now AS (
  SELECT
    t.USER_ID AS user_id
  FROM USERS AS t
  WHERE
    t.USER_ID IS NOT NULL
), unique_1 AS (
  SELECT
    d.user_id,
    ARRAY_AGG(d.value) WITHIN GROUP (ORDER BY
      d.value) AS value
  FROM (
    SELECT DISTINCT
      e.USER_ID AS user_id,
      TO_VARCHAR(GET(e.PROPERTIES, 'sku')) AS value
    FROM EVENTS AS e
    WHERE
      e.EVENT = 'Order Completed'
      AND e.TIMESTAMP <= (SELECT as_of FROM moment)
      AND TO_VARCHAR(GET(e.PROPERTIES, 'sku')) IS NOT NULL
  ) AS d
  GROUP BY
    d.user_id
)
SELECT DISTINCT
  users_now.user_id,
  unique_1.value AS value
FROM users_now
LEFT JOIN unique_1
  ON unique_1.user_id = users_now.user_id
WHERE
  unique_1.value IS NOT NULL

-- executed:

WITH users_now AS (
  SELECT
    t.USER_ID AS user_id
  FROM USERS AS t
  WHERE
    t.USER_ID IS NOT NULL
), unique_1 AS (
  SELECT
    d.user_id,
    ARRAY_AGG(d.value) WITHIN GROUP (ORDER BY
      d.value) AS value
  FROM (
    SELECT DISTINCT
      e.USER_ID AS user_id,
      TO_VARCHAR(GET(e.PROPERTIES, 'sku')) AS value
    FROM EVENTS AS e
    WHERE
      e.EVENT = ?
      AND e.TIMESTAMP <= CAST(? AS TIMESTAMPNTZ)
      AND TO_VARCHAR(GET(e.PROPERTIES, 'sku')) IS NOT NULL
  ) AS d
  GROUP BY
    d.user_id
)
SELECT DISTINCT
  users_now.user_id,
  unique_1.value AS value
FROM users_now
LEFT JOIN unique_1
  ON unique_1.user_id = users_now.user_id
WHERE
  unique_1.value IS NOT NULL

-- with:
-- ['Order Completed', '2026-03-31 12:00:00']
