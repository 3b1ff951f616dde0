-- This query gives the result of the pipeline's stage 4: the totals of each store and quarter of an
-- hour. Stage 5 then assigns each quarter to a day in the store's time zone.
SELECT floor(extract(epoch FROM o.ordered_at) / 900)::bigint AS quarter,
       o.store_id,
       count(*) AS orders,
       coalesce(sum(i.gross), 0) AS gross,
       coalesce(sum(r.refunded), 0) AS refunded
FROM public.orders o
LEFT JOIN (SELECT order_id, sum(quantity * unit_price - coalesce(discount, 0)) AS gross FROM public.order_items GROUP BY order_id) i ON i.order_id = o.id
LEFT JOIN (SELECT order_id, sum(amount) AS refunded FROM public.refunds GROUP BY order_id) r ON r.order_id = o.id
WHERE o.status <> 'cancelled'
GROUP BY 1, 2
