# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# tap.bash - TAP for tests that are a machine of their own, and therefore no bats
n_failed=0

# wait_for CMD [ARG]...: until it succeeds; 120 s without success are a failure: machines are emulated
wait_for() {
	local - deadline=$((SECONDS + 120))
	set +x
	until "$@" >/dev/null 2>&1; do
		if ((SECONDS > deadline)); then
			echo "wait_for: never: $*" >&2
			return 1
		fi
		sleep 0.2
	done
}

# check FUNCTION NAME: one test; each command of the function has to succeed
check() {
	local out status start=$SECONDS
	# not in a condition: errexit would be off
	out=$(exec 2>&1; PS4='+ '; set -ex; "$1")
	status=$?
	if ((status == 0)); then
		echo "ok - $2 in $((SECONDS - start)) s"
	else
		((++n_failed))
		echo "not ok - $2"
		tail -60 <<<"$out" | sed 's/^/# /'
	fi
}
tap_end() { ((n_failed == 0)); }
