WITH users_now AS (
  SELECT
    t.user_id AS user_id,
    t.plan AS plan
  FROM users AS t
  WHERE
    t.user_id IS NOT NULL
)
SELECT DISTINCT
  users_now.user_id
FROM users_now
WHERE
  (
    COALESCE(LOWER(users_now.plan) = LOWER('PRO'), FALSE)
    OR COALESCE(
      CONTAINS(LOWER(users_now.plan), LOWER('x_'))
      OR CONTAINS(LOWER(users_now.plan), LOWER('y')),
      FALSE
    )
  )

-- executed:

WITH users_now AS (
  SELECT
    t.user_id AS user_id,
    t.plan AS plan
  FROM users AS t
  WHERE
    t.user_id IS NOT NULL
)
SELECT DISTINCT
  users_now.user_id
FROM users_now
WHERE
  (
    COALESCE(LOWER(users_now.plan) = LOWER($p1), FALSE)
    OR COALESCE(
      CONTAINS(LOWER(users_now.plan), LOWER($p2))
      OR CONTAINS(LOWER(users_now.plan), LOWER($p3)),
      FALSE
    )
  )

-- with:
-- {'p1': 'PRO', 'p2': 'x_', 'p3': 'y'}
