#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# in the VM: none
# an ordinary user on both sides of a tunnel, with real programs
# shellcheck disable=SC2154 # run sets status, output and stderr
# shellcheck disable=SC2016 # the scripts are for the shell in the lab

load change

setup_file() {
	bats_require_minimum_version 1.5.0
	lab_up
	lab_install
	lab_wgns up --backend "$(lab_backend)" wg0
	lab_in home ping -c 1 -w 10 10.77.0.80 >/dev/null
	lab_wait_handshake wg0
}
teardown_file() {
	lab_wgns down --kill wg0
	lab_down
}

# the page that says who asks, as chromium renders it without a screen
chromium='--headless --disable-gpu --disable-quic --no-first-run --disable-background-networking --disable-component-update
	--disable-sync --disable-dev-shm-usage --dump-dom'

@test "a user of the group sees the uplink's side in physical and the tunnel's in home" {
	run -0 lab_as alice curl -sm 5 http://10.77.0.80/
	[ "$output" = 'behind the tunnel' ]
	run -0 lab_as alice wgns exec --physical curl -sm 5 http://203.0.113.80/cgi-bin/who
	[[ $output = *192.0.2.10* ]]
	run lab_as alice wgns exec --physical curl -sm 2 http://10.77.0.80/
	[ "$status" -ne 0 ]
	[ "$(lab_as alice wgns exec --physical id)" = "$(lab_as alice id)" ]
}

@test "names are resolved on the side where the program is" {
	run -0 lab_as alice wgns exec --physical getent ahostsv4 www.example.test
	lab_dns_asked isp www.example.test
	run -2 lab_as alice wgns exec --physical getent hosts intra.inside.test
	run ! lab_dns_asked web www.example.test
	run -0 lab_as alice getent hosts intra.inside.test
}

@test "a user outside of the group is refused, with what to do about it and nothing done" {
	run -125 lab_as mallory wgns exec --physical touch /run/user/4802/ran
	[ "${lines[0]}" = 'wgns: exec: permission denied: group wgns may enter physical' ]
	[ "${lines[1]}" = '  hint: sudo usermod -aG wgns mallory, and log in again' ]
	run ! lab_run test -e /run/user/4802/ran
}

@test "chromium shows a page of the uplink's side in physical, and one of the tunnel's side in home" {
	command -v chromium >/dev/null || { [ -n "${WGNS_MUST_RUN:-}" ] || skip 'chromium is not installed'; }
	# shellcheck disable=SC2086 # several options
	run -0 --separate-stderr lab_as alice timeout 60 wgns exec --profile browser chromium $chromium http://203.0.113.80/cgi-bin/who
	[[ $output = *192.0.2.10* ]]
	# shellcheck disable=SC2086
	run -0 --separate-stderr lab_as alice timeout 60 chromium $chromium http://10.77.0.80/
	[[ $output = *'behind the tunnel'* ]]
}

@test "ping works in physical without a privilege, also where home allows it to nobody" {
	[ "$(lab_run cat /proc/sys/net/ipv4/ping_group_range | xargs)" = '1 0' ]
	run -0 lab_as alice wgns exec --physical ping -c 1 -w 5 192.0.2.1
	run -0 lab_as alice wgns exec --physical ping -c 1 -w 5 2001:db8:1::1
}

@test "a user's status says what only root sees, and in a box that it is not home" {
	run -0 lab_as alice wgns status
	[[ $output = *'wg0: unknown: only root sees it'* ]]
	[[ $output != *'dns '* ]]
	run -1 lab_as alice wgns exec --physical wgns status
	[ "$output" = 'wgns: status: this is not home but physical: run it outside of the box' ]
}

@test "a user's program is the process that the shell started, in its job and on its terminal" {
	lab_run tee /run/script >/dev/null <<-"E"
		set -m
		cut -d" " -f6-7 /proc/self/stat >/run/user/4801/before
		wgns exec --physical sh -c "cut -d' ' -f6-7 /proc/self/stat >/run/user/4801/after; kill -STOP \$\$; echo resumed; stty size; exit 7" &
		pid=$!
		until [ "$(cut -d' ' -f3 /proc/$pid/stat)" = T ]; do read -rt 0.02 <> <(:) || :; done
		jobs -l
		stty rows 33 cols 77
		fg %1
		echo "status $?"
	E
	run -0 lab_as alice script -qec 'bash /run/script' /dev/null
	[[ $output = *Stopped*resumed*'33 77'*'status 7'* ]]
	run -0 lab_run cmp /run/user/4801/before /run/user/4801/after
}

@test "a path socket of the desktop is reached from a box, an abstract one is not" {
	lab_run tee /run/listen >/dev/null <<-"E"
		use IO::Socket::UNIX;
		my @l = map { IO::Socket::UNIX->new(Local => $_, Listen => 5) or die "$_: $!" } "/run/user/4801/wayland-0", "\0wgns-abstract";
		open(my $f, ">", "/run/user/4801/listens"); close $f;
		while (my $c = $l[0]->accept) { print $c "hello\n"; close $c; }
	E
	lab_run tee /run/ask >/dev/null <<-"E"
		use IO::Socket::UNIX;
		my $s = IO::Socket::UNIX->new(Peer => $ARGV[0] eq "path" ? "/run/user/4801/wayland-0" : "\0wgns-abstract") or die "$!\n";
		print $ARGV[0] eq "path" ? <$s> : "connected\n";
	E
	lab_as alice perl /run/listen 3>&- &
	listener=$!
	lab_wait lab_run test -e /run/user/4801/listens
	[ "$(lab_as alice perl /run/ask path)" = hello ]
	[ "$(lab_as alice perl /run/ask abstract)" = connected ]
	[ "$(lab_as alice wgns exec --physical perl /run/ask path)" = hello ]
	run lab_as alice wgns exec --physical perl /run/ask abstract
	kill "$listener" 2>/dev/null || :
	lab_run pkill -f /run/listen || :
	[ "$output" = 'Connection refused' ]
	[ "$status" != 0 ]
}
