SELECT sku, price, price * 1.19 AS gross FROM public.partner_prices
