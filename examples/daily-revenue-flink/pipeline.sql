-- Computes the same result as the Kafka Streams example, in Flink SQL. It reads each record as an
-- upsert of the row in `after`. It does not use `before`, so the source's tables need no REPLICA
-- IDENTITY FULL. For a delete, the topic has a record whose `after` is null, and then a tombstone.
-- The queries below leave out the rows whose `after` is null.
CREATE TABLE stores (id INT, `after` ROW<time_zone STRING>, PRIMARY KEY (id) NOT ENFORCED) WITH (
  'connector' = 'upsert-kafka', 'topic' = '${topic:public.stores}', 'properties.bootstrap.servers' = '${brokers}', 'properties.group.id' = '${group}',
  'properties.isolation.level' = 'read_committed', 'key.format' = 'json', 'value.format' = 'json', 'value.fields-include' = 'EXCEPT_KEY');
CREATE TABLE orders (id BIGINT, `after` ROW<store_id INT, status STRING, ordered_at STRING>, PRIMARY KEY (id) NOT ENFORCED) WITH (
  'connector' = 'upsert-kafka', 'topic' = '${topic:public.orders}', 'properties.bootstrap.servers' = '${brokers}', 'properties.group.id' = '${group}',
  'properties.isolation.level' = 'read_committed', 'key.format' = 'json', 'value.format' = 'json', 'value.fields-include' = 'EXCEPT_KEY');
CREATE TABLE order_items (id BIGINT, `after` ROW<order_id BIGINT, quantity INT, unit_price STRING, discount STRING>, PRIMARY KEY (id) NOT ENFORCED) WITH (
  'connector' = 'upsert-kafka', 'topic' = '${topic:public.order_items}', 'properties.bootstrap.servers' = '${brokers}', 'properties.group.id' = '${group}',
  'properties.isolation.level' = 'read_committed', 'key.format' = 'json', 'value.format' = 'json', 'value.fields-include' = 'EXCEPT_KEY');
CREATE TABLE refunds (id BIGINT, `after` ROW<order_id BIGINT, amount STRING>, PRIMARY KEY (id) NOT ENFORCED) WITH (
  'connector' = 'upsert-kafka', 'topic' = '${topic:public.refunds}', 'properties.bootstrap.servers' = '${brokers}', 'properties.group.id' = '${group}',
  'properties.isolation.level' = 'read_committed', 'key.format' = 'json', 'value.format' = 'json', 'value.fields-include' = 'EXCEPT_KEY');

CREATE TABLE revenue (
  `day` DATE, store_id INT, orders BIGINT, gross DECIMAL(14, 2), refunded DECIMAL(14, 2), revenue DECIMAL(14, 2), PRIMARY KEY (`day`, store_id) NOT ENFORCED
) WITH (
  'connector' = 'upsert-kafka', 'topic' = '${output}', 'properties.bootstrap.servers' = '${brokers}',
  'key.format' = 'json', 'value.format' = 'json', 'value.json.encode.decimal-as-plain-number' = 'true');

-- Assigns each order to a day in the store's time zone. `ordered_at` is text in UTC with six
-- decimal places of the second.
CREATE TEMPORARY VIEW order_days AS
SELECT o.id, o.`after`.store_id AS store_id,
  CAST(SUBSTRING(CONVERT_TZ(SUBSTRING(REPLACE(o.`after`.ordered_at, 'T', ' '), 1, 19), 'UTC', s.`after`.time_zone), 1, 10) AS DATE) AS `day`
FROM orders o JOIN stores s ON s.id = o.`after`.store_id
WHERE o.`after` IS NOT NULL AND s.`after` IS NOT NULL AND o.`after`.status <> 'cancelled';

INSERT INTO revenue
SELECT d.`day`, d.store_id, COUNT(*),
  CAST(COALESCE(SUM(i.gross), 0) AS DECIMAL(14, 2)),
  CAST(COALESCE(SUM(r.refunded), 0) AS DECIMAL(14, 2)),
  CAST(COALESCE(SUM(i.gross), 0) - COALESCE(SUM(r.refunded), 0) AS DECIMAL(14, 2))
FROM order_days d
LEFT JOIN (
  SELECT `after`.order_id AS order_id, SUM(`after`.quantity * CAST(`after`.unit_price AS DECIMAL(10, 2)) - COALESCE(CAST(`after`.discount AS DECIMAL(10, 2)), 0)) AS gross
  FROM order_items WHERE `after` IS NOT NULL GROUP BY `after`.order_id
) i ON i.order_id = d.id
LEFT JOIN (
  SELECT `after`.order_id AS order_id, SUM(CAST(`after`.amount AS DECIMAL(10, 2))) AS refunded FROM refunds WHERE `after` IS NOT NULL GROUP BY `after`.order_id
) r ON r.order_id = d.id
GROUP BY d.`day`, d.store_id;
