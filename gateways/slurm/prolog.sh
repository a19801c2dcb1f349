#!/bin/sh
# Slurm's Prolog: has a job's estimate held before it starts. A denial goes to the log of slurmd, and the job is not run.
#
# Set for every node, as in /etc/tokens-bot/jobs.env: TOKENS_BOT_URL, TOKENS_BOT_KEY (scope holds:write), and where they
# differ from the defaults here TOKENS_SERVICE, TOKENS_GPU_MODEL and TOKENS_JOBS_PATH (where the folder `gateways` is).
set -eu
. "${TOKENS_JOBS_ENV:-/etc/tokens-bot/jobs.env}"
export TOKENS_BOT_URL TOKENS_BOT_KEY PYTHONPATH="${TOKENS_JOBS_PATH:-/opt/tokens-bot}"
export TOKENS_JOBS_FOLDER="${TOKENS_JOBS_FOLDER:-/var/spool/tokens-bot}"

# Only the first node of a job speaks for all of them, which have equally many GPUs.
nodes=$(scontrol show hostnames "$SLURM_JOB_NODELIST")
[ "${SLURMD_NODENAME:-}" = "$(printf '%s\n' "$nodes" | head -n 1)" ] || exit 0
gpus=$(($(printf '%s' "${SLURM_JOB_GPUS:-}" | tr ',' '\n' | wc -w) * $(printf '%s\n' "$nodes" | wc -l)))
[ "$gpus" -gt 0 ] || exit 0

seconds=$((SLURM_JOB_END_TIME - SLURM_JOB_START_TIME))
exec python3 -m gateways.jobs begin \
    --id "slurm-$SLURM_JOB_ID.${SLURM_RESTART_COUNT:-0}" \
    --user "$SLURM_JOB_USER" \
    --service "${TOKENS_SERVICE:-gpu-cluster}" \
    --model "${TOKENS_GPU_MODEL:-}" \
    --project "${SLURM_JOB_ACCOUNT:-}" \
    --gpus "$gpus" \
    --hours "$(awk "BEGIN { print $seconds / 3600 }")"
