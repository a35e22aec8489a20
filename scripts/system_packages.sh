#!/bin/sh
# Chromium (browser tests), Java and Maven (Spark and Kafka tests), PostgreSQL (database tests), Nginx and rsync (tests of
# deploy/) from the system's packages; says what is missing where it may not install. Go, which builds two test servers,
# is not among them: Debian's is too old.
set -u
missing=""
command -v go >/dev/null 2>&1 || echo "no Go (https://go.dev/dl, 1.25 or newer): the tests with S3 and MongoDB servers are skipped"
command -v chromium >/dev/null 2>&1 || command -v chromium-browser >/dev/null 2>&1 || command -v google-chrome >/dev/null 2>&1 \
  || missing="$missing chromium"
command -v java >/dev/null 2>&1 || missing="$missing default-jre-headless"
command -v mvn >/dev/null 2>&1 || missing="$missing maven"
{ command -v postgres || ls /usr/lib/postgresql/*/bin/postgres; } >/dev/null 2>&1 || missing="$missing postgresql"
command -v nginx >/dev/null 2>&1 || ls /usr/sbin/nginx >/dev/null 2>&1 || missing="$missing nginx-light"
command -v rsync >/dev/null 2>&1 || missing="$missing rsync"
[ -z "$missing" ] && exit 0
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
  echo "installing from the system's packages:$missing"
  export DEBIAN_FRONTEND=noninteractive
  apt-get update -qq && apt-get install -y -qq --no-install-recommends $missing >/dev/null && exit 0
fi
echo "================================================================================"
echo "NOT INSTALLED:$missing"
echo "The tests that need it are skipped (and fail with CI=true). Install it and run again."
echo "================================================================================"
exit 0
