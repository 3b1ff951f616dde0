#!/bin/bash
# Starts a Kafka Connect worker as Debezium's image does. Every CONNECT_* variable becomes a property. Some properties
# also have a variable with a different name, such as GROUP_ID. Its value, or its default, overwrites the CONNECT_*
# variable of the same property.
set -euo pipefail
[[ "${1:-}" == start ]] || exec "$@"
address=$(ip -4 -o addr show scope global | awk 'NR == 1 { sub("/.*", "", $4); print $4 }')

export CONNECT_BOOTSTRAP_SERVERS="${BOOTSTRAP_SERVERS:-0.0.0.0:9092}"
export CONNECT_GROUP_ID="${GROUP_ID:-1}"
export CONNECT_CONFIG_STORAGE_TOPIC="${CONFIG_STORAGE_TOPIC:?set CONFIG_STORAGE_TOPIC}"
export CONNECT_OFFSET_STORAGE_TOPIC="${OFFSET_STORAGE_TOPIC:?set OFFSET_STORAGE_TOPIC}"
if [[ -n "${STATUS_STORAGE_TOPIC:-}" ]]; then export CONNECT_STATUS_STORAGE_TOPIC="$STATUS_STORAGE_TOPIC"; fi
export CONNECT_REST_ADVERTISED_HOST_NAME="${ADVERTISED_HOST_NAME:-${HOST_NAME:-$address}}"
export CONNECT_REST_ADVERTISED_PORT="${ADVERTISED_PORT:-8083}"
export CONNECT_REST_HOST_NAME="${REST_HOST_NAME:-${HOST_NAME:-$address}}"
export CONNECT_REST_PORT="${REST_PORT:-8083}"
export CONNECT_KEY_CONVERTER="${KEY_CONVERTER:-org.apache.kafka.connect.json.JsonConverter}"
export CONNECT_VALUE_CONVERTER="${VALUE_CONVERTER:-org.apache.kafka.connect.json.JsonConverter}"
export CONNECT_OFFSET_FLUSH_INTERVAL_MS="${OFFSET_FLUSH_INTERVAL_MS:-60000}"
export CONNECT_OFFSET_FLUSH_TIMEOUT_MS="${OFFSET_FLUSH_TIMEOUT_MS:-5000}"
export CONNECT_TASK_SHUTDOWN_GRACEFUL_TIMEOUT_MS="${SHUTDOWN_TIMEOUT:-10000}"
export KAFKA_HEAP_OPTS="${HEAP_OPTS:-${KAFKA_HEAP_OPTS:--Xms256M -Xmx2G}}"

cp -n "$KAFKA_HOME"/config.orig/* "$KAFKA_HOME/config/"
file="$KAFKA_HOME/config/connect-distributed.properties"
while read -r name; do
  key=$(tr '[:upper:]_' '[:lower:].' <<< "${name#CONNECT_}")
  value=${!name}
  # Debezium's script cannot set a value with this character, so this script refuses it.
  if [[ "$value" == *@* ]]; then printf '%s contains "@"\n' "$name"; exit 1; fi
  if grep -q "^$key=" "$file"; then sed -i "s@^$key=.*@$key=$value@" "$file"; else printf '%s=%s\n' "$key" "$value" >> "$file"; fi
done < <(compgen -e | grep '^CONNECT_')
exec "$KAFKA_HOME/bin/connect-distributed.sh" "$file"
