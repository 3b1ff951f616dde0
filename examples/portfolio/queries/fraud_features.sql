SELECT o.customer_id, count(*) AS orders_24h, sum(i.quantity * i.unit_price) AS amount_24h, count(DISTINCT o.store_id) AS stores_24h
FROM public.orders o
JOIN public.order_items i ON i.order_id = o.id
WHERE o.ordered_at > now() - interval '24 hours'
GROUP BY o.customer_id
