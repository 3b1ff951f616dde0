WITH RECURSIVE tree AS (
  SELECT id, manager_id, cost_center, 1 AS depth FROM public.employees WHERE manager_id IS NULL
  UNION ALL
  SELECT e.id, e.manager_id, e.cost_center, tree.depth + 1 FROM public.employees e JOIN tree ON e.manager_id = tree.id
)
SELECT cost_center, max(depth) AS depth, count(*) AS heads FROM tree GROUP BY cost_center
