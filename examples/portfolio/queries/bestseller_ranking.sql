SELECT sku, sold, rank() OVER (ORDER BY sold DESC) AS place
FROM (SELECT sku, sum(quantity) AS sold FROM public.order_items GROUP BY sku) AS sales
