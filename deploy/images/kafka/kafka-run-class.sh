#!/bin/bash
# Runs a class of Kafka. It reads some of the variables that Kafka's own script of this name reads.
set -euo pipefail
home=$(realpath "$(dirname "$0")/..")
read -ra options <<< "${KAFKA_HEAP_OPTS:--Xmx256m} ${KAFKA_OPTS:-} ${KAFKA_JMX_OPTS:-}"
exec java -XX:+UseSerialGC -Dlog4j2.configurationFile="$home/log4j2.properties" "${options[@]}" -cp "$home/libs/*" "$@"
