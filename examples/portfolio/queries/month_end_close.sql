SELECT s.id AS store_id, date_trunc('month', o.ordered_at AT TIME ZONE s.time_zone) AS month, count(*) AS orders
FROM public.orders o JOIN public.stores s ON s.id = o.store_id
GROUP BY 1, 2
