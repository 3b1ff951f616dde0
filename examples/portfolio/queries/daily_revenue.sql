-- The nightly batch computes the revenue of each store and day. Days are in the store's time zone.
SELECT (o.ordered_at AT TIME ZONE s.time_zone)::date AS day,
       o.store_id,
       count(*) AS orders,
       coalesce(sum(i.gross), 0)::numeric(14, 2) AS revenue
FROM public.orders o
JOIN public.stores s ON s.id = o.store_id
LEFT JOIN (SELECT order_id, sum(quantity * unit_price) AS gross FROM public.order_items GROUP BY order_id) i ON i.order_id = o.id
WHERE o.status <> 'cancelled'
GROUP BY 1, 2
