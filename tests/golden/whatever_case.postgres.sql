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
      STRPOS(LOWER(users_now.plan), LOWER('x_')) > 0
      OR STRPOS(LOWER(users_now.plan), LOWER('y')) > 0,
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
    COALESCE(LOWER(users_now.plan) = LOWER($1), FALSE)
    OR COALESCE(
      STRPOS(LOWER(users_now.plan), LOWER($2)) > 0
      OR STRPOS(LOWER(users_now.plan), LOWER($3)) > 0,
      FALSE
    )
  )

-- with:
-- ['PRO', 'x_', 'y']
