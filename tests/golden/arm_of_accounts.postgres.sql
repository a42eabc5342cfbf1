WITH accounts_now AS (
  SELECT
    t.account_id AS account_id
  FROM accounts AS t
  WHERE
    t.account_id IS NOT NULL
)
SELECT DISTINCT
  accounts_now.account_id
FROM accounts_now
WHERE
  (
    accounts_now.account_id IS NOT NULL
    AND CAST(SUBSTRING(MD5('spring:' || CAST(accounts_now.account_id AS TEXT)) FROM 1 FOR 8) AS TEXT) COLLATE "C" < '9999999a'
  )
  AND NOT (
    accounts_now.account_id IS NOT NULL
    AND CAST(SUBSTRING(MD5('all:' || CAST(accounts_now.account_id AS TEXT)) FROM 1 FOR 8) AS TEXT) COLLATE "C" < '1999999a'
  )

-- executed:

WITH accounts_now AS (
  SELECT
    t.account_id AS account_id
  FROM accounts AS t
  WHERE
    t.account_id IS NOT NULL
)
SELECT DISTINCT
  accounts_now.account_id
FROM accounts_now
WHERE
  (
    accounts_now.account_id IS NOT NULL
    AND CAST(SUBSTRING(MD5($1 || CAST(accounts_now.account_id AS TEXT)) FROM 1 FOR 8) AS TEXT) COLLATE "C" < $2
  )
  AND NOT (
    accounts_now.account_id IS NOT NULL
    AND CAST(SUBSTRING(MD5($3 || CAST(accounts_now.account_id AS TEXT)) FROM 1 FOR 8) AS TEXT) COLLATE "C" < $4
  )

-- with:
-- ['spring:', '9999999a', 'all:', '1999999a']
