WITH moment AS (
  SELECT
    CAST('2026-03-31 12:00:00' AS TIMESTAMPNTZ) AS as_of
), events_read AS (
  SELECT
    t.EVENT,
    t.USER_ID,
    t.TIMESTAMP,
    t.PROPERTIES
  FROM EVENTS AS t
  WHERE
    t.EVENT IN ('Order Completed', 'Order Returned')
    AND t.TIMESTAMP <= (SELECT as_of FROM moment)
), users_now AS (
  SELECT
    t.USER_ID AS user_id
  FROM USERS AS t
  WHERE
    t.USER_ID IS NOT NULL
), sum_after_1 AS (
  SELECT
    p.user_id AS user_id,
    p.happened_at AS happened_at,
    p.parent_1 AS parent_1,
    SUM(TRY_TO_DOUBLE(TO_VARCHAR(GET(e.PROPERTIES, 'amount')))) AS value
  FROM (
    SELECT DISTINCT
      e.USER_ID AS user_id,
      e.TIMESTAMP AS happened_at,
      TO_VARCHAR(GET(e.PROPERTIES, 'sku')) AS parent_1
    FROM events_read AS e
    WHERE
      e.EVENT = 'Order Completed'
      AND e.TIMESTAMP <= (SELECT as_of FROM moment)
      AND e.USER_ID IS NOT NULL
  ) AS p
  JOIN events_read AS e
    ON e.USER_ID = p.user_id
    AND e.TIMESTAMP > p.happened_at
    AND e.TIMESTAMP <= DATEADD(DAY, 5, p.happened_at)
    AND e.TIMESTAMP > DATEADD(DAY, 1, p.happened_at)
  WHERE
    e.EVENT = 'Order Returned'
    AND e.TIMESTAMP <= (SELECT as_of FROM moment)
    AND COALESCE(TO_VARCHAR(GET(e.PROPERTIES, 'sku')) = p.parent_1, FALSE)
  GROUP BY
    p.user_id,
    p.happened_at,
    p.parent_1
), count_1 AS (
  SELECT
    e.USER_ID AS user_id,
    COUNT(*) AS value
  FROM events_read AS e
  LEFT JOIN sum_after_1
    ON sum_after_1.user_id = e.USER_ID
    AND sum_after_1.happened_at = e.TIMESTAMP
    AND sum_after_1.parent_1 IS NOT DISTINCT FROM TO_VARCHAR(GET(e.PROPERTIES, 'sku'))
  WHERE
    e.EVENT = 'Order Completed'
    AND e.TIMESTAMP <= (SELECT as_of FROM moment)
    AND (
      COALESCE(sum_after_1.value, 0) > 10
      AND e.TIMESTAMP <= DATEADD(DAY, -5, (SELECT as_of FROM moment))
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
  COALESCE(count_1.value, 0) > 0

-- executed:

WITH events_read AS (
  SELECT
    t.EVENT,
    t.USER_ID,
    t.TIMESTAMP,
    t.PROPERTIES
  FROM EVENTS AS t
  WHERE
    t.EVENT IN (?, ?) AND t.TIMESTAMP <= CAST(? AS TIMESTAMPNTZ)
), users_now AS (
  SELECT
    t.USER_ID AS user_id
  FROM USERS AS t
  WHERE
    t.USER_ID IS NOT NULL
), sum_after_1 AS (
  SELECT
    p.user_id AS user_id,
    p.happened_at AS happened_at,
    p.parent_1 AS parent_1,
    SUM(TRY_TO_DOUBLE(TO_VARCHAR(GET(e.PROPERTIES, 'amount')))) AS value
  FROM (
    SELECT DISTINCT
      e.USER_ID AS user_id,
      e.TIMESTAMP AS happened_at,
      TO_VARCHAR(GET(e.PROPERTIES, 'sku')) AS parent_1
    FROM events_read AS e
    WHERE
      e.EVENT = ?
      AND e.TIMESTAMP <= CAST(? AS TIMESTAMPNTZ)
      AND e.USER_ID IS NOT NULL
  ) AS p
  JOIN events_read AS e
    ON e.USER_ID = p.user_id
    AND e.TIMESTAMP > p.happened_at
    AND e.TIMESTAMP <= DATEADD(DAY, 5, p.happened_at)
    AND e.TIMESTAMP > DATEADD(DAY, 1, p.happened_at)
  WHERE
    e.EVENT = ?
    AND e.TIMESTAMP <= CAST(? AS TIMESTAMPNTZ)
    AND COALESCE(TO_VARCHAR(GET(e.PROPERTIES, 'sku')) = p.parent_1, FALSE)
  GROUP BY
    p.user_id,
    p.happened_at,
    p.parent_1
), count_1 AS (
  SELECT
    e.USER_ID AS user_id,
    COUNT(*) AS value
  FROM events_read AS e
  LEFT JOIN sum_after_1
    ON sum_after_1.user_id = e.USER_ID
    AND sum_after_1.happened_at = e.TIMESTAMP
    AND sum_after_1.parent_1 IS NOT DISTINCT FROM TO_VARCHAR(GET(e.PROPERTIES, 'sku'))
  WHERE
    e.EVENT = ?
    AND e.TIMESTAMP <= CAST(? AS TIMESTAMPNTZ)
    AND (
      COALESCE(sum_after_1.value, 0) > ?
      AND e.TIMESTAMP <= CAST(? AS TIMESTAMPNTZ)
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
  COALESCE(count_1.value, 0) > ?

-- with:
-- ['Order Completed', 'Order Returned', '2026-03-31 12:00:00', 'Order Completed', '2026-03-31 12:00:00', 'Order Returned', '2026-03-31 12:00:00', 'Order Completed', '2026-03-31 12:00:00', 10, '2026-03-26 12:00:00', 0]
