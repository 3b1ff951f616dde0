CREATE FUNCTION reconcile() RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  suffix text := to_char(current_date, 'YYYYMM');
BEGIN
  EXECUTE 'CREATE TABLE IF NOT EXISTS open_items_' || suffix || ' (LIKE open_items)';
  INSERT INTO open_items (payment_id, amount)
    SELECT p.id, p.amount FROM public.payments p
    WHERE NOT EXISTS (SELECT 1 FROM public.bank_lines b WHERE b.reference = 'R' || p.order_id);
  PERFORM notify_accounting();
END $$;
