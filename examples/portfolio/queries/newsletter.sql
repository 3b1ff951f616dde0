SELECT c.id AS customer_id, c.email, max(o.ordered_at) AS last_order
FROM public.customers c JOIN public.orders o ON o.customer_id = c.id
GROUP BY c.id, c.email
