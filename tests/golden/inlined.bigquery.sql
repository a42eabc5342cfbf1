WITH moment AS (
  SELECT
    CAST('2026-03-31 12:00:00' AS DATETIME) AS as_of
), events_read AS (
  SELECT
    t.id,
    t.event,
    t.user_id,
    t.timestamp,
    t.amount
  FROM events AS t
  WHERE
    t.event = 'Order Completed' AND t.timestamp <= (SELECT as_of FROM moment)
), users_now AS (
  SELECT
    t.user_id AS user_id
  FROM users AS t
  WHERE
    t.user_id IS NOT NULL
), accounts_now AS (
  SELECT
    t.account_id AS account_id
  FROM accounts AS t
  WHERE
    t.account_id IS NOT NULL
), members_now AS (
  SELECT DISTINCT
    m.user_id AS user_id,
    m.account_id AS account_id
  FROM memberships AS m
  JOIN users_now
    ON users_now.user_id = m.user_id
  JOIN accounts_now
    ON accounts_now.account_id = m.account_id
  WHERE
    (
      m.valid_from IS NULL OR m.valid_from <= (SELECT as_of FROM moment)
    )
    AND (
      m.valid_to IS NULL OR m.valid_to > (SELECT as_of FROM moment)
    )
), count_1 AS (
  SELECT
    e.user_id AS user_id,
    COUNT(DISTINCT e.id) AS value
  FROM events_read AS e
  WHERE
    e.event = 'Order Completed'
    AND e.timestamp > DATETIME_SUB((SELECT as_of FROM moment), INTERVAL 30 DAY)
    AND e.timestamp <= (SELECT as_of FROM moment)
  GROUP BY
    e.user_id
), sum_1 AS (
  SELECT
    members_now.account_id AS account_id,
    SUM(e.amount) AS value
  FROM events_read AS e
  JOIN members_now
    ON members_now.user_id = e.user_id
  WHERE
    e.event = 'Order Completed' AND e.timestamp <= (SELECT as_of FROM moment)
  GROUP BY
    members_now.account_id
), accounts_1 AS (
  SELECT DISTINCT
    members_now.user_id
  FROM members_now
  LEFT JOIN sum_1
    ON sum_1.account_id = members_now.account_id
  WHERE
    COALESCE(sum_1.value, 0) > 1000
)
SELECT DISTINCT
  users_now.user_id
FROM users_now
LEFT JOIN count_1
  ON count_1.user_id = users_now.user_id
LEFT JOIN accounts_1
  ON accounts_1.user_id = users_now.user_id
WHERE
  NOT (
    COALESCE(count_1.value, 0) >= 1
  ) AND accounts_1.user_id IS NOT NULL

-- executed:

WITH events_read AS (
  SELECT
    t.id,
    t.event,
    t.user_id,
    t.timestamp,
    t.amount
  FROM events AS t
  WHERE
    t.event = @p2 AND t.timestamp <= @p3
), users_now AS (
  SELECT
    t.user_id AS user_id
  FROM users AS t
  WHERE
    t.user_id IS NOT NULL
), accounts_now AS (
  SELECT
    t.account_id AS account_id
  FROM accounts AS t
  WHERE
    t.account_id IS NOT NULL
), members_now AS (
  SELECT DISTINCT
    m.user_id AS user_id,
    m.account_id AS account_id
  FROM memberships AS m
  JOIN users_now
    ON users_now.user_id = m.user_id
  JOIN accounts_now
    ON accounts_now.account_id = m.account_id
  WHERE
    (
      m.valid_from IS NULL OR m.valid_from <= @p3
    )
    AND (
      m.valid_to IS NULL OR m.valid_to > @p3
    )
), count_1 AS (
  SELECT
    e.user_id AS user_id,
    COUNT(DISTINCT e.id) AS value
  FROM events_read AS e
  WHERE
    e.event = @p2 AND e.timestamp > @p4 AND e.timestamp <= @p3
  GROUP BY
    e.user_id
), sum_1 AS (
  SELECT
    members_now.account_id AS account_id,
    SUM(e.amount) AS value
  FROM events_read AS e
  JOIN members_now
    ON members_now.user_id = e.user_id
  WHERE
    e.event = @p2 AND e.timestamp <= @p3
  GROUP BY
    members_now.account_id
), accounts_1 AS (
  SELECT DISTINCT
    members_now.user_id
  FROM members_now
  LEFT JOIN sum_1
    ON sum_1.account_id = members_now.account_id
  WHERE
    COALESCE(sum_1.value, 0) > @p5
)
SELECT DISTINCT
  users_now.user_id
FROM users_now
LEFT JOIN count_1
  ON count_1.user_id = users_now.user_id
LEFT JOIN accounts_1
  ON accounts_1.user_id = users_now.user_id
WHERE
  NOT (
    COALESCE(count_1.value, 0) >= @p1
  ) AND accounts_1.user_id IS NOT NULL

-- with:
-- {'p1': 1, 'p2': 'Order Completed', 'p3': datetime.datetime(2026, 3, 31, 12, 0), 'p4': datetime.datetime(2026, 3, 1, 12, 0), 'p5': 1000}
