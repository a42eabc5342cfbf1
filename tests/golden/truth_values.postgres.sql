WITH users_now AS (
  SELECT
    t.user_id AS user_id,
    t.active AS active
  FROM users AS t
  WHERE
    t.user_id IS NOT NULL
)
SELECT DISTINCT
  users_now.user_id
FROM users_now
WHERE
  (
    COALESCE(users_now.active = TRUE, FALSE) OR users_now.active IS NULL
  )

-- executed:

WITH users_now AS (
  SELECT
    t.user_id AS user_id,
    t.active AS active
  FROM users AS t
  WHERE
    t.user_id IS NOT NULL
)
SELECT DISTINCT
  users_now.user_id
FROM users_now
WHERE
  (
    COALESCE(users_now.active = $1, FALSE) OR users_now.active IS NULL
  )

-- with:
-- [True]
