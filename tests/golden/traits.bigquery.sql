WITH users_now AS (
  SELECT
    t.user_id AS user_id,
    t.plan AS plan,
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
    COALESCE(users_now.plan = 'it\'s', FALSE)
    OR COALESCE(users_now.seats >= 5, FALSE)
  )
  AND NOT (
    COALESCE(users_now.plan IN ('x', 'y'), FALSE)
  )

-- executed:

WITH users_now AS (
  SELECT
    t.user_id AS user_id,
    t.plan AS plan,
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
    COALESCE(users_now.plan = @p1, FALSE) OR COALESCE(users_now.seats >= @p2, FALSE)
  )
  AND NOT (
    COALESCE(users_now.plan IN (@p3, @p4), FALSE)
  )

-- with:
-- {'p1': "it's", 'p2': 5, 'p3': 'x', 'p4': 'y'}
