SELECT carrier, (shipped_at AT TIME ZONE 'UTC')::date AS day, count(*) AS parcels, sum(extract(epoch FROM delivered_at - shipped_at)::bigint) AS seconds
FROM public.shipments
WHERE delivered_at IS NOT NULL
GROUP BY 1, 2
