WITH moment AS (
  SELECT
    CAST('2026-03-31 12:00:00' AS TIMESTAMPNTZ) AS as_of,
    CAST('2026-03-31 12:00:00+00:00' AS TIMESTAMPTZ) AS as_of_tz
), users_now AS (
  SELECT
    t.USER_ID AS user_id,
    t.CREATED_AT AS CREATED_AT,
    t.TRIAL_ENDS AS TRIAL_ENDS,
    t.BIRTHDAY AS BIRTHDAY
  FROM USERS AS t
  WHERE
    t.USER_ID IS NOT NULL
)
SELECT DISTINCT
  users_now.user_id
FROM users_now
WHERE
  (
    COALESCE(users_now.CREATED_AT <= DATEADD(DAY, -300, (SELECT as_of FROM moment)), FALSE)
    OR (
      COALESCE(users_now.TRIAL_ENDS > DATEADD(HOUR, 36, (SELECT as_of_tz FROM moment)), FALSE)
      AND COALESCE(users_now.BIRTHDAY > CAST('1990-05-17' AS DATE), FALSE)
    )
    OR COALESCE(
      users_now.CREATED_AT > DATEADD(DAY, -60, (SELECT as_of FROM moment))
      AND users_now.CREATED_AT <= (SELECT as_of FROM moment),
      FALSE
    )
  )

-- executed:

WITH users_now AS (
  SELECT
    t.USER_ID AS user_id,
    t.CREATED_AT AS CREATED_AT,
    t.TRIAL_ENDS AS TRIAL_ENDS,
    t.BIRTHDAY AS BIRTHDAY
  FROM USERS AS t
  WHERE
    t.USER_ID IS NOT NULL
)
SELECT DISTINCT
  users_now.user_id
FROM users_now
WHERE
  (
    COALESCE(users_now.CREATED_AT <= CAST(? AS TIMESTAMPNTZ), FALSE)
    OR (
      COALESCE(users_now.TRIAL_ENDS > CAST(? AS TIMESTAMPTZ), FALSE)
      AND COALESCE(users_now.BIRTHDAY > CAST(? AS DATE), FALSE)
    )
    OR COALESCE(
      users_now.CREATED_AT > CAST(? AS TIMESTAMPNTZ)
      AND users_now.CREATED_AT <= CAST(? AS TIMESTAMPNTZ),
      FALSE
    )
  )

-- with:
-- ['2025-06-04 12:00:00', '2026-04-02 00:00:00+00:00', '1990-05-17', '2026-01-30 12:00:00', '2026-03-31 12:00:00']
