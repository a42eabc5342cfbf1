WITH moment AS (
  SELECT
    CAST('2026-03-31 12:00:00' AS TIMESTAMPNTZ) AS as_of
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
  FROM EVENTS AS e
  WHERE
    e.EVENT = 'Order Completed'
    AND e.TIMESTAMP <= (SELECT as_of FROM moment)
    AND COALESCE(
      ARRAY_CONTAINS(TO_VARIANT('a'), CAST(AS_ARRAY(GET(e.PROPERTIES, 'tags')) AS ARRAY))
      OR ARRAY_CONTAINS(TO_VARIANT('b'), CAST(AS_ARRAY(GET(e.PROPERTIES, 'tags')) AS ARRAY)),
      FALSE
    )
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
  FROM EVENTS AS e
  WHERE
    e.EVENT = ?
    AND e.TIMESTAMP <= CAST(? AS TIMESTAMPNTZ)
    AND COALESCE(
      ARRAY_CONTAINS(TO_VARIANT(?), CAST(AS_ARRAY(GET(e.PROPERTIES, 'tags')) AS ARRAY))
      OR ARRAY_CONTAINS(TO_VARIANT(?), CAST(AS_ARRAY(GET(e.PROPERTIES, 'tags')) AS ARRAY)),
      FALSE
    )
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
-- ['Order Completed', '2026-03-31 12:00:00', 'a', 'b', 1]
