SELECT warehouse_id, sku, sum(quantity) AS on_hand, max(moved_at) AS last_moved_at
FROM public.stock_movements
GROUP BY warehouse_id, sku
