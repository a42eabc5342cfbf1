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
    COALESCE(STARTSWITH(users_now.PLAN, 'p'), FALSE)
    OR COALESCE(ENDSWITH(LOWER(users_now.PLAN), LOWER('%')), FALSE)
    OR (
      NOT (
        COALESCE(CONTAINS(users_now.PLAN, 'o'), FALSE)
      )
      AND users_now.PLAN IS NOT NULL
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
    COALESCE(STARTSWITH(users_now.PLAN, ?), FALSE)
    OR COALESCE(ENDSWITH(LOWER(users_now.PLAN), LOWER(?)), FALSE)
    OR (
      NOT (
        COALESCE(CONTAINS(users_now.PLAN, ?), FALSE)
      )
      AND users_now.PLAN IS NOT NULL
    )
  )

-- with:
-- ['p', '%', 'o']
