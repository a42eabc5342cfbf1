WITH users_now AS (
  SELECT
    t.user_id AS user_id,
    t.seats AS seats
  FROM users AS t
  WHERE
    t.user_id IS NOT NULL
)
SELECT DISTINCT
  users_now.user_id
FROM users_now
WHERE
  (
    COALESCE(users_now.seats IN (1, 3, 5), FALSE)
    OR COALESCE(users_now.seats > 6, FALSE)
  )
  AND NOT (
    COALESCE(users_now.seats IN (5), FALSE)
  )

-- executed:

WITH users_now AS (
  SELECT
    t.user_id AS user_id,
    t.seats AS seats
  FROM users AS t
  WHERE
    t.user_id IS NOT NULL
)
SELECT DISTINCT
  users_now.user_id
FROM users_now
WHERE
  (
    COALESCE(users_now.seats IN (@p1, @p2, @p3), FALSE)
    OR COALESCE(users_now.seats > @p4, FALSE)
  )
  AND NOT (
    COALESCE(users_now.seats IN (@p3), FALSE)
  )

-- with:
-- {'p1': 1, 'p2': 3, 'p3': 5, 'p4': 6}
