#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# in the VM: none
# shellcheck disable=SC2016 # the scripts are for the shell in the box

bats_require_minimum_version 1.5.0

setup() {
	load ../lab/boxlib.bash
	box_require
}

@test "exec passes every exit status on" {
	run -0 in_box '
		for s in $(seq 0 255); do
			got=0; $WGNS exec --physical sh -c "exit $s" || got=$?
			[ $got = $s ] || { echo "$s became $got"; exit 1; }
		done'
}

@test "exec ends by the signal that ended the program" {
	run -0 in_box '
		for sig in 1 2 9 13 15; do
			got=0; $WGNS exec --physical sh -c "kill -$sig \$\$" || got=$?
			[ $got = $((128 + sig)) ] || { echo "$sig became $got"; exit 1; }
		done'
}

@test "exec says 127 for a program that is not there and 126 for one that cannot run" {
	run -127 in_box '$WGNS exec --physical nonesuch'
	[ "$output" = 'wgns: exec: nonesuch: No such file or directory' ]
	run -126 in_box '$WGNS exec --physical /etc/passwd'
	[ "$output" = 'wgns: exec: /etc/passwd: Permission denied' ]
	run -126 in_box '$WGNS exec --physical /run'
}

@test "exec says 125 and how to bring it up where physical is not up" {
	run -125 in_box 'umount /run/wgns/box/physical/netns; rm -r /run/wgns; $WGNS exec --physical true'
	[ "${lines[0]}" = 'wgns: exec: physical is not up' ]
	[ "${lines[1]}" = '  hint: sudo wgns up TUNNEL' ]
	run -125 in_box '$WGNS exec --in office true'
	[ "${lines[0]}" = 'wgns: exec: office is not up' ]
	[ "${lines[1]}" = '  hint: this version has one box: physical' ]
}

@test "exec says 125 for a command line that is wrong" {
	local args
	for args in '' true --physical '--physical --home true' '--in' '--in a --in b true' '--nonesuch true' \
		'--physical -E novalue true' '--physical -E =x true' '--physical --user nonesuch true'; do
		run -125 in_box "\$WGNS exec $args"
		[[ $output == 'wgns: exec: '* ]]
	done
}

@test "exec leaves the program's own options to the program" {
	run -0 in_box '$WGNS exec --physical echo --home -E x --user nobody -n'
	[ "$output" = '--home -E x --user nobody -n' ]
	run -0 in_box '$WGNS exec --physical -- echo --'
	[ "$output" = -- ]
}

@test "exec passes arguments on byte for byte" {
	run -0 in_box '
		set -- "" " " "a  b" "$(printf "x\ny\n\nz")" "\$HOME" "*" "\\" "$(printf "\351\001\177")" ""
		cmp <(printf "%s\0" "$@") <($WGNS exec --physical printf "%s\0" "$@")
		cmp <(printf "%s\0" "$@") <($WGNS exec --physical -E A=1 printf "%s\0" "$@")'
}

@test "exec gives standard input, output and error to the program" {
	run -0 in_box '
		[ "$(echo hello | $WGNS exec --physical cat)" = hello ]
		[ "$($WGNS exec --physical sh -c "echo out; echo err >&2" 2>/run/err)" = out ]
		[ "$(cat /run/err)" = err ]'
}

@test "exec is the same process from the shell to the program" {
	run -0 in_box '
		set -- $(sh -c "echo \$\$; exec $WGNS exec --physical sh -c \"echo \\\$\\\$\"")
		[ $# = 2 ] && [ $1 = $2 ]'
}

@test "exec changes neither process group nor session nor terminal" {
	run -0 in_box '
		cat >/run/script <<-"E"
			cut -d" " -f5-8 /proc/self/stat >/run/before
			"$WGNS" exec --physical cut -d" " -f5-8 /proc/self/stat >/run/after
		E
		script -qec "bash /run/script" /dev/null
		cmp /run/before /run/after
		read -r _ _ tty _ </run/after
		[ "$tty" != 0 ]'
}

@test "exec keeps umask, limits, ignored signals, priority and working directory" {
	run -0 in_box '
		look="umask; ulimit -a; grep ^Sig[IB] /proc/self/status; nice; pwd; cat /proc/self/oom_score_adj"
		umask 027; ulimit -n 77 -c 0; trap "" USR1 PIPE; cd /usr/share
		[ "$(nice -n 3 sh -c "$look")" = "$(nice -n 3 $WGNS exec --physical sh -c "$look")" ]'
}

@test "exec shows the box's files to a program started in /etc or /sys" {
	run -0 in_box '
		cd /etc; [ "$($WGNS exec --physical cat resolv.conf)" = "nameserver 192.0.2.53" ]
		cd /sys/class/net; [ "$($WGNS exec --physical ls | tr "\n" " ")" = "inbox inbox2 lo " ]'
}

@test "exec leaves no capability to root and sets no_new_privs" {
	run -0 in_box '$WGNS exec --physical grep -E "^(Cap|NoNewPrivs|Uid)" /proc/self/status'
	[ "$(grep -c '^Cap[^B].*0000000000000000$' <<<"$output")" -eq 4 ]
	[[ $output == *NoNewPrivs:*1* ]]
	[[ $output == *$'Uid:\t0\t0\t0\t0'* ]]
	run -2 in_box '$WGNS exec --physical ip link set lo up'
	[[ $output == *'Operation not permitted'* ]]
}

@test "exec becomes the user who called sudo, with that user's groups and no capability" {
	run -0 in_box '
		SUDO_UID=4242 SUDO_GID=4242 $WGNS exec --physical sh -c "id -G; grep -E \"^(Cap|NoNewPrivs|Uid|Gid)\" /proc/self/status"'
	[ "${lines[0]}" = '4242 4300 4301' ]
	[ "$(grep -c '^Cap[^B].*0000000000000000$' <<<"$output")" -eq 4 ]
	[[ $output == *NoNewPrivs:*1* ]]
	[[ $output == *$'Uid:\t4242\t4242\t4242\t4242'* ]]
	[[ $output == *$'Gid:\t4242\t4242\t4242\t4242'* ]]
}

@test "exec becomes a user of sudo whom the user database does not know" {
	run -0 in_box 'SUDO_UID=5555 SUDO_GID=5556 $WGNS exec --physical sh -c "id -u; id -G"'
	[ "$output" = $'5555\n5556' ]
	run -125 in_box 'SUDO_UID=5555 $WGNS exec --physical true'
}

@test "exec refuses a SUDO_UID or SUDO_GID that is no number" {
	local value
	for value in '' -1 ' 1' 1x 0x10 4294967295 99999999999999999999; do
		run -125 in_box "SUDO_UID='$value' SUDO_GID=1 \$WGNS exec --physical true"
		run -125 in_box "SUDO_UID=4242 SUDO_GID='$value' \$WGNS exec --physical true"
	done
}

@test "exec --user becomes that user, by name or number" {
	run -0 in_box '
		[ "$($WGNS exec --physical --user boxer id -G)" = "4242 4300 4301" ]
		[ "$($WGNS exec --physical --user 4242 id -u)" = 4242 ]
		[ "$(SUDO_UID=4242 $WGNS exec --physical --user root id -u)" = 0 ]'
}

@test "exec gives the user's own HOME where sudo left root's and keeps what sudo -E kept" {
	run -0 in_box '
		export SUDO_UID=4242 SUDO_GID=4242 SUDO_USER=boxer SUDO_COMMAND=x
		mkdir -p /run/user/4242; chown 4242 /run/user/4242
		look="echo \$HOME \$USER \$LOGNAME \$SHELL \$XDG_RUNTIME_DIR \${SUDO_UID-none} \${SUDO_COMMAND-none} \${MAIL-none}"
		[ "$(HOME=/root USER=root LOGNAME=root SHELL=/bin/bash MAIL=/var/mail/root \
			$WGNS exec --physical bash -c "$look")" = \
			"/home/boxer boxer boxer /bin/dash /run/user/4242 none none none" ]
		[ "$(HOME=/srv/b USER=boxer LOGNAME=root SHELL=/bin/zsh XDG_RUNTIME_DIR=/x MAIL=/m \
			$WGNS exec --physical bash -c "$look")" = "/srv/b boxer boxer /bin/zsh /x none none /m" ]'
}

@test "exec -E sets variables for the program and not for wgns" {
	run -0 in_box '
		[ "$($WGNS exec --physical -E "A=b c" -E B= -E LD_PRELOAD=/nonexistent.so sh -c "echo \"[\$A][\$B][\$LD_PRELOAD]\"" \
			2>/run/err)" = "[b c][][/nonexistent.so]" ]
		grep -q nonexistent.so /run/err
		not grep -q wgns /run/err'
	run -125 in_box '$WGNS exec --physical -E A=1 ./b=c'
}

@test "a set-user-ID program gains nothing inside" {
	run -0 in_box '
		cp /usr/bin/id /run/id; chmod 4755 /run/id
		[ "$(setpriv --reuid 4242 --clear-groups /run/id -u)" = 0 ]
		[ "$($WGNS exec --physical --user boxer /run/id -u)" = 4242 ]'
}

@test "exec closes every descriptor above 2" {
	run -0 in_box '
		exec 5</etc/passwd 9<>/run/x 100</dev/null
		$WGNS exec --physical sh -c "for n in 3 4 5 6 7 8 9 10 100; do [ ! -e /proc/self/fd/\$n ] || exit 1; done"'
}

@test "exec leaves a closed standard input, output or error closed" {
	run -0 in_box '
		$WGNS exec --physical sh -c "[ ! -e /proc/\$\$/fd/0 ]" <&-
		$WGNS exec --physical sh -c "[ ! -e /proc/\$\$/fd/1 ]" >&-
		$WGNS exec --physical sh -c "[ ! -e /proc/\$\$/fd/2 ]" 2>&-
		$WGNS exec --physical sh -c "[ ! -e /proc/\$\$/fd/0 ] && [ ! -e /proc/\$\$/fd/2 ]" <&- >&- 2>&-'
}

@test "a program in the box is in its network namespace and sees its devices in /sys" {
	run -0 in_box '
		want=$(stat -Lc %i /run/wgns/box/physical/netns)
		[ "$($WGNS exec --physical readlink /proc/self/ns/net)" = "net:[$want]" ]
		[ "$($WGNS exec --physical ls /sys/class/net | tr "\n" " ")" = "inbox inbox2 lo " ]'
}

@test "what is mounted below /sys comes along" {
	run -0 in_box '
		mountpoint -q /sys/kernel/debug || mount -t debugfs d /sys/kernel/debug
		look="stat -f -c %T /sys/fs/cgroup /sys/kernel/debug; ls -R /sys/fs/cgroup | head -50; grep -o \" /sys/[^ ]*\" /proc/self/mountinfo | sort"
		sh -c "$look" >/run/before
		$WGNS exec --physical sh -c "$look" >/run/after
		cmp /run/before /run/after
		grep -q /sys/kernel/debug /run/after'
}

@test "names are resolved with the box's files alone" {
	run -0 in_box '
		[ "$($WGNS exec --physical cat /etc/resolv.conf)" = "nameserver 192.0.2.53" ]
		[ "$($WGNS exec --physical grep ^hosts: /etc/nsswitch.conf)" = "hosts: files dns" ]
		[ "$($WGNS exec --physical head -n1 /etc/passwd)" = "$(head -n1 /etc/passwd)" ]
		[ -z "$($WGNS exec --physical ls -A /run/nscd /run/systemd/resolve | grep -v :)" ]
		not $WGNS exec --physical touch /etc/x /run/nscd/x /run/systemd/resolve/x 2>/run/err
		[ "$(grep -c "Read-only file system" /run/err)" = 3 ]'
}

@test "the box keeps its resolv.conf when the host's is replaced while a program runs" {
	run -0 in_box '
		mkfifo /run/go
		$WGNS exec --physical sh -c "cat /etc/resolv.conf; echo ready >/run/go; read -r _ </run/go; cat /etc/resolv.conf" >/run/seen &
		read -r _ </run/go
		echo "nameserver 192.0.2.99" >/etc/resolv.conf.new
		mv /etc/resolv.conf.new /etc/resolv.conf
		echo go >/run/go
		wait $!
		[ "$(cat /run/seen)" = "$(printf "nameserver 192.0.2.53\nnameserver 192.0.2.53")" ]
		[ "$(cat /etc/resolv.conf)" = "nameserver 192.0.2.99" ]'
}

@test "the box has its resolv.conf whatever the host's is" {
	run -0 in_box '
		check() { [ "$($WGNS exec --physical cat /etc/resolv.conf)" = "nameserver 192.0.2.53" ]; }
		rm /etc/resolv.conf; check
		ln -s /run/systemd/resolve/stub-resolv.conf /etc/resolv.conf; check
		ln -sf ../run/systemd/resolve/stub-resolv.conf /etc/resolv.conf; check
		ln -sf /nonexistent /etc/resolv.conf; check
		rm /etc/resolv.conf; mkdir /etc/resolv.conf; check'
}

@test "exec works where nscd and systemd-resolved have no folder" {
	run -0 in_box 'rm -r /run/nscd /run/systemd; $WGNS exec --physical true'
}

@test "mounts made outside appear inside, and none made inside appears outside" {
	run -0 in_box '
		mkfifo /run/go; mkdir /run/later
		before=$(grep -vc " /run/later " /proc/self/mountinfo)
		$WGNS exec --physical sh -c "echo ready >/run/go; read -r _ </run/go; cat /run/later/file" >/run/seen &
		read -r _ </run/go
		[ "$(grep -vc " /run/later " /proc/self/mountinfo)" = "$before" ]
		mount -t tmpfs later /run/later; echo there >/run/later/file
		echo go >/run/go
		wait $!
		[ "$(cat /run/seen)" = there ]'
}

@test "exec refuses hostile box names" {
	local name
	for name in '' . .. ../physical physical/ ./physical physical/../physical /run 'a:b' 'a,b' 'a\b' 'a b' $'a\nb' 'ä' \
		"$(printf '%065d' 0)"; do
		NAME=$name run -125 in_box '$WGNS exec --in "$NAME" touch /run/ran || { s=$?; [ ! -e /run/ran ]; exit $s; }'
		NAME=$name run -125 in_box '$WGNS_HELPER "$NAME" - touch /run/ran || { s=$?; [ ! -e /run/ran ]; exit $s; }'
	done
}

@test "exec refuses a box whose netns is something else" {
	local make
	for make in 'touch b/netns' 'mkdir b/netns' 'mkfifo b/netns' 'ln -s ../physical/netns b/netns' \
		'touch b/netns; mount --bind /proc/self/ns/uts b/netns' 'touch b/netns; mount --bind /proc/self/ns/user b/netns' \
		'touch b/netns; mount --bind /proc/self/ns/pid b/netns' 'rmdir b/etc b; ln -s physical b'; do
		run -125 in_box "cd /run/wgns/box; mkdir -p b/etc; $make; cd /; \$WGNS exec --in b echo ran"
		[[ $output == 'wgns: exec: b: '* ]]
		[[ $output != *$'\n'ran* ]]
	done
}

@test "exec does not start the program where names cannot be sealed" {
	run -125 in_box 'rm -r /run/wgns/box/physical/etc; $WGNS exec --physical echo ran'
	[ "$output" = 'wgns: exec: physical: mount an overlay on /etc: No such file or directory' ]
	run -125 in_box 'rm -r /run/nscd; touch /run/nscd; $WGNS exec --physical echo ran'
	[ "$output" = 'wgns: exec: physical: hide /run/nscd: Not a directory' ]
}

@test "exec does not start the program when any of its system calls fails" {
	command -v strace >/dev/null || { [ -z "${WGNS_MUST_RUN:-}" ] && skip 'needs strace'; }
	# every mount in turn; the kernel's lies (retval) are found out by reading back
	run -0 in_box '
		try() {
			local got=0 fault=$1
			shift
			# the leak sanitizer of a build that has one does not work under ptrace(2)
			ASAN_OPTIONS=detect_leaks=0 "$@" strace -qq -o /run/trace -e inject=$fault "$WGNS" exec --physical touch /run/ran 2>/run/err || got=$?
			grep -q INJECTED /run/trace || { echo "$fault: not reached"; exit 1; }
			[ $got = 125 ] || { echo "$fault: status $got"; exit 1; }
			grep -q "^wgns: exec: ." /run/err || { echo "$fault: no reason"; exit 1; }
			not grep -q "execve.*\[\"touch" /run/trace || { echo "$fault: started"; exit 1; }
		}
		for fault in openat2:error=EACCES setns:error=EPERM unshare:error=ENOSPC mount:error=EPERM:when=1 \
			mount:error=ENODEV:when=2 mount:error=EPERM:when=3 mount:error=EPERM:when=4 mount:error=EPERM:when=5 \
			move_mount:error=EINVAL setresuid:error=EAGAIN setresuid:retval=0 capget:error=EINVAL capset:error=EPERM \
			prctl:error=EINVAL prctl:retval=0 close_range:error=EINVAL setgroups:error=EPERM setresgid:error=EPERM; do
			try $fault env SUDO_UID=4242 SUDO_GID=4242
		done
		try capset:retval=0 env'
}

@test "exec --home enters nothing and drops everything" {
	run -0 in_box '
		[ "$($WGNS exec --home readlink /proc/self/ns/net /proc/self/ns/mnt)" = "$(readlink /proc/self/ns/net /proc/self/ns/mnt)" ]
		[ "$($WGNS exec --home grep -c "^Cap[^B].*0000000000000000$" /proc/self/status)" = 4 ]
		[ "$($WGNS exec --home --user boxer id -G)" = "4242 4300 4301" ]'
}

@test "exec --home is refused inside physical" {
	run -125 in_box 'nsenter --net=/run/wgns/box/physical/netns $WGNS exec --home true'
	[[ ${lines[0]} == 'wgns: exec: this shell is not in home but in physical itself' ]]
	[[ ${lines[1]} == '  hint: nsenter '* ]]
}

@test "a user without root is told what is missing" {
	run -125 in_box 'chmod 755 /run/wgns/box/physical; setpriv --reuid 4242 --regid 4242 --clear-groups $WGNS_HELPER physical - true'
	[ "$output" = 'wgns: exec: physical: enter the box: needs root: sudo wgns exec ...' ]
	run -125 in_box 'setpriv --reuid 4242 --regid 4242 --clear-groups $WGNS exec --home true'
	[ "$output" = 'wgns: exec: --home is for root' ]
	run -125 in_box 'setpriv --reuid 4242 --regid 4242 --clear-groups $WGNS exec --physical --user root true'
	[ "$output" = 'wgns: exec: --user is for root' ]
}

@test "a user's exec calls the helper beside it only when that is root's alone" {
	run -0 in_box '
		mkdir -m 755 /run/bin; cp $WGNS $WGNS_HELPER /run/bin/
		as_user() { setpriv --reuid 4242 --regid 4242 --clear-groups /run/bin/wgns exec --physical true 2>&1 || :; }
		[ "$(as_user)" = "wgns: exec: physical: enter the box: needs root: sudo wgns exec ..." ]
		chown 4242 /run/bin/wgns-exec
		[[ $(as_user) != *physical* ]]
		chown 0 /run/bin/wgns-exec; chmod 757 /run/bin
		[[ $(as_user) != *physical* ]]
		chmod 755 /run/bin; mv /run/bin/wgns-exec /run/h; ln -s /run/h /run/bin/wgns-exec
		[[ $(as_user) != *physical* ]]'
}

@test "the helper works as wgns does" {
	run -0 in_box '$WGNS_HELPER physical 4242 sh -c "id -u; cat /etc/resolv.conf; grep -c ^Cap[^B].*0000000000000000$ /proc/self/status"'
	[ "$output" = $'4242\nnameserver 192.0.2.53\n4' ]
	run -125 in_box '$WGNS_HELPER physical -'
	run -125 in_box '$WGNS_HELPER physical 4242x true'
	run -125 in_box 'setpriv --reuid 4242 --clear-groups $WGNS_HELPER home 0 true'
	run -125 in_box 'cp $WGNS_HELPER /run/h; chmod 4755 /run/h; setpriv --reuid 4242 --clear-groups /run/h home - id -u'
	[[ $output == *'nothing here may be setuid'* ]]
}

@test "an inside that is entered from inside stays closed to a program of the box" {
	run -0 in_box '
		not $WGNS exec --physical nsenter --net=/proc/1/ns/net true
		not $WGNS exec --physical unshare --net true
		not $WGNS exec --physical umount /etc'
}

@test "a program with file capabilities starts, without them" {
	run -0 in_box '
		cp "$(command -v grep)" /run/capable; setcap cap_net_raw,cap_net_admin+ep /run/capable
		$WGNS exec --physical /run/capable -c "^Cap[^B].*0000000000000000$" /proc/self/status'
	[ "$output" = 4 ]
}
