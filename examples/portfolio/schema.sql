-- Creates the tables of the portfolio, with enough rows that the statistics show how the tables change.
CREATE TABLE stores (id int PRIMARY KEY, name text NOT NULL, time_zone text NOT NULL);
CREATE TABLE customers (id bigint PRIMARY KEY, name text NOT NULL, email text, region text NOT NULL, created_at timestamptz NOT NULL, updated_at timestamptz NOT NULL DEFAULT now());
CREATE TABLE orders (id bigint PRIMARY KEY, customer_id bigint NOT NULL, store_id int NOT NULL, status text NOT NULL, ordered_at timestamptz NOT NULL, promised_at timestamptz);
CREATE TABLE order_items (id bigint PRIMARY KEY, order_id bigint NOT NULL, sku text NOT NULL, quantity int NOT NULL, unit_price numeric(10, 2) NOT NULL);
CREATE TABLE shipments (id bigint PRIMARY KEY, order_id bigint NOT NULL, carrier text NOT NULL, shipped_at timestamptz NOT NULL, delivered_at timestamptz);
CREATE TABLE stock_movements (id bigint PRIMARY KEY, warehouse_id int NOT NULL, sku text NOT NULL, quantity int NOT NULL, moved_at timestamptz NOT NULL);
CREATE TABLE payments (id bigint PRIMARY KEY, order_id bigint NOT NULL, amount numeric(12, 2) NOT NULL, state text NOT NULL, updated_at timestamptz NOT NULL);
CREATE TABLE bank_lines (line_no bigint, reference text, amount numeric(12, 2), booked_on date); -- the bank sends lines without a key
CREATE TABLE partner_prices (sku text PRIMARY KEY, price numeric(10, 2) NOT NULL); -- emptied and filled by every load
CREATE TABLE page_views (id bigint PRIMARY KEY, customer_id bigint, url text NOT NULL, viewed_at timestamptz NOT NULL, seconds double precision);
CREATE TABLE employees (id int PRIMARY KEY, manager_id int, name text NOT NULL, cost_center text NOT NULL);
CREATE TABLE ledger_entries (id bigint PRIMARY KEY, account text NOT NULL, amount numeric(14, 2) NOT NULL, booked_at timestamptz NOT NULL);
CREATE TABLE loyalty_points (customer_id bigint PRIMARY KEY, points bigint NOT NULL);
CREATE TABLE batch_runs (run_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, cut_at timestamptz NOT NULL, started_at timestamptz NOT NULL, finished_at timestamptz);
CREATE TABLE stock_runs (LIKE batch_runs INCLUDING ALL);

INSERT INTO stores SELECT g, 'store ' || g, (ARRAY['Europe/Berlin', 'America/New_York', 'Asia/Tokyo'])[g % 3 + 1] FROM generate_series(1, 12) g;
INSERT INTO customers SELECT g, 'customer ' || g, 'c' || g || '@example.org', (ARRAY['north', 'south'])[g % 2 + 1], now() - g * interval '1 hour' FROM generate_series(1, 5000) g;
INSERT INTO orders SELECT g, g % 5000 + 1, g % 12 + 1, (ARRAY['placed', 'shipped', 'cancelled'])[g % 3 + 1], now() - g * interval '3 minutes', now() - g * interval '3 minutes' + interval '2 days' FROM generate_series(1, 20000) g;
INSERT INTO order_items SELECT g, g % 20000 + 1, 'SKU-' || g % 300, g % 4 + 1, (g % 90 + 10)::numeric FROM generate_series(1, 50000) g;
INSERT INTO shipments SELECT g, g, (ARRAY['DHL', 'UPS', 'FedEx'])[g % 3 + 1], now() - g * interval '3 minutes', now() - g * interval '2 minutes' FROM generate_series(1, 15000) g;
INSERT INTO stock_movements SELECT g, g % 5, 'SKU-' || g % 300, g % 21 - 10, now() - g * interval '1 minute' FROM generate_series(1, 30000) g;
INSERT INTO payments SELECT g, g, 49.90, 'settled', now() FROM generate_series(1, 20000) g;
INSERT INTO bank_lines SELECT g, 'R' || g, 49.90, current_date FROM generate_series(1, 3000) g;
INSERT INTO page_views SELECT g, g % 5000, '/p/' || g % 300, now() - g * interval '10 seconds', random() * 60 FROM generate_series(1, 40000) g;
INSERT INTO employees SELECT g, nullif(g / 4, 0), 'employee ' || g, 'cc' || g % 7 FROM generate_series(1, 400) g;
INSERT INTO ledger_entries SELECT g, 'A' || g % 90, 12.50, now() FROM generate_series(1, 10000) g;
INSERT INTO loyalty_points SELECT g, g * 10 FROM generate_series(1, 5000) g;
INSERT INTO batch_runs (cut_at, started_at, finished_at) SELECT d, d, d + interval '47 minutes' FROM generate_series(now() - interval '30 days', now(), interval '1 day') d;
INSERT INTO stock_runs (cut_at, started_at, finished_at) SELECT d, d, d + interval '6 minutes' FROM generate_series(now() - interval '1 day', now(), interval '15 minutes') d;
DO $$ BEGIN FOR load IN 1..5 LOOP DELETE FROM partner_prices; INSERT INTO partner_prices SELECT 'SKU-' || g, g FROM generate_series(1, 2000) g; END LOOP; END $$;
DELETE FROM ledger_entries WHERE id % 50 = 0;
ANALYZE;
