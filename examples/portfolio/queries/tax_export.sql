SELECT account, date_trunc('month', booked_at AT TIME ZONE 'Europe/Berlin') AS month, sum(amount) AS amount
FROM public.ledger_entries
GROUP BY 1, 2
