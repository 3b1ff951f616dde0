-- The nightly batch computes this result.
SELECT product_id, sum(quantity) AS quantity, count(*) AS movements
FROM public.movements
GROUP BY product_id
