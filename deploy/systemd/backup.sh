#!/bin/sh
# Two passes: the bulk while everything runs, then what has changed meanwhile with the service stopped, so that desk, journal,
# the detector's state and the lake are of one moment. The pause is that of the second pass, mostly some seconds; pushers are
# refused meanwhile and try again, other sources go on where they were.
set -eu
home=${GROUNDSWELL_HOME:-/var/lib/groundswell/home}
to=${BACKUP_TO:?BACKUP_TO says where the backup goes}
unit=${UNIT:-groundswell.service}
control=${SYSTEMCTL:-systemctl}
# What can be made again at any time is left out.
copy() { rsync -a --delete --delete-excluded --exclude=/tmp --exclude=/cache "$home/" "$to/"; }

copy || [ $? -eq 24 ]  # 24: a file has gone meanwhile, as files of a running service do
was_running=no
if $control is-active --quiet "$unit"; then
  was_running=yes
  $control stop "$unit"
fi
again() { [ "$was_running" = no ] || $control start "$unit"; }
trap again EXIT
copy
