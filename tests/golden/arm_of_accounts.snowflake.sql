WITH accounts_now AS (
  SELECT
    t.ACCOUNT_ID AS account_id
  FROM ACCOUNTS AS t
  WHERE
    t.ACCOUNT_ID IS NOT NULL
)
SELECT DISTINCT
  accounts_now.account_id
FROM accounts_now
WHERE
  (
    accounts_now.account_id IS NOT NULL
    AND SUBSTRING(MD5('spring:' || CAST(accounts_now.account_id AS VARCHAR)), 1, 8) < '9999999a'
  )
  AND NOT (
    accounts_now.account_id IS NOT NULL
    AND SUBSTRING(MD5('all:' || CAST(accounts_now.account_id AS VARCHAR)), 1, 8) < '1999999a'
  )

-- executed:

WITH accounts_now AS (
  SELECT
    t.ACCOUNT_ID AS account_id
  FROM ACCOUNTS AS t
  WHERE
    t.ACCOUNT_ID IS NOT NULL
)
SELECT DISTINCT
  accounts_now.account_id
FROM accounts_now
WHERE
  (
    accounts_now.account_id IS NOT NULL
    AND SUBSTRING(MD5(? || CAST(accounts_now.account_id AS VARCHAR)), 1, 8) < ?
  )
  AND NOT (
    accounts_now.account_id IS NOT NULL
    AND SUBSTRING(MD5(? || CAST(accounts_now.account_id AS VARCHAR)), 1, 8) < ?
  )

-- with:
-- ['spring:', '9999999a', 'all:', '1999999a']
