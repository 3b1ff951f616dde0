-- What the nightly batch computes, as one SELECT.
SELECT product_id, sum(quantity) AS quantity, count(*) AS movements
FROM public.movements
GROUP BY product_id
