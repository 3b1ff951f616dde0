SELECT customer_id, viewed_at, viewed_at - lag(viewed_at) OVER (PARTITION BY customer_id ORDER BY viewed_at) AS gap
FROM public.page_views
