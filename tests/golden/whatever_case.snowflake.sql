WITH users_now AS (
  SELECT
    t.USER_ID AS user_id,
    t.PLAN AS PLAN
  FROM USERS AS t
  WHERE
    t.USER_ID IS NOT NULL
)
SELECT DISTINCT
  users_now.user_id
FROM users_now
WHERE
  (
    COALESCE(LOWER(users_now.PLAN) = LOWER('PRO'), FALSE)
    OR COALESCE(
      CONTAINS(LOWER(users_now.PLAN), LOWER('x_'))
      OR CONTAINS(LOWER(users_now.PLAN), LOWER('y')),
      FALSE
    )
  )

-- executed:

WITH users_now AS (
  SELECT
    t.USER_ID AS user_id,
    t.PLAN AS PLAN
  FROM USERS AS t
  WHERE
    t.USER_ID IS NOT NULL
)
SELECT DISTINCT
  users_now.user_id
FROM users_now
WHERE
  (
    COALESCE(LOWER(users_now.PLAN) = LOWER(?), FALSE)
    OR COALESCE(
      CONTAINS(LOWER(users_now.PLAN), LOWER(?))
      OR CONTAINS(LOWER(users_now.PLAN), LOWER(?)),
      FALSE
    )
  )

-- with:
-- ['PRO', 'x_', 'y']
