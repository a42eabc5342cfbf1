WITH moment AS (
  SELECT
    CAST('2026-03-31 12:00:00' AS TIMESTAMPNTZ) AS as_of
), users_now AS (
  SELECT
    t.USER_ID AS user_id
  FROM USERS AS t
  WHERE
    t.USER_ID IS NOT NULL
), count_1 AS (
  SELECT
    e.USER_ID AS user_id,
    COUNT(DISTINCT e.ID) AS value
  FROM EVENTS AS e
  WHERE
    e.EVENT = 'Order Completed'
    AND e.TIMESTAMP > DATEADD(DAY, -30, (SELECT as_of FROM moment))
    AND e.TIMESTAMP <= (SELECT as_of FROM moment)
  GROUP BY
    e.USER_ID
), wanted_1 AS (
  SELECT DISTINCT
    users_now.user_id,
    COALESCE(count_1.value, 0) AS value
  FROM users_now
  LEFT JOIN count_1
    ON count_1.user_id = users_now.user_id
), said_1 AS (
  SELECT
    TO_BINARY(CAST(w.user_id AS VARCHAR), 'UTF-8') AS k,
    COUNT(*) AS many,
    MIN(CAST(w.value AS VARCHAR)) AS low,
    MAX(CAST(w.value AS VARCHAR)) AS high,
    COUNT(CAST(w.value AS VARCHAR)) AS given,
    MAX(LENGTH(CAST(w.user_id AS VARCHAR))) AS longest,
    MIN(CAST(w.user_id AS VARCHAR)) AS id
  FROM wanted_1 AS w
  GROUP BY
    TO_BINARY(CAST(w.user_id AS VARCHAR), 'UTF-8')
), marked_1 AS (
  SELECT
    s.k,
    s.many,
    s.low,
    s.high,
    s.given,
    s.longest,
    s.id,
    SHA2(y.value || SHA2(y.value || s.id, 256), 256) AS mark
  FROM said_1 AS s
  JOIN PERSONAS.META AS y
    ON y.name = 'forget_key'
), acknowledged_1 AS (
  SELECT
    TO_BINARY(CAST(b."member" AS VARCHAR), 'UTF-8') AS k,
    CAST(b."member" AS VARCHAR) AS member,
    b."value" AS value
  FROM PERSONAS.MEMBERS_OTHER AS b
), acknowledged_2 AS (
  SELECT
    TO_BINARY(CAST(b."member" AS VARCHAR), 'UTF-8') AS k,
    CAST(b."member" AS VARCHAR) AS member,
    b."value" AS value
  FROM PERSONAS.MEMBERS_BASE AS b
  LEFT JOIN (
    SELECT
      d.k,
      d.member,
      d.change,
      d.value
    FROM (
      SELECT
        c.k,
        c.member,
        c.change,
        c.value,
        ROW_NUMBER() OVER (PARTITION BY c.k ORDER BY c.place DESC NULLS LAST) AS nth
      FROM (
        SELECT
          TO_BINARY(CAST(c."member" AS VARCHAR), 'UTF-8') AS k,
          CAST(c."member" AS VARCHAR) AS member,
          c."change" AS change,
          c."value" AS value,
          0 AS place
        FROM PERSONAS.MEMBERS_FIRST AS c
        UNION ALL
        SELECT
          TO_BINARY(CAST(c."member" AS VARCHAR), 'UTF-8') AS k,
          CAST(c."member" AS VARCHAR) AS member,
          c."change" AS change,
          c."value" AS value,
          1 AS place
        FROM PERSONAS.MEMBERS_SECOND AS c
      ) AS c
    ) AS d
    WHERE
      d.nth = 1
  ) AS n
    ON n.k = TO_BINARY(CAST(b."member" AS VARCHAR), 'UTF-8')
  WHERE
    n.k IS NULL
  UNION ALL
  SELECT
    l.k,
    l.member,
    l.value
  FROM (
    SELECT
      d.k,
      d.member,
      d.change,
      d.value
    FROM (
      SELECT
        c.k,
        c.member,
        c.change,
        c.value,
        ROW_NUMBER() OVER (PARTITION BY c.k ORDER BY c.place DESC NULLS LAST) AS nth
      FROM (
        SELECT
          TO_BINARY(CAST(c."member" AS VARCHAR), 'UTF-8') AS k,
          CAST(c."member" AS VARCHAR) AS member,
          c."change" AS change,
          c."value" AS value,
          0 AS place
        FROM PERSONAS.MEMBERS_FIRST AS c
        UNION ALL
        SELECT
          TO_BINARY(CAST(c."member" AS VARCHAR), 'UTF-8') AS k,
          CAST(c."member" AS VARCHAR) AS member,
          c."change" AS change,
          c."value" AS value,
          1 AS place
        FROM PERSONAS.MEMBERS_SECOND AS c
      ) AS c
    ) AS d
    WHERE
      d.nth = 1
  ) AS l
  WHERE
    l.change <> 'exit' AND l.value <> 'null'
), compared_1 AS (
  SELECT
    COALESCE(s.k, a0.k, a1.k) AS k,
    a0.member AS member_0,
    a0.value AS value_0,
    a1.member AS member_1,
    a1.value AS value_1,
    s.low,
    COALESCE(
      (
        s.k IS NOT NULL
        AND s.longest <= 255
        AND s.many = 1
        AND x1.k IS NULL
        AND f.mark IS NULL
        AND a0.k IS NOT NULL
        AND a1.k IS NOT NULL
        AND TO_BINARY(CAST(s.low AS VARCHAR), 'UTF-8') = TO_BINARY(CAST(a0.value AS VARCHAR), 'UTF-8')
        AND TO_BINARY(CAST(s.low AS VARCHAR), 'UTF-8') = TO_BINARY(CAST(a1.value AS VARCHAR), 'UTF-8')
      ),
      FALSE
    ) AS alike,
    COALESCE(
      (
        s.k IS NOT NULL
        AND s.longest <= 255
        AND s.many = 1
        AND x1.k IS NULL
        AND f.mark IS NULL
        AND a0.k IS NULL
        AND a1.k IS NULL
        AND s.low = '0'
      ),
      FALSE
    ) AS idle
  FROM marked_1 AS s
  FULL JOIN acknowledged_1 AS a0
    ON a0.k = s.k
  FULL JOIN acknowledged_2 AS a1
    ON a1.k = COALESCE(s.k, a0.k)
  LEFT JOIN (
    SELECT
      TO_BINARY(CAST(u.member AS VARCHAR), 'UTF-8') AS k
    FROM PERSONAS.UNKNOWN_MEMBER AS u
    WHERE
      u.sync_id = 'orders -> analytics'
  ) AS x1
    ON x1.k = COALESCE(s.k, a0.k, a1.k)
  LEFT JOIN PERSONAS.FORGOTTEN AS f
    ON f.mark = s.mark
), lines_1 AS (
  SELECT
    w.user_id,
    w.value,
    c.member_0,
    c.value_0,
    c.member_1,
    c.value_1,
    0 AS arm
  FROM compared_1 AS c
  LEFT JOIN wanted_1 AS w
    ON TO_BINARY(CAST(w.user_id AS VARCHAR), 'UTF-8') = c.k
  WHERE
    NOT (
      c.alike OR c.idle
    )
), tally_1 AS (
  SELECT
    COUNT(CASE WHEN c.alike THEN 1 END) AS alike_members,
    COUNT(CASE WHEN c.alike AND c.low <> '0' THEN 1 END) AS saying_members,
    COUNT(CASE WHEN c.idle THEN 1 END) AS idle_members,
    1 AS arm
  FROM compared_1 AS c
)
SELECT
  lines_1.user_id,
  lines_1.value,
  lines_1.member_0,
  lines_1.value_0,
  lines_1.member_1,
  lines_1.value_1,
  tally_1.alike_members,
  tally_1.saying_members,
  tally_1.idle_members
FROM lines_1
FULL JOIN tally_1
  ON tally_1.arm = lines_1.arm
