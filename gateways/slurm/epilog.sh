#!/bin/sh
# Slurm's Epilog: reports what a job used and gives back the rest. It never drains the node: what can't be told now waits
# in TOKENS_JOBS_FOLDER, and goes out with the next job or with `python3 -m gateways.jobs send`.
set -eu
. "${TOKENS_JOBS_ENV:-/etc/tokens-bot/jobs.env}"
export TOKENS_BOT_URL TOKENS_BOT_KEY PYTHONPATH="${TOKENS_JOBS_PATH:-/opt/tokens-bot}"
export TOKENS_JOBS_FOLDER="${TOKENS_JOBS_FOLDER:-/var/spool/tokens-bot}"

[ "${SLURMD_NODENAME:-}" = "$(scontrol show hostnames "$SLURM_JOB_NODELIST" | head -n 1)" ] || exit 0

python3 -m gateways.jobs end --id "slurm-$SLURM_JOB_ID.${SLURM_RESTART_COUNT:-0}" || true
