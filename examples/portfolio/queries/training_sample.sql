SELECT customer_id, url, seconds FROM public.page_views TABLESAMPLE BERNOULLI (1)
