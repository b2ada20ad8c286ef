#!/usr/bin/env bash
# A Slurm cluster of one machine in a private directory: munged, slurmctld and slurmd, stopped when
# the command that is given has ended. Needs root, and Debian's slurm-wlm and munge.
#
#     bash tests/slurm/cluster.sh COMMAND [ARGUMENT...]
set -euo pipefail
[ $# -gt 0 ] || { echo "usage: cluster.sh COMMAND [ARGUMENT...]" >&2; exit 1; }
dir=$(mktemp -d /tmp/slurm-XXXXXX)
cleanup() {
  for daemon in slurmd slurmctld munged; do
    [ ! -e "$dir/$daemon.pid" ] || kill "$(cat "$dir/$daemon.pid")" 2> /dev/null || true
  done
  sleep 1
  rm -rf "$dir"
}
trap cleanup EXIT
mkdir -p "$dir/state" "$dir/spool" "$dir/munge"
# Munge wants to know that nobody else can touch its key and its socket.
chmod 755 "$dir" "$dir/munge"
dd if=/dev/urandom of="$dir/munge/key" bs=128 count=1 2> /dev/null
chmod 600 "$dir/munge/key"
munged --force --socket="$dir/munge/socket" --key-file="$dir/munge/key" \
  --pid-file="$dir/munged.pid" --log-file="$dir/munge/log" --seed-file="$dir/munge/seed"
host=$(hostname -s)
cores=$(nproc)
port=$((20000 + $$ % 20000))
cat > "$dir/slurm.conf" << CONF
ClusterName=private
SlurmctldHost=$host(127.0.0.1)
SlurmctldPort=$port
SlurmdPort=$((port + 1))
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket=$dir/munge/socket
CryptoType=crypto/munge
StateSaveLocation=$dir/state
SlurmdSpoolDir=$dir/spool
SlurmctldPidFile=$dir/slurmctld.pid
SlurmdPidFile=$dir/slurmd.pid
SlurmctldLogFile=$dir/slurmctld.log
SlurmdLogFile=$dir/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
MpiDefault=none
ReturnToService=2
SchedulerParameters=sched_interval=1,batch_sched_delay=1
MinJobAge=600
JobRequeue=1
NodeName=$host NodeAddr=127.0.0.1 CPUs=$cores State=UNKNOWN
PartitionName=all Nodes=$host Default=YES MaxTime=INFINITE State=UP
CONF
export SLURM_CONF="$dir/slurm.conf"
slurmctld
slurmd
for _ in $(seq 60); do
  [ "$(sinfo --noheader --format=%T 2> /dev/null)" = idle ] && break
  sleep 1
done
if [ "$(sinfo --noheader --format=%T)" != idle ]; then
  tail -n 20 "$dir"/*.log >&2
  exit 1
fi
"$@"
