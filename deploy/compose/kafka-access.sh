#!/usr/bin/env bash
# Creates the users of docker-compose.secure.yml, and the ACLs that Kafka Connect needs for its own topics, groups and
# transactions. It logs in with the brokers' certificate, and changes nothing when it runs again.
set -euo pipefail
# Runs a tool up to three times. Each tool gives up after a minute, which can be too short for its start and login on a
# busy machine.
run() {
  for _ in 1 2 3; do
    "/opt/kafka/bin/$1" --bootstrap-server 127.0.0.1:17407 --command-config "$COMMAND_CONFIG" "${@:2}" && return 0
  done
  return 1
}
# The tools take 256 MB each by default, and all of them run at the same time.
export KAFKA_HEAP_OPTS=-Xmx128m
started=()
for user in admin sluice connect pipeline; do
  variable=PASSWORD_OF_${user^^}
  run kafka-configs.sh --alter --entity-type users --entity-name "$user" \
    --add-config "SCRAM-SHA-512=[password=${!variable}]" &
  started+=($!)
done
run kafka-acls.sh --add --force --allow-principal User:connect --operation All \
  --topic connect- --group connect- --transactional-id connect- --resource-pattern-type prefixed &
started+=($!)
# `wait` without an id does not return the exit code of a failed tool.
for id in "${started[@]}"; do wait "$id"; done
