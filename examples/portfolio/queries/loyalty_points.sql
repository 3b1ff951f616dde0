INSERT INTO public.loyalty_points (customer_id, points)
SELECT o.customer_id, coalesce(old.points, 0) + count(*) * 10
FROM public.orders o
LEFT JOIN public.loyalty_points old ON old.customer_id = o.customer_id
WHERE o.ordered_at >= current_date - 1
GROUP BY o.customer_id, old.points
