WITH spend AS (
  SELECT o.customer_id, sum(i.quantity * i.unit_price) AS spent, array_agg(i.sku) AS skus
  FROM public.orders o JOIN public.order_items i ON i.order_id = o.id
  GROUP BY o.customer_id
), views AS (
  SELECT customer_id, count(*) AS views, sum(seconds) AS seconds FROM public.page_views GROUP BY customer_id
)
SELECT coalesce(spend.customer_id, views.customer_id) AS customer_id, spent, skus, views, seconds
FROM spend FULL OUTER JOIN views ON views.customer_id = spend.customer_id
