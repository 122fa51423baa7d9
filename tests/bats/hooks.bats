#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# in the VM: 6.1
# Pre/Post hooks and SaveConfig
# shellcheck disable=SC2016 # the text of a hook or a file is not for this shell to expand
# shellcheck disable=SC2154 # run sets status, output and stderr
# shellcheck disable=SC2317 # functions are called by name

load change

setup() { lab_up; }
teardown() { lab_down; }

@test "hooks run in wg-quick's order, in home, and find the device as wg-quick leaves it" {
	for hook in PreUp PostUp PreDown PostDown; do
		for n in 1 2; do
			# errexit is on, as in wg-quick
			interface wg0 "$hook = { echo $hook; ip -br addr show dev %i || :; wg show %i peers || :; ip route show default; } \
>>/run/hooks 2>\&1"
			conf wg0 "s/echo $hook;/echo $hook$n;/"
		done
	done
	# interface() adds above: the last of a kind is the first in the file
	conf wg0 's/\(echo [A-Za-z]*\)1;/\1X;/; s/\(echo [A-Za-z]*\)2;/\11;/; s/\(echo [A-Za-z]*\)X;/\12;/'
	up wg0
	down wg0
	lab_run sed -E 's/fe80:[^ ]*//; s/^[A-Za-z0-9+/]{43}=$/PEER/; s/wg0 +[A-Z]+/wg0/; s/ +/ /g; s/ $//;
		s/^(Unable to access interface): .*/\1/' /run/hooks >"$BATS_TEST_TMPDIR/hooks"
	configured() { printf '%s\n' "$1" 'wg0 10.9.0.2/32 fd00:9::2/128' PEER 'default dev wg0 scope link'; }
	{
		printf '%s\n' PreUp1 wg0 PreUp2 wg0
		configured PostUp1
		configured PostUp2
		configured PreDown1
		configured PreDown2
		for n in 1 2; do
			printf '%s\n' "PostDown$n" 'Device "wg0" does not exist.' 'Unable to access interface'
		done
	} | diff - "$BATS_TEST_TMPDIR/hooks"
}

# not in the VM
@test "hooks are shown before they run, also without -v" {
	interface wg0 'PreUp = echo said by the hook'
	interface wg0 'PostDown = echo good-bye'
	run up wg0
	says 0 'hook.run PreUp 1: echo said by the hook
said by the hook'
	run down wg0
	says 0 'hook.run PostDown 1: echo good-bye
good-bye'
}

# not in the VM
@test "a hook has a fixed environment, the root as its folder, and no descriptor of wgns" {
	interface wg0 'PreUp = { pwd; env | sort; ls /proc/self/fd; } >/run/hook'
	WGNS_SECRET=1 LD_LIBRARY_PATH=/nowhere up wg0
	diff - <(lab_run grep -v -e '^_=' -e '^SHLVL=' -e '^OLDPWD=' /run/hook) <<-E
		/
		HOME=/root
		LC_ALL=C
		PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
		PWD=/
		WGNS_HOOK=1
		0
		1
		2
		3
	E
}

# not in the VM
@test "a failing PreUp undoes everything" {
	interface wg0 'PreUp = exit 7'
	remember
	run up wg0
	says 1 'hook.run PreUp 1' 'exit status 7' 'everything was undone'
	unchanged
}

@test "a failing PostUp undoes everything" {
	interface wg0 'PostUp = true; false'
	remember
	run up wg0
	says 1 'hook.run PostUp 1' 'exit status 1' 'everything was undone'
	unchanged
}

# not in the VM
@test "a PostUp that is killed undoes everything" {
	interface wg0 'PostUp = kill -9 $$'
	remember
	run up wg0
	says 1 'killed by signal 9' 'everything was undone'
	unchanged
}

@test "a failing PreDown or PostDown does not strand the uplink, and is told" {
	for hook in PreDown PostDown; do
		interface wg0 "$hook = exit 3"
		remember
		up wg0
		run down wg0
		says 1 "$hook 1 failed, and down goes on" 'exit status 3' 'it is down, and a hook failed'
		unchanged
		conf wg0 "/^$hook/d"
	done
}

# not in the VM
@test "a hook that calls wgns is refused at once" {
	interface wg0 "PreUp = $WGNS down wg0 || echo down \$? >/run/status; $WGNS up wg1 || echo up \$? >>/run/status"
	run up wg0
	says 0 'a hook of wgns cannot run it'
	[ "$(lab_run cat /run/status)" = "$(printf 'down 3\nup 3')" ]
	down wg0
}

# not in the VM
@test "hooks in a file that others may write refuse before anything is touched" {
	interface wg0 'PreUp = touch /run/evil'
	lab_run chmod 666 /etc/wireguard/wg0.conf
	refused 1 'the file has hooks, and they do not run' 'Hooks = yes' -- wg0
	lab_run chmod 600 /etc/wireguard/wg0.conf
	lab_run chown 4242 /etc/wireguard/wg0.conf
	refused 1 'the file has hooks, and they do not run' -- wg0
	lab_run chown 0 /etc/wireguard/wg0.conf
	lab_run chmod 777 /etc/wireguard
	refused 1 'the file has hooks, and they do not run' -- wg0
	[ ! -e "/proc/$LAB_HOME/root/run/evil" ]
}

# not in the VM
@test "Hooks = yes in wgns.conf trusts them all the same" {
	interface wg0 'PreUp = touch /run/trusted'
	lab_run chmod 666 /etc/wireguard/wg0.conf
	lab_run sh -c 'printf "[Tunnel]\nHooks = yes\n" >/etc/wgns/wg0.conf'
	up wg0
	lab_run test -e /run/trusted
}

# not in the VM
@test "the hooks of down are those that up saw, whatever became of the file" {
	interface wg0 'PostDown = touch /run/old'
	up wg0
	conf wg0 's,/run/old,/run/new,'
	lab_run mv /etc/wireguard/wg0.conf /etc/wireguard/moved
	down wg0
	lab_run test -e /run/old
	run ! lab_run test -e /run/new
}

@test "SaveConfig writes the live device over the file" {
	interface wg1 'SaveConfig = true'
	interface wg1 'MTU = 1333'
	up wg1
	key=$(wg genkey | wg pubkey)
	lab_run wg set wg1 peer "$key" allowed-ips 10.3.0.0/16 persistent-keepalive 17
	lab_run ip addr add 10.9.1.77/32 dev wg1
	port=$(lab_run wg show wg1 listen-port)
	down wg1
	lab_run cat /etc/wireguard/wg1.conf >"$BATS_TEST_TMPDIR/saved"
	for line in "PublicKey = $key" 'AllowedIPs = 10.3.0.0/16' 'PersistentKeepalive = 17' "ListenPort = $port" \
		'SaveConfig = true' 'MTU = 1333' 'Endpoint = 198.51.100.2:51820'; do
		grep -qxF "$line" "$BATS_TEST_TMPDIR/saved"
	done
	grep -q '^Address = .*10.9.1.77/32' "$BATS_TEST_TMPDIR/saved"
	[ "$(lab_run stat -c %a /etc/wireguard/wg1.conf)" = 600 ]
	up wg1
	[ "$(get 10.78.0.80/)" = "behind the tunnel" ]
}

# not in the VM
@test "a crash leaves no core with a key in it" {
	# between a hook and wgns is its keeper
	interface wg0 'PostUp = kill -ABRT $(ps -o ppid= -p $PPID)'
	run lab_run sh -c 'cd /run; ulimit -c unlimited; "$0" up wg0' "$WGNS"
	[ "$status" = 134 ]
	[ -z "$(lab_run find /run -maxdepth 1 -name 'core*')" ]
	down wg0
}

# not in the VM
@test "a hook's output does not get into the answer of --json" {
	interface wg0 'PostUp = echo from the hook'
	run --separate-stderr up --json wg0
	[ "$status" = 0 ]
	jq -e '.state == "up"' <<<"$output"
	down wg0
}

# not in the VM
@test "PreDown and PostDown run once although down is tried twice" {
	interface wg0 'PreDown = echo pre >>/run/ran'
	interface wg0 'PostDown = echo post >>/run/ran'
	up wg0
	run lab_run env WGNS_FAULT=undo:1 "$WGNS_FAULTY" down wg0
	[ "$status" = 4 ]
	down wg0
	lab_run cat /run/ran >&2
	[ "$(lab_run cat /run/ran | tr "\n" " ")" = "pre post " ]
}
