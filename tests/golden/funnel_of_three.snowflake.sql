WITH moment AS (
  SELECT
    CAST('2026-03-31 12:00:00' AS TIMESTAMPNTZ) AS as_of
), events_read AS (
  SELECT
    t.ID,
    t.EVENT,
    t.USER_ID,
    t.TIMESTAMP,
    t.COLOUR
  FROM EVENTS AS t
  WHERE
    t.EVENT IN ('Order Returned', 'Order Completed')
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
      e.EVENT = 'Order Returned'
      AND e.TIMESTAMP <= (SELECT as_of FROM moment)
      AND e.USER_ID IS NOT NULL
  ) AS p
  JOIN events_read AS e
    ON e.USER_ID = p.user_id
    AND e.TIMESTAMP > p.happened_at
    AND e.TIMESTAMP <= DATEADD(DAY, 3, p.happened_at)
  WHERE
    e.EVENT = 'Order Completed' AND e.TIMESTAMP <= (SELECT as_of FROM moment)
  GROUP BY
    p.user_id,
    p.happened_at
), count_after_2 AS (
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
      AND e.TIMESTAMP <= (SELECT as_of FROM moment)
      AND e.USER_ID IS NOT NULL
  ) AS p
  JOIN events_read AS e
    ON e.USER_ID = p.user_id
    AND e.TIMESTAMP > p.happened_at
    AND e.TIMESTAMP <= DATEADD(DAY, 7, p.happened_at)
  LEFT JOIN count_after_1
    ON count_after_1.user_id = e.USER_ID AND count_after_1.happened_at = e.TIMESTAMP
  WHERE
    e.EVENT = 'Order Returned'
    AND e.TIMESTAMP <= (SELECT as_of FROM moment)
    AND (
      NOT (
        COALESCE(count_after_1.value, 0) >= 1
      )
      AND e.TIMESTAMP <= DATEADD(DAY, -3, (SELECT as_of FROM moment))
    )
  GROUP BY
    p.user_id,
    p.happened_at
), last_1 AS (
  SELECT
    w.user_id,
    w.value
  FROM (
    SELECT
      e.USER_ID AS user_id,
      e.COLOUR AS value,
      ROW_NUMBER() OVER (
        PARTITION BY e.USER_ID
        ORDER BY e.TIMESTAMP DESC NULLS LAST, e.ID DESC NULLS LAST, e.COLOUR DESC NULLS LAST
      ) AS place
    FROM events_read AS e
    LEFT JOIN count_after_2
      ON count_after_2.user_id = e.USER_ID AND count_after_2.happened_at = e.TIMESTAMP
    WHERE
      e.EVENT = 'Order Completed'
      AND e.TIMESTAMP <= (SELECT as_of FROM moment)
      AND COALESCE(count_after_2.value, 0) >= 1
      AND e.COLOUR IS NOT NULL
  ) AS w
  WHERE
    w.place = 1
)
SELECT DISTINCT
  users_now.user_id,
  last_1.value AS value
FROM users_now
LEFT JOIN last_1
  ON last_1.user_id = users_now.user_id
WHERE
  last_1.value IS NOT NULL

-- executed:

WITH events_read AS (
  SELECT
    t.ID,
    t.EVENT,
    t.USER_ID,
    t.TIMESTAMP,
    t.COLOUR
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
      AND e.TIMESTAMP <= CAST(? AS TIMESTAMPNTZ)
      AND e.USER_ID IS NOT NULL
  ) AS p
  JOIN events_read AS e
    ON e.USER_ID = p.user_id
    AND e.TIMESTAMP > p.happened_at
    AND e.TIMESTAMP <= DATEADD(DAY, 3, p.happened_at)
  WHERE
    e.EVENT = ? AND e.TIMESTAMP <= CAST(? AS TIMESTAMPNTZ)
  GROUP BY
    p.user_id,
    p.happened_at
), count_after_2 AS (
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
      AND e.TIMESTAMP <= CAST(? AS TIMESTAMPNTZ)
      AND e.USER_ID IS NOT NULL
  ) AS p
  JOIN events_read AS e
    ON e.USER_ID = p.user_id
    AND e.TIMESTAMP > p.happened_at
    AND e.TIMESTAMP <= DATEADD(DAY, 7, p.happened_at)
  LEFT JOIN count_after_1
    ON count_after_1.user_id = e.USER_ID AND count_after_1.happened_at = e.TIMESTAMP
  WHERE
    e.EVENT = ?
    AND e.TIMESTAMP <= CAST(? AS TIMESTAMPNTZ)
    AND (
      NOT (
        COALESCE(count_after_1.value, 0) >= ?
      )
      AND e.TIMESTAMP <= CAST(? AS TIMESTAMPNTZ)
    )
  GROUP BY
    p.user_id,
    p.happened_at
), last_1 AS (
  SELECT
    w.user_id,
    w.value
  FROM (
    SELECT
      e.USER_ID AS user_id,
      e.COLOUR AS value,
      ROW_NUMBER() OVER (
        PARTITION BY e.USER_ID
        ORDER BY e.TIMESTAMP DESC NULLS LAST, e.ID DESC NULLS LAST, e.COLOUR DESC NULLS LAST
      ) AS place
    FROM events_read AS e
    LEFT JOIN count_after_2
      ON count_after_2.user_id = e.USER_ID AND count_after_2.happened_at = e.TIMESTAMP
    WHERE
      e.EVENT = ?
      AND e.TIMESTAMP <= CAST(? AS TIMESTAMPNTZ)
      AND COALESCE(count_after_2.value, 0) >= ?
      AND e.COLOUR IS NOT NULL
  ) AS w
  WHERE
    w.place = 1
)
SELECT DISTINCT
  users_now.user_id,
  last_1.value AS value
FROM users_now
LEFT JOIN last_1
  ON last_1.user_id = users_now.user_id
WHERE
  last_1.value IS NOT NULL

-- with:
-- ['Order Returned', 'Order Completed', '2026-03-31 12:00:00', 'Order Returned', '2026-03-31 12:00:00', 'Order Completed', '2026-03-31 12:00:00', 'Order Completed', '2026-03-31 12:00:00', 'Order Returned', '2026-03-31 12:00:00', 1, '2026-03-28 12:00:00', 'Order Completed', '2026-03-31 12:00:00', 1]
