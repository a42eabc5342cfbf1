WITH moment AS (
  SELECT
    CAST('2026-03-31 12:00:00' AS DATETIME) AS as_of
), users_now AS (
  SELECT
    t.user_id AS user_id
  FROM users AS t
  WHERE
    t.user_id IS NOT NULL
), most_frequent_1 AS (
  SELECT
    w.user_id,
    w.value
  FROM (
    SELECT
      c.user_id,
      c.value,
      ROW_NUMBER() OVER (PARTITION BY c.user_id ORDER BY c.times DESC, c.value ASC) AS place
    FROM (
      SELECT
        e.user_id AS user_id,
        e.colour AS value,
        COUNT(*) AS times
      FROM events AS e
      WHERE
        e.event = 'Order Completed'
        AND e.timestamp <= (SELECT as_of FROM moment)
        AND e.colour IS NOT NULL
      GROUP BY
        e.user_id,
        e.colour
    ) AS c
    WHERE
      c.times >= 2
  ) AS w
  WHERE
    w.place = 1
)
SELECT DISTINCT
  users_now.user_id,
  most_frequent_1.value AS value
FROM users_now
LEFT JOIN most_frequent_1
  ON most_frequent_1.user_id = users_now.user_id
WHERE
  most_frequent_1.value IS NOT NULL

-- executed:

WITH users_now AS (
  SELECT
    t.user_id AS user_id
  FROM users AS t
  WHERE
    t.user_id IS NOT NULL
), most_frequent_1 AS (
  SELECT
    w.user_id,
    w.value
  FROM (
    SELECT
      c.user_id,
      c.value,
      ROW_NUMBER() OVER (PARTITION BY c.user_id ORDER BY c.times DESC, c.value ASC) AS place
    FROM (
      SELECT
        e.user_id AS user_id,
        e.colour AS value,
        COUNT(*) AS times
      FROM events AS e
      WHERE
        e.event = @p1 AND e.timestamp <= @p2 AND e.colour IS NOT NULL
      GROUP BY
        e.user_id,
        e.colour
    ) AS c
    WHERE
      c.times >= @p3
  ) AS w
  WHERE
    w.place = 1
)
SELECT DISTINCT
  users_now.user_id,
  most_frequent_1.value AS value
FROM users_now
LEFT JOIN most_frequent_1
  ON most_frequent_1.user_id = users_now.user_id
WHERE
  most_frequent_1.value IS NOT NULL

-- with:
-- {'p1': 'Order Completed', 'p2': datetime.datetime(2026, 3, 31, 12, 0), 'p3': 2}
