SELECT account, sum(amount) AS balance FROM public.ledger_entries GROUP BY account
