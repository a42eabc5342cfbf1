WITH moment AS (
  SELECT
    CAST('2026-03-31 12:00:00+00:00' AS TIMESTAMPTZ) AS as_of_tz
), users_now AS (
  SELECT
    t.USER_ID AS user_id,
    t.BIRTHDAY AS BIRTHDAY,
    t.TRIAL_ENDS AS TRIAL_ENDS
  FROM USERS AS t
  WHERE
    t.USER_ID IS NOT NULL
)
SELECT DISTINCT
  users_now.user_id
FROM users_now
WHERE
  COALESCE(users_now.BIRTHDAY < CAST('2000-01-01' AS DATE), FALSE)
  AND COALESCE(
    users_now.TRIAL_ENDS > (SELECT as_of_tz FROM moment)
    AND users_now.TRIAL_ENDS <= DATEADD(HOUR, 72, (SELECT as_of_tz FROM moment)),
    FALSE
  )

-- executed:

WITH users_now AS (
  SELECT
    t.USER_ID AS user_id,
    t.BIRTHDAY AS BIRTHDAY,
    t.TRIAL_ENDS AS TRIAL_ENDS
  FROM USERS AS t
  WHERE
    t.USER_ID IS NOT NULL
)
SELECT DISTINCT
  users_now.user_id
FROM users_now
WHERE
  COALESCE(users_now.BIRTHDAY < CAST(? AS DATE), FALSE)
  AND COALESCE(
    users_now.TRIAL_ENDS > CAST(? AS TIMESTAMPTZ)
    AND users_now.TRIAL_ENDS <= CAST(? AS TIMESTAMPTZ),
    FALSE
  )

-- with:
-- ['2000-01-01', '2026-03-31 12:00:00+00:00', '2026-04-03 12:00:00+00:00']
