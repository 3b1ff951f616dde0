SELECT o.store_id, count(*) AS late
FROM public.orders o
WHERE o.promised_at < current_timestamp
  AND NOT EXISTS (SELECT 1 FROM public.shipments s WHERE s.order_id = o.id)
GROUP BY o.store_id
