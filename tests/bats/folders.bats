#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# in the VM: none
# what up makes for exec: folders of path sockets that can be hidden, and compiled profiles
# shellcheck disable=SC2016 # the text of a script is not for this shell to expand
# shellcheck disable=SC2154 # run sets status, output and stderr

load change

setup() { lab_up; }
teardown() { lab_down; }

pinned=(/run/nscd /run/systemd/resolve /run/dbus)

# listens PATH: a socket there says hello to whoever connects, also to those after the first
listens() {
	lab_run perl -MIO::Socket::UNIX -e '
		my $s = IO::Socket::UNIX->new(Local => $ARGV[0], Listen => 1) or die "$!";
		exit if fork;
		close STDOUT; close STDERR;
		while (my $c = $s->accept) { print $c "hello\n"; close $c }' "$1" 3>&-
}
hello() {
	[ "$(lab_run perl -MIO::Socket::UNIX -e 'print IO::Socket::UNIX->new(Peer => $ARGV[0])->getline' "$1")" = hello ]
}
end_listeners() {
	lab_run pkill -x perl
	none() { ! lab_run pgrep -x perl; }
	lab_wait none
}

# mounts PATH: how many lie on it
mounts() { lab_run awk -v at="$1" '$5 == at { n++ } END { print n + 0 }' /proc/self/mountinfo; }

@test "up makes and pins the folders that are missing, and down takes them away" {
	remember
	(
		umask 077
		up wg0
	)
	for dir in "${pinned[@]}"; do
		[ "$(lab_run stat -c '%a %u:%g %F' "$dir")" = '755 0:0 directory' ]
		[ "$(mounts "$dir")" = 1 ]
	done
	[ "$(lab_run stat -c '%a %u:%g' /run/systemd)" = '755 0:0' ]
	[ "$(mounts /run/systemd)" = 0 ]
	down wg0
	unchanged
}

@test "a pinned folder cannot be removed or renamed" {
	up wg0
	for dir in "${pinned[@]}"; do
		run ! lab_run rmdir "$dir"
		[[ $output = *busy* ]]
		run ! lab_run mv "$dir" "$dir.away"
		lab_run test -d "$dir"
	done
}

@test "folders that are there keep content, owner and mode" {
	lab_run sh -c 'mkdir -m 711 /run/nscd; mkdir -p /run/systemd/resolve; mkdir -m 2750 /run/dbus
		chown 4321:4322 /run/nscd /run/dbus; echo kept >/run/nscd/a; echo kept >/run/systemd/resolve/b; touch /run/systemd/c'
	remember
	lab_run sh -c 'cd /run; ls -lnR nscd systemd dbus' >"$BATS_TEST_TMPDIR/files"
	up -n wg0 >"$BATS_TEST_TMPDIR/plan"
	run ! grep dir.create "$BATS_TEST_TMPDIR/plan"
	up wg0
	for dir in "${pinned[@]}"; do
		[ "$(mounts "$dir")" = 1 ]
	done
	lab_run sh -c 'cd /run; ls -lnR nscd systemd dbus' | diff "$BATS_TEST_TMPDIR/files" -
	down wg0
	unchanged
}

@test "a daemon's socket answers in home whether it is older than the pin or younger, and after down" {
	lab_run mkdir /run/nscd
	listens /run/nscd/socket
	up wg0
	hello /run/nscd/socket
	listens /run/dbus/socket
	hello /run/dbus/socket
	down wg0
	hello /run/nscd/socket
	hello /run/dbus/socket
	[ "$(mounts /run/nscd)$(mounts /run/dbus)" = 00 ]
	lab_run rm /run/nscd/socket /run/dbus/socket
	end_listeners
}

@test "a folder that somebody uses by now stays, with no mount on it" {
	up wg0
	lab_run sh -c 'touch /run/nscd/x /run/systemd/y; chown 4321 /run/dbus'
	down wg0
	lab_run test -e /run/nscd/x -a -e /run/systemd/y -a -d /run/dbus
	run ! lab_run test -e /run/systemd/resolve
	for dir in "${pinned[@]}"; do
		[ "$(mounts "$dir")" = 0 ]
	done
}

@test "a folder that is a mount point already is left as it is" {
	lab_run sh -c 'mkdir /run/nscd /run/dbus; mount -t tmpfs theirs /run/nscd; mount --bind /run/dbus /run/dbus'
	remember
	up wg0
	[ "$(mounts /run/nscd)$(mounts /run/dbus)" = 11 ]
	[ "$(lab_run stat -fc %T /run/nscd)" = tmpfs ]
	down wg0
	unchanged
}

@test "down after somebody has unmounted and removed a pinned folder" {
	remember
	up wg0
	lab_run sh -c 'umount /run/nscd; rmdir /run/nscd; umount /run/systemd/resolve; rm -r /run/systemd'
	down wg0
	unchanged
}

@test "down leaves somebody else's mount in place of the pin" {
	up wg0
	lab_run sh -c 'umount /run/nscd; mount -t tmpfs theirs /run/nscd'
	lab_run sh -c 'umount /run/dbus; mkdir /run/other; mount --bind /run/other /run/dbus'
	down wg0
	[ "$(mounts /run/nscd)$(mounts /run/dbus)" = 11 ]
	[ "$(lab_run stat -c %i /run/dbus)" = "$(lab_run stat -c %i /run/other)" ]
}

@test "down names a mount over the pin, leaves it, and does the rest when it is gone" {
	remember
	up wg0
	lab_run mount -t tmpfs theirs /run/systemd/resolve
	run down wg0
	says 4 'cannot undo mask.pin /run/systemd/resolve: something else was mounted over' 'umount /run/systemd/resolve' \
		'cannot undo dir.create /run/systemd'
	[ "$(mounts /run/systemd/resolve)" = 2 ]
	[[ $(lab_run ip route show default) = *eth0* ]]
	lab_run umount /run/systemd/resolve
	down wg0
	unchanged
}

@test "what is mounted below a folder is reachable while it is pinned, and stays" {
	lab_run sh -c 'mount --make-shared /run; mkdir -p /run/dbus/old /run/dbus/new; mount -t tmpfs theirs /run/dbus/old'
	lab_run touch /run/dbus/old/file
	up wg0
	lab_run test -e /run/dbus/old/file
	lab_run sh -c 'mount -t tmpfs theirs /run/dbus/new; mkdir /run/dbus/old/inner; mount -t tmpfs theirs /run/dbus/old/inner'
	down wg0
	[ "$(mounts /run/dbus)" = 0 ]
	for dir in old new old/inner; do
		[ "$(mounts "/run/dbus/$dir")" = 1 ]
	done
}

@test "where mounts of /run are shared, pins come and go in other mount namespaces, too" {
	lab_run mount --make-shared /run
	remember
	lab_run unshare -m --propagation slave sh -c 'echo $$ >/run/slave; exec sleep 1000' >/dev/null 3>&- &
	lab_wait lab_run test -s /run/slave
	pid=$(lab_run cat /run/slave)
	lab_run rm /run/slave
	there() { lab_run grep -c -e ' /run/nscd ' -e ' /run/dbus ' -e ' /run/systemd/resolve ' "/proc/$pid/mountinfo" || :; }
	up wg0
	[ "$(there)" = 3 ]
	down wg0
	[ "$(there)" = 0 ]
	lab_run kill "$pid"
	gone() { ! lab_run test -e "/proc/$pid"; }
	lab_wait gone
	unchanged
}

@test "up compiles the profiles, and down removes what it made of them" {
	lab_run sh -c 'mkdir /etc/wgns/profiles; printf "[Filter]\nDeny = ptrace\n" >/etc/wgns/profiles/mine.profile'
	remember
	up wg0
	[ "$(lab_run stat -c '%a %u:%g' /run/wgns/profile)" = '755 0:0' ]
	[ "$(lab_run stat -c '%a %u:%g' /run/wgns/profile/mine.bpf)" = '644 0:0' ]
	up wg1
	down wg0
	lab_run test -e /run/wgns/profile/mine.bpf
	down wg1
	unchanged
}

@test "a bad profile is a warning and keeps up from nothing" {
	lab_run sh -c 'mkdir /etc/wgns/profiles; printf "[Profile]\nNonesuch = 1\n" >/etc/wgns/profiles/bad.profile'
	remember
	run up wg0
	says 0 'warning: profile bad: ' '/etc/wgns/profiles/bad.profile:2:'
	run ! lab_run test -e /run/wgns/profile/bad.bpf
	down wg0
	unchanged
}
