WITH moment AS (
  SELECT
    CAST('2026-03-31 12:00:00' AS TIMESTAMPNTZ) AS as_of
), events_read AS (
  SELECT
    t.ID,
    t.EVENT,
    t.USER_ID,
    t.TIMESTAMP
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
), count_after_1 AS (
  SELECT
    p.user_id AS user_id,
    p.happened_at AS happened_at,
    COUNT(DISTINCT e.ID) AS value
  FROM (
    SELECT DISTINCT
      e.USER_ID AS user_id,
      e.TIMESTAMP AS happened_at
    FROM events_read AS e
    WHERE
      e.EVENT = 'Order Completed'
      AND e.TIMESTAMP > DATEADD(DAY, -90, (SELECT as_of FROM moment))
      AND e.TIMESTAMP <= (SELECT as_of FROM moment)
      AND e.USER_ID IS NOT NULL
  ) AS p
  JOIN events_read AS e
    ON e.USER_ID = p.user_id
    AND e.TIMESTAMP > p.happened_at
    AND e.TIMESTAMP <= DATEADD(DAY, 7, p.happened_at)
  WHERE
    e.EVENT = 'Order Returned' AND e.TIMESTAMP <= (SELECT as_of FROM moment)
  GROUP BY
    p.user_id,
    p.happened_at
), count_1 AS (
  SELECT
    e.USER_ID AS user_id,
    COUNT(DISTINCT e.ID) AS value
  FROM events_read AS e
  LEFT JOIN count_after_1
    ON count_after_1.user_id = e.USER_ID AND count_after_1.happened_at = e.TIMESTAMP
  WHERE
    e.EVENT = 'Order Completed'
    AND e.TIMESTAMP > DATEADD(DAY, -90, (SELECT as_of FROM moment))
    AND e.TIMESTAMP <= (SELECT as_of FROM moment)
    AND COALESCE(count_after_1.value, 0) >= 1
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

WITH events_read AS (
  SELECT
    t.ID,
    t.EVENT,
    t.USER_ID,
    t.TIMESTAMP
  FROM EVENTS AS t
  WHERE
    t.EVENT IN (?, ?) AND t.TIMESTAMP <= CAST(? AS TIMESTAMPNTZ)
), users_now AS (
  SELECT
    t.USER_ID AS user_id
  FROM USERS AS t
  WHERE
    t.USER_ID IS NOT NULL
), count_after_1 AS (
  SELECT
    p.user_id AS user_id,
    p.happened_at AS happened_at,
    COUNT(DISTINCT e.ID) AS value
  FROM (
    SELECT DISTINCT
      e.USER_ID AS user_id,
      e.TIMESTAMP AS happened_at
    FROM events_read AS e
    WHERE
      e.EVENT = ?
      AND e.TIMESTAMP > CAST(? AS TIMESTAMPNTZ)
      AND e.TIMESTAMP <= CAST(? AS TIMESTAMPNTZ)
      AND e.USER_ID IS NOT NULL
  ) AS p
  JOIN events_read AS e
    ON e.USER_ID = p.user_id
    AND e.TIMESTAMP > p.happened_at
    AND e.TIMESTAMP <= DATEADD(DAY, 7, p.happened_at)
  WHERE
    e.EVENT = ? AND e.TIMESTAMP <= CAST(? AS TIMESTAMPNTZ)
  GROUP BY
    p.user_id,
    p.happened_at
), count_1 AS (
  SELECT
    e.USER_ID AS user_id,
    COUNT(DISTINCT e.ID) AS value
  FROM events_read AS e
  LEFT JOIN count_after_1
    ON count_after_1.user_id = e.USER_ID AND count_after_1.happened_at = e.TIMESTAMP
  WHERE
    e.EVENT = ?
    AND e.TIMESTAMP > CAST(? AS TIMESTAMPNTZ)
    AND e.TIMESTAMP <= CAST(? AS TIMESTAMPNTZ)
    AND COALESCE(count_after_1.value, 0) >= ?
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
-- ['Order Completed', 'Order Returned', '2026-03-31 12:00:00', 'Order Completed', '2025-12-31 12:00:00', '2026-03-31 12:00:00', 'Order Returned', '2026-03-31 12:00:00', 'Order Completed', '2025-12-31 12:00:00', '2026-03-31 12:00:00', 1, 1]
