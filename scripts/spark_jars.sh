#!/bin/sh
# Brings the jars that PySpark lacks to read Kafka (5 MB) into a folder, and with --s3 those for a lake in S3 (700 MB).
#   sh scripts/spark_jars.sh [--s3] [FOLDER]        then: export GROUNDSWELL_SPARK_JARS=FOLDER
# Needs Java and Maven. Versions are those of deploy/spark/pom.xml, which go with the PySpark of requirements/.
set -eu
here=$(cd "$(dirname "$0")/.." && pwd)
profile=""
if [ "${1:-}" = "--s3" ]; then profile="-Ps3"; shift; fi
folder=${1:-$here/build/spark-jars}
command -v mvn >/dev/null 2>&1 || { echo "no Maven (Debian: apt-get install maven)" >&2; exit 1; }
mkdir -p "$folder"
folder=$(cd "$folder" && pwd)
# shellcheck disable=SC2086 - empty or one word
mvn -B -q -f "$here/deploy/spark/pom.xml" $profile dependency:copy-dependencies \
  -DincludeScope=runtime -DoutputDirectory="$folder"
echo "$folder"
