CREATE OR REPLACE TABLE marts.daily_report AS
SELECT CAST(ordered_at AS DATE) AS day, count(*) AS orders, sum(amount) AS amount
FROM marts.orders
WHERE amount >= {{ params.smallest }}
GROUP BY 1
